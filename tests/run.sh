#!/bin/sh
# Installs what is missing, builds the tests and runs them:
#
#   sh tests/run.sh [CMake options]
#
# The build is kept in build/release. The environment may hold GAN_PRESET, another preset of CMakePresets.json, and
# GAN_CTEST_OPTIONS, options for ctest such as "-L nn" in place of "-LE consume" (all but outside projects). Products are
# Eigen's unless GAN_ENGINE says otherwise.
set -eu
export GAN_ENGINE="${GAN_ENGINE-eigen}"

root=$(cd "$(dirname "$0")/.." && pwd -P)
preset=${GAN_PRESET:-release}
. "$root/cmake/install_packages.sh"

install_packages g++ cmake ninja-build libeigen3-dev catch2 nlohmann-json3-dev libstb-dev libcli11-dev libdnnl-dev zlib1g-dev \
  ca-certificates
[ "$preset" != clang ] || install_packages clang libomp-dev libc++-dev libc++abi-dev
require_tools

jobs=$(build_jobs)
configure "$root/build/$preset" --preset "$preset" "$@"
cmake --build "$root/build/$preset" --target tests --parallel "$jobs"

options=${GAN_CTEST_OPTIONS--LE consume}
status=0
mkdir -p "$root/build/$preset/Testing"
log="$root/build/$preset/Testing/output.txt"
{ (cd "$root/build/$preset" && ctest --output-on-failure --no-tests=error -j "$jobs" $options) || echo failed >"$log.status"; } \
  2>&1 | tee "$log"
if [ -f "$log.status" ]; then
  rm -f "$log.status"
  status=1
fi
# The summary once more, as the last line.
grep 'tests passed' "$log" || status=1
exit $status
