// Asks a running scene_mapper where something is, and prints the pose to drive to:
//   ros2 run magic3d_ros_examples query_scene "where can I sit"
#include <chrono>
#include <memory>

#include "answer.hpp"
#include "rclcpp/rclcpp.hpp"

int main(int argc, char ** argv)
{
  using namespace std::chrono_literals;
  const auto arguments = rclcpp::init_and_remove_ros_arguments(argc, argv);
  const auto node = std::make_shared<rclcpp::Node>("query_scene");
  const auto client = node->create_client<QueryScene>("/scene_mapper/query_scene");
  if (!client->wait_for_service(30s)) {
    RCLCPP_ERROR(node->get_logger(), "/scene_mapper/query_scene is not there: is scene_mapper running in this ROS domain?");
    rclcpp::shutdown();
    return 1;
  }
  const auto text = arguments.size() > 1 ? arguments[1] : std::string("where can I sit");
  auto future = client->async_send_request(std::make_shared<QueryScene::Request>(question(text)));
  if (rclcpp::spin_until_future_complete(node, future, 30s) != rclcpp::FutureReturnCode::SUCCESS) {
    RCLCPP_ERROR(node->get_logger(), "no answer within 30 s");
    rclcpp::shutdown();
    return 1;
  }
  const int code = print_answer(*future.get());
  rclcpp::shutdown();
  return code;
}
