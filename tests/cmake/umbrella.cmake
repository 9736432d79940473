# cmake -DROOT=<include folder> -P umbrella.cmake
#
# Fails unless gan/gan.hpp includes every header of the library, itself or through others, except for export and
# distributed, which who wants them includes. It may not name a kernel.

cmake_minimum_required(VERSION 3.21)

set(reached gan/gan.hpp)
set(open gan/gan.hpp)
while(open)
  list(POP_FRONT open header)
  file(STRINGS "${ROOT}/${header}" lines REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"]gan/")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^[^<\"]*[<\"]([^>\"]+)[>\"].*$" "\\1" included "${line}")
    if(NOT included IN_LIST reached)
      list(APPEND reached "${included}")
      list(APPEND open "${included}")
    endif()
  endforeach()
endwhile()

file(GLOB_RECURSE headers RELATIVE "${ROOT}" "${ROOT}/gan/*.hpp")
list(FILTER headers EXCLUDE REGEX "^gan/(export|distributed)/")
set(forgotten ${headers})
list(REMOVE_ITEM forgotten ${reached})
if(forgotten)
  list(JOIN forgotten "\n  " forgotten)
  message(FATAL_ERROR "gan/gan.hpp does not include\n  ${forgotten}")
endif()

file(STRINGS "${ROOT}/gan/gan.hpp" kernels REGEX "gan/ops/kernels/")
if(kernels)
  list(JOIN kernels "\n  " kernels)
  message(FATAL_ERROR "gan/gan.hpp names kernels\n  ${kernels}")
endif()
