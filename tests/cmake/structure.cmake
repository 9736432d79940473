# Tests of the repository's shape: headers, include directions, outside projects, the MNIST download.

set(cmake_tests "${CMAKE_CURRENT_SOURCE_DIR}/cmake")
set(scratch "${CMAKE_CURRENT_BINARY_DIR}/structure")

# Every header compiles alone, as cheaply as compiling goes: the target header_checks, which .ci/run builds.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/include/*.hpp")
set(header_sources "")
foreach(header IN LISTS headers)
  string(REGEX REPLACE "[/.]" "_" file "${header}")
  set(generated "${CMAKE_CURRENT_BINARY_DIR}/headers/${file}.cpp")
  file(CONFIGURE OUTPUT "${generated}" CONTENT "#include <@header@>\n#include <@header@>\n" @ONLY)
  list(APPEND header_sources "${generated}")
endforeach()
add_library(header_checks OBJECT EXCLUDE_FROM_ALL ${header_sources})
target_link_libraries(header_checks PRIVATE gan::gan gan_warnings)
target_compile_options(header_checks PRIVATE -O0 -g0)

# Two translation units that include gan.hpp link and run: the target two_units, likewise.
add_executable(two_units EXCLUDE_FROM_ALL cmake/two_units/first.cpp cmake/two_units/second.cpp)
target_link_libraries(two_units PRIVATE gan::gan gan_warnings)
target_compile_options(two_units PRIVATE -O0)
add_custom_command(TARGET two_units POST_BUILD COMMAND two_units)

# gan.hpp includes everything.
add_test(NAME structure/umbrella_includes_everything
         COMMAND ${CMAKE_COMMAND} "-DROOT=${PROJECT_SOURCE_DIR}/include" -P "${cmake_tests}/umbrella.cmake")
set_tests_properties(structure/umbrella_includes_everything PROPERTIES LABELS structure)

# Include directions, and that the check sees what it should.
add_test(NAME structure/include_directions
         COMMAND ${CMAKE_COMMAND} "-DROOT=${PROJECT_SOURCE_DIR}/include" -P "${cmake_tests}/include_directions.cmake")
set_tests_properties(structure/include_directions PROPERTIES LABELS structure)
foreach(bad sideways upwards io_uses_ops kernels_use_nn nn_uses_models train_uses_export detail_of_others
            unknown_folder own_name_without_gan umbrella)
  add_test(NAME structure/include_directions_catches_${bad}
           COMMAND ${CMAKE_COMMAND} "-DROOT=${cmake_tests}/bad_includes/${bad}" -P
                   "${cmake_tests}/include_directions.cmake")
  set_tests_properties(structure/include_directions_catches_${bad}
                       PROPERTIES LABELS structure PASS_REGULAR_EXPRESSION "include directions: 1 violation")
endforeach()

# Outside projects, with the label "consume": a minute of compiling, which .ci/run spends and tests/run.sh does not.
set(consume_arguments
    "-DGAN_SOURCE=${PROJECT_SOURCE_DIR}"
    "-DGAN_BUILD=${PROJECT_BINARY_DIR}"
    "-DCOMPILER=${CMAKE_CXX_COMPILER}"
    "-DGENERATOR=${CMAKE_GENERATOR}"
    "-DMAKE_PROGRAM=${CMAKE_MAKE_PROGRAM}")
foreach(name eigen json stb)
  if(FETCHCONTENT_SOURCE_DIR_GAN_${name} OR gan_${name}_SOURCE_DIR)
    string(TOUPPER ${name} upper)
    list(APPEND consume_arguments "-DFETCHCONTENT_SOURCE_DIR_GAN_${upper}=${gan_${name}_SOURCE_DIR}")
  endif()
endforeach()
foreach(way installed add_subdirectory)
  add_test(NAME structure/consume_${way}
           COMMAND ${CMAKE_COMMAND} -DWAY=${way} "-DSCRATCH=${scratch}/${way}" ${consume_arguments} -P
                   "${cmake_tests}/consume.cmake")
  set_tests_properties(structure/consume_${way} PROPERTIES LABELS consume TIMEOUT 300 ENVIRONMENT GAN_ENGINE=)
endforeach()

# Plain -I.
set(third_party "")
foreach(dependency Eigen3::Eigen nlohmann_json::nlohmann_json gan_eigen gan_json gan_stb)
  if(TARGET ${dependency})
    list(APPEND third_party "$<TARGET_PROPERTY:${dependency},INTERFACE_INCLUDE_DIRECTORIES>")
  endif()
endforeach()
list(JOIN third_party "$<SEMICOLON>" third_party)
add_test(NAME structure/consume_plain
         COMMAND ${CMAKE_COMMAND} -DWAY=plain "-DSCRATCH=${scratch}/plain" "-DCOMPILER=${CMAKE_CXX_COMPILER}"
                 "-DGAN_SOURCE=${PROJECT_SOURCE_DIR}" "-DTHIRD_PARTY=${third_party}" -P "${cmake_tests}/consume.cmake")
set_tests_properties(structure/consume_plain PROPERTIES LABELS consume TIMEOUT 300)

# A network that forgets forward does not compile, and the compiler's message says what to write.
add_library(forgets_forward OBJECT EXCLUDE_FROM_ALL cmake/forgets_forward.cpp)
target_link_libraries(forgets_forward PRIVATE gan::gan)
target_compile_options(forgets_forward PRIVATE -O0 -g0)
add_test(NAME structure/forgets_forward
         COMMAND ${CMAKE_COMMAND} --build "${PROJECT_BINARY_DIR}" --target forgets_forward)
set_tests_properties(structure/forgets_forward
                     PROPERTIES LABELS consume TIMEOUT 300 PASS_REGULAR_EXPRESSION "every network writes its own, with override")

# The download of MNIST, with files in place of servers.
add_test(NAME structure/download_mnist
         COMMAND ${CMAKE_COMMAND} "-DSCRIPT=${PROJECT_SOURCE_DIR}/cmake/DownloadMnist.cmake"
                 "-DSCRATCH=${scratch}/download" -P "${cmake_tests}/download_test.cmake")
set_tests_properties(structure/download_mnist PROPERTIES LABELS structure TIMEOUT 60)

# The fetching of single files, likewise.
add_test(NAME structure/fetch_files
         COMMAND ${CMAKE_COMMAND} "-DMODULE=${PROJECT_SOURCE_DIR}/cmake/GanDependencies.cmake"
                 "-DSCRATCH=${scratch}/fetch_files" -P "${cmake_tests}/fetch_files_test.cmake")
set_tests_properties(structure/fetch_files PROPERTIES LABELS structure TIMEOUT 60)
