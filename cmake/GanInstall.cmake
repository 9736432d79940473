# The installed package: headers, fetched headers, and gan-config.cmake, which makes gan::gan and gan_enable_native().

include(CMakePackageConfigHelpers)
set(gan_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/gan")
set(gan_third_party_dir "${CMAKE_INSTALL_INCLUDEDIR}/gan-third-party")

install(TARGETS gan EXPORT gan-targets)
install(EXPORT gan-targets NAMESPACE gan:: DESTINATION ${gan_package_dir})
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/gan" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.hpp")
if(TARGET gan_onednn)
  install(TARGETS gan_onednn EXPORT gan-onednn-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT gan-onednn-targets NAMESPACE gan:: DESTINATION ${gan_package_dir})
endif()
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/gan")

set(gan_bundled_names "")
foreach(entry IN LISTS GAN_BUNDLED)
  string(REGEX MATCH "^([^=]+)=(.*)$" entry "${entry}")
  set(name "${CMAKE_MATCH_1}")
  set(folder "${CMAKE_MATCH_2}")
  list(APPEND gan_bundled_names ${name})
  if(name STREQUAL "eigen")
    install(DIRECTORY "${folder}/Eigen" DESTINATION "${gan_third_party_dir}/eigen" PATTERN "CMakeLists.txt" EXCLUDE)
    file(GLOB licenses "${folder}/COPYING.*")
    install(FILES ${licenses} DESTINATION "${gan_third_party_dir}/eigen")
  elseif(name STREQUAL "stb")
    install(FILES "${folder}/stb_image.h" "${folder}/stb_image_write.h" DESTINATION "${gan_third_party_dir}/stb")
  else()
    install(DIRECTORY "${folder}/" DESTINATION "${gan_third_party_dir}/${name}" FILES_MATCHING PATTERN "*.hpp")
  endif()
endforeach()

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/gan-config.cmake.in" "${PROJECT_BINARY_DIR}/gan-config.cmake"
                              INSTALL_DESTINATION ${gan_package_dir} PATH_VARS gan_third_party_dir)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/gan-config-version.cmake" COMPATIBILITY SameMinorVersion
                                 ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/gan-config.cmake" "${PROJECT_BINARY_DIR}/gan-config-version.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/GanEnableNative.cmake" DESTINATION ${gan_package_dir})
