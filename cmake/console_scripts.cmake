# Installs lib/<package>/<name> for every console script of setup.cfg: "ros2 run" and Node(package=, executable=)
# look there. The list stays in setup.cfg alone.
function(install_console_scripts)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/setup.cfg")
  set(entry "^[ \t]+([A-Za-z0-9_]+)[ \t]*=[ \t]*([A-Za-z0-9_.]+):([A-Za-z0-9_]+)[ \t]*$")
  file(STRINGS "${CMAKE_CURRENT_SOURCE_DIR}/setup.cfg" lines REGEX "${entry}")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "${entry}" matched "${line}")
    set(script "${CMAKE_CURRENT_BINARY_DIR}/console_scripts/${CMAKE_MATCH_1}")
    file(WRITE "${script}"
      "#!/usr/bin/env python3\nimport sys\n\nfrom ${CMAKE_MATCH_2} import ${CMAKE_MATCH_3}\n\nsys.exit(${CMAKE_MATCH_3}())\n")
    # colcon build --symlink-install links to this file, so it must be executable itself.
    file(CHMOD "${script}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
    install(PROGRAMS "${script}" DESTINATION lib/${PROJECT_NAME})
  endforeach()
endfunction()
