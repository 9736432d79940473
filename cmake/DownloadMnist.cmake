# cmake -DOUT=<folder> -P DownloadMnist.cmake
#
# Downloads the four files of MNIST (11 MB) into OUT, compressed as published. Files already there are kept when they are
# whole. Every file is checked against its SHA-256 before it gets its name, so a file with its name is whole. A mirror
# that fails once is not asked again, and the smallest file goes first: without network this gives up within seconds.
# Fails unless all files are there in the end.
#
# MIRRORS (addresses of folders) and FILES (<name>=<sha256>) may be given to fetch something else.

cmake_minimum_required(VERSION 3.21)

if(NOT OUT)
  message(FATAL_ERROR "usage: cmake -DOUT=<folder> -P DownloadMnist.cmake")
endif()
if(NOT MIRRORS)
  set(MIRRORS https://ossci-datasets.s3.amazonaws.com/mnist https://storage.googleapis.com/cvdf-datasets/mnist
              http://yann.lecun.com/exdb/mnist)
endif()
if(NOT FILES)
  set(FILES
      t10k-labels-idx1-ubyte.gz=f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6
      train-labels-idx1-ubyte.gz=3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c
      t10k-images-idx3-ubyte.gz=8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6
      train-images-idx3-ubyte.gz=440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609)
endif()
get_filename_component(OUT "${OUT}" ABSOLUTE)
file(MAKE_DIRECTORY "${OUT}")
file(LOCK "${OUT}/.lock" TIMEOUT 600)  # a second download waits for the first, and finds its files

set(first TRUE)
foreach(entry IN LISTS FILES)
  string(REGEX MATCH "^(.+)=([0-9a-f]+)$" entry "${entry}")
  set(name "${CMAKE_MATCH_1}")
  set(expected "${CMAKE_MATCH_2}")
  set(part "${OUT}/${name}.part")
  file(REMOVE "${part}")  # of a download that was interrupted
  if(EXISTS "${OUT}/${name}")
    file(SHA256 "${OUT}/${name}" found)
    if(found STREQUAL expected)
      continue()
    endif()
    message(NOTICE "${OUT}/${name} is not as published, downloading it again")
  endif()

  set(done FALSE)
  foreach(mirror IN LISTS MIRRORS)
    # The first file is a few kilobytes; its time limit covers connecting, too.
    if(first)
      set(limits TIMEOUT 8)
    else()
      set(limits TIMEOUT 300 INACTIVITY_TIMEOUT 10)
    endif()
    message(NOTICE "downloading ${mirror}/${name}")
    file(DOWNLOAD "${mirror}/${name}" "${part}" STATUS status ${limits})
    list(GET status 0 code)
    if(code EQUAL 0)
      file(SHA256 "${part}" found)
      if(found STREQUAL expected)
        file(RENAME "${part}" "${OUT}/${name}")
        set(done TRUE)
        break()
      endif()
      message(NOTICE "  refused: SHA-256 ${found}, expected ${expected}")
    else()
      list(GET status 1 reason)
      message(NOTICE "  failed: ${reason}")
    endif()
    file(REMOVE "${part}")
    list(REMOVE_ITEM MIRRORS "${mirror}")
  endforeach()
  if(NOT done)
    message(FATAL_ERROR "no mirror gave ${name}")
  endif()
  set(first FALSE)
endforeach()
message(NOTICE "MNIST is in ${OUT}")
