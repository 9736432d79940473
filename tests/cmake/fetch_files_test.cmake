# gan_fetch_files against a folder in place of a server.

cmake_minimum_required(VERSION 3.21)

file(REMOVE_RECURSE "${SCRATCH}")
file(WRITE "${SCRATCH}/server/a.h" "the first file")
file(WRITE "${SCRATCH}/server/b.h" "the second file")
file(SHA256 "${SCRATCH}/server/a.h" sha_a)
file(SHA256 "${SCRATCH}/server/b.h" sha_b)
set(files "a.h=${sha_a};b.h=${sha_b}")
set(CMAKE_BINARY_DIR "${SCRATCH}/build")
include("${MODULE}")

function(expect_whole folder)
  foreach(name a.h b.h)
    file(SHA256 "${folder}/${name}" sha)
    file(SHA256 "${SCRATCH}/server/${name}" sha_good)
    if(NOT sha STREQUAL sha_good)
      message(FATAL_ERROR "${folder}/${name} is not whole")
    endif()
  endforeach()
endfunction()

if(WRONG_HASH)
  gan_fetch_files(pair libpair-dev "file://${SCRATCH}/server" "a.h=${sha_b}")
  message(NOTICE "a file of another hash was taken")
  return()
endif()

gan_fetch_files(pair libpair-dev "file://${SCRATCH}/server" "${files}")
expect_whole("${gan_pair_SOURCE_DIR}")

# What is there is not asked for again; what is damaged is.
gan_fetch_files(pair libpair-dev "file://${SCRATCH}/nowhere" "${files}")
expect_whole("${gan_pair_SOURCE_DIR}")
file(WRITE "${gan_pair_SOURCE_DIR}/b.h" "damaged")
gan_fetch_files(pair libpair-dev "file://${SCRATCH}/server" "${files}")
expect_whole("${gan_pair_SOURCE_DIR}")

# A folder that the user names is taken as it is.
set(FETCHCONTENT_SOURCE_DIR_GAN_PAIR "${SCRATCH}/mine")
gan_fetch_files(pair libpair-dev "file://${SCRATCH}/nowhere" "${files}")
if(NOT gan_pair_SOURCE_DIR STREQUAL "${SCRATCH}/mine")
  message(FATAL_ERROR "the user's folder was not taken")
endif()

# A wrong hash ends the configuration.
execute_process(COMMAND "${CMAKE_COMMAND}" -DWRONG_HASH=TRUE "-DMODULE=${MODULE}" "-DSCRATCH=${SCRATCH}/wrong" -P
                        "${CMAKE_CURRENT_LIST_FILE}" RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(result EQUAL 0 OR output MATCHES "was taken")
  message(FATAL_ERROR "a file with a wrong hash was taken:\n${output}")
endif()
