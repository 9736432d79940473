// The version of the library: this is the one place where it is written, CMake reads it here.
#pragma once

#define GAN_VERSION_MAJOR 0
#define GAN_VERSION_MINOR 2
#define GAN_VERSION_PATCH 0

namespace gan {

/// The same for code: releases with equal major and minor numbers have one interface.
inline constexpr int version_major = GAN_VERSION_MAJOR;
inline constexpr int version_minor = GAN_VERSION_MINOR;
inline constexpr int version_patch = GAN_VERSION_PATCH;

}  // namespace gan
