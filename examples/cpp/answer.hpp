// What a question and its answer are made of: only the message headers are needed, no ROS client library.
#pragma once

#include <cstdio>
#include <optional>
#include <string>

#include "geometry_msgs/msg/pose_stamped.hpp"
#include "magic3d_ros/srv/query_scene.hpp"

using magic3d_ros::srv::QueryScene;

inline QueryScene::Request question(const std::string & text)
{
  QueryScene::Request request;
  request.text = text;
  request.max_results = 5;
  return request;
}

// Where to drive: before the likeliest thing that was found and that free floor leads to.
inline std::optional<geometry_msgs::msg::PoseStamped> goal_of(const QueryScene::Response & answer)
{
  if (answer.status != QueryScene::Response::FOUND && answer.status != QueryScene::Response::AMBIGUOUS) {
    return std::nullopt;
  }
  for (const auto & thing : answer.objects) {
    if (!thing.approach_poses.empty()) {
      return thing.approach_poses.front();
    }
  }
  return std::nullopt;
}

// Prints the things and the goal; returns 0 with a goal, 3 without.
inline int print_answer(const QueryScene::Response & answer)
{
  std::printf("%s\n", answer.why.c_str());
  for (const auto & thing : answer.objects) {
    const auto & at = thing.box.pose.position;
    std::printf("  %d %s %.2f at %.2f %.2f %.2f\n", thing.id, thing.label.c_str(), thing.probability, at.x, at.y, at.z);
  }
  const auto goal = goal_of(answer);
  if (!goal) {
    std::printf("nowhere to go\n");
    return 3;
  }
  const auto & place = goal->pose.position;
  const auto & turn = goal->pose.orientation;
  std::printf("goal: frame %s, place %.3f %.3f %.3f, quaternion %.4f %.4f %.4f %.4f\n", goal->header.frame_id.c_str(),
    place.x, place.y, place.z, turn.x, turn.y, turn.z, turn.w);
  return 0;
}
