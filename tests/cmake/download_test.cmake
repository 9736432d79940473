# DownloadMnist.cmake against folders in place of mirrors.

cmake_minimum_required(VERSION 3.21)

file(REMOVE_RECURSE "${SCRATCH}")
file(WRITE "${SCRATCH}/good/a.gz" "the first file")
file(WRITE "${SCRATCH}/good/b.gz" "the second file")
file(WRITE "${SCRATCH}/corrupt/a.gz" "the first f")
file(WRITE "${SCRATCH}/corrupt/b.gz" "another second file")
file(MAKE_DIRECTORY "${SCRATCH}/empty")
file(SHA256 "${SCRATCH}/good/a.gz" sha_a)
file(SHA256 "${SCRATCH}/good/b.gz" sha_b)

# download(<case> <succeeds> <files expected in the end> <mirrors>...)
function(download case succeeds expected)
  set(mirrors "")
  foreach(mirror IN LISTS ARGN)
    list(APPEND mirrors "file://${SCRATCH}/${mirror}")
  endforeach()
  set(out "${SCRATCH}/out_${case}")
  execute_process(COMMAND "${CMAKE_COMMAND}" "-DOUT=${out}" "-DMIRRORS=${mirrors}"
                          "-DFILES=a.gz=${sha_a};b.gz=${sha_b}" -P "${SCRIPT}"
                  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  message(NOTICE "${case}:\n${output}")
  if(succeeds AND NOT result EQUAL 0)
    message(FATAL_ERROR "${case}: failed")
  elseif(NOT succeeds AND result EQUAL 0)
    message(FATAL_ERROR "${case}: succeeded")
  endif()
  file(GLOB found RELATIVE "${out}" "${out}/*")
  list(REMOVE_ITEM found .lock)
  list(SORT found)
  if(NOT "${found}" STREQUAL "${expected}")
    message(FATAL_ERROR "${case}: left '${found}', expected '${expected}'")
  endif()
  foreach(file IN LISTS found)
    file(SHA256 "${out}/${file}" sha)
    file(SHA256 "${SCRATCH}/good/${file}" sha_good)
    if(NOT sha STREQUAL sha_good)
      message(FATAL_ERROR "${case}: ${file} is not whole")
    endif()
  endforeach()
  set(output "${output}" PARENT_SCOPE)
endfunction()

download(good TRUE "a.gz;b.gz" good)
download(corrupt FALSE "" corrupt)
download(nothing_there FALSE "" empty)
download(second_mirror TRUE "a.gz;b.gz" empty corrupt good)
string(FIND "${output}" "empty/b.gz" at)
if(NOT at EQUAL -1)
  message(FATAL_ERROR "a mirror that failed was asked again")
endif()

# What an interrupted download left is cleared away.
file(WRITE "${SCRATCH}/out_interrupted/b.gz.part" "the sec")
download(interrupted TRUE "a.gz;b.gz" good)

# What other programs are downloading into the same folder is none of ours.
file(WRITE "${SCRATCH}/out_shared/film.mp4.part" "half")
file(WRITE "${SCRATCH}/good/film.mp4.part" "half")
download(shared TRUE "a.gz;b.gz;film.mp4.part" good)

# Whole files are kept without asking anybody; damaged ones are replaced.
download(good TRUE "a.gz;b.gz" empty)
file(WRITE "${SCRATCH}/out_good/b.gz" "damaged")
download(good TRUE "a.gz;b.gz" good)
