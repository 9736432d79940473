# What gan includes and links: found on this machine, else fetched at a pinned version with its hash.
#
# Inside gan's build, dependencies are linked for the build only. The installed package finds them again for itself
# (gan-config.cmake.in), except the fetched ones, which are installed along (GAN_BUNDLED).

include_guard(GLOBAL)
include(FetchContent)
if(POLICY CMP0135)
  cmake_policy(SET CMP0135 NEW)  # files of a fetched archive get the time of extraction
endif()

set(GAN_BUNDLED "")  # "<name>=<folder of headers>" for each fetched library that users of gan need

# find_package(<arguments>), unless somebody has made `target` already. The target is seen in the whole project, because
# gan is, and hands it on.
macro(gan_find target)
  if(NOT TARGET ${target})
    find_package(${ARGN} QUIET)
    if(TARGET ${target})
      get_target_property(gan_imported ${target} IMPORTED)
      if(gan_imported)
        set_target_properties(${target} PROPERTIES IMPORTED_GLOBAL TRUE)
      endif()
    endif()
  endif()
endmacro()

# Fetches an archive without building anything in it; sets gan_<name>_SOURCE_DIR in the caller.
macro(gan_fetch name debian_package url hash)
  string(TOUPPER ${name} gan_upper)
  message(STATUS "gan: ${name} was not found on this machine, fetching ${url}")
  message(STATUS "     (without network: install it, on Debian and Ubuntu with `apt-get install ${debian_package}`, or "
                 "unpack it and pass -DFETCHCONTENT_SOURCE_DIR_GAN_${gan_upper}=<folder>)")
  FetchContent_Declare(gan_${name} URL ${url} URL_HASH SHA256=${hash} INACTIVITY_TIMEOUT 30
                       SOURCE_SUBDIR no-build)
  FetchContent_MakeAvailable(gan_${name})
endmacro()

# Fetches single files into a folder, as gan_fetch does an archive; `files` is a list of <name>=<sha256>. A file that is
# there and whole is not fetched again.
function(gan_fetch_files name debian_package url files)
  string(TOUPPER ${name} upper)
  if(FETCHCONTENT_SOURCE_DIR_GAN_${upper})
    set(folder "${FETCHCONTENT_SOURCE_DIR_GAN_${upper}}")
  else()
    set(folder "${CMAKE_BINARY_DIR}/_deps/gan_${name}-src")
    message(STATUS "gan: ${name} was not found on this machine, fetching ${url}")
    message(STATUS "     (without network: install it, on Debian and Ubuntu with `apt-get install ${debian_package}`, or "
                   "pass -DFETCHCONTENT_SOURCE_DIR_GAN_${upper}=<folder>)")
    foreach(entry IN LISTS files)
      string(REGEX MATCH "^(.+)=([0-9a-f]+)$" entry "${entry}")
      file(DOWNLOAD "${url}/${CMAKE_MATCH_1}" "${folder}/${CMAKE_MATCH_1}" EXPECTED_HASH SHA256=${CMAKE_MATCH_2}
           INACTIVITY_TIMEOUT 30)
    endforeach()
  endif()
  set(gan_${name}_SOURCE_DIR "${folder}" PARENT_SCOPE)
endfunction()

# Makes the INTERFACE target gan_<name> with one system include folder.
function(gan_header_target name folder)
  if(NOT TARGET gan_${name})
    add_library(gan_${name} INTERFACE)
    target_include_directories(gan_${name} SYSTEM INTERFACE "${folder}")
  endif()
endfunction()

# Links everything that gan's headers use to the INTERFACE target `target`.
macro(gan_link_dependencies target)
  # Eigen
  gan_find(Eigen3::Eigen Eigen3 CONFIG)
  if(TARGET Eigen3::Eigen AND NOT Eigen3_VERSION VERSION_LESS 3.4)
    target_link_libraries(${target} INTERFACE $<BUILD_INTERFACE:Eigen3::Eigen>)
  else()
    gan_fetch(eigen libeigen3-dev https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.gz
              8586084f71f9bde545ee7fa6d00288b264a2b7ac3607b974e54d13e7162c1c72)
    gan_header_target(eigen "${gan_eigen_SOURCE_DIR}")
    target_link_libraries(${target} INTERFACE $<BUILD_INTERFACE:gan_eigen>)
    list(APPEND GAN_BUNDLED "eigen=${gan_eigen_SOURCE_DIR}")
  endif()

  # nlohmann/json
  gan_find(nlohmann_json::nlohmann_json nlohmann_json 3.9 CONFIG)
  if(TARGET nlohmann_json::nlohmann_json)
    target_link_libraries(${target} INTERFACE $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
  else()
    gan_fetch(json nlohmann-json3-dev https://github.com/nlohmann/json/archive/refs/tags/v3.11.2.tar.gz
              d69f9deb6a75e2580465c6c4c5111b89c4dc2fa94e3a85fcd2ffcd9a143d9273)
    gan_header_target(json "${gan_json_SOURCE_DIR}/single_include")
    target_link_libraries(${target} INTERFACE $<BUILD_INTERFACE:gan_json>)
    list(APPEND GAN_BUNDLED "json=${gan_json_SOURCE_DIR}/single_include")
  endif()

  # stb has no CMake package: a folder with stb_image_write.h, included as <stb/...> when the folder is called stb.
  find_path(GAN_STB_INCLUDE_DIR stb_image_write.h PATH_SUFFIXES stb DOC "Folder of stb_image_write.h")
  mark_as_advanced(GAN_STB_INCLUDE_DIR)
  if(GAN_STB_INCLUDE_DIR)
    gan_header_target(stb "${GAN_STB_INCLUDE_DIR}")
  else()
    # stb_image 2.30 and stb_image_write 1.16
    gan_fetch_files(
      stb libstb-dev https://raw.githubusercontent.com/nothings/stb/31c1ad37456438565541f4919958214b6e762fb4
      "stb_image.h=594c2fe35d49488b4382dbfaec8f98366defca819d916ac95becf3e75f4200b3;\
stb_image_write.h=cbd5f0ad7a9cf4468affb36354a1d2338034f2c12473cf1a8e32053cb6914a05")
    gan_header_target(stb "${gan_stb_SOURCE_DIR}")
    list(APPEND GAN_BUNDLED "stb=${gan_stb_SOURCE_DIR}")
  endif()
  target_link_libraries(${target} INTERFACE $<BUILD_INTERFACE:gan_stb>)

  # Optional: OpenMP for more than one thread, zlib for .gz files.
  gan_find(OpenMP::OpenMP_CXX OpenMP COMPONENTS CXX)
  if(TARGET OpenMP::OpenMP_CXX)
    target_link_libraries(${target} INTERFACE $<BUILD_INTERFACE:OpenMP::OpenMP_CXX>)
  else()
    message(STATUS "gan: no OpenMP found, everything runs on one thread (Clang on Debian and Ubuntu: libomp-dev)")
  endif()
  gan_find(ZLIB::ZLIB ZLIB)
  if(TARGET ZLIB::ZLIB)
    target_link_libraries(${target} INTERFACE $<BUILD_INTERFACE:ZLIB::ZLIB>)
    target_compile_definitions(${target} INTERFACE $<BUILD_INTERFACE:GAN_HAS_ZLIB=1>)
  else()
    message(STATUS "gan: no zlib found, .gz files cannot be read (Debian and Ubuntu: zlib1g-dev)")
  endif()
endmacro()

# Makes CLI11::CLI11 available, for the programs only.
macro(gan_find_cli11)
  gan_find(CLI11::CLI11 CLI11 CONFIG)
  if(NOT TARGET CLI11::CLI11)
    gan_fetch(cli11 libcli11-dev https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.1.2.tar.gz
              26291377e892ba0e5b4972cdfd4a2ab3bf53af8dac1f4ea8fe0d1376b625c8cb)
    gan_header_target(cli11 "${gan_cli11_SOURCE_DIR}/include")
    add_library(CLI11::CLI11 ALIAS gan_cli11)
  endif()
endmacro()

# Makes Catch2::Catch2 (version 2 or 3) available, for the tests only.
macro(gan_find_catch2)
  gan_find(Catch2::Catch2 Catch2 CONFIG)
  if(NOT TARGET Catch2::Catch2)
    gan_fetch(catch2 catch2 https://github.com/catchorg/Catch2/archive/refs/tags/v2.13.10.tar.gz
              d54a712b7b1d7708bc7a819a8e6e47b2fde9536f487b89ccbca295072a7d9943)
    gan_header_target(catch2 "${gan_catch2_SOURCE_DIR}/single_include")
    add_library(Catch2::Catch2 ALIAS gan_catch2)
  endif()
endmacro()
