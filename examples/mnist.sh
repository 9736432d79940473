#!/bin/sh
# Trains a pair of networks on MNIST and leaves pictures of handwritten digits:
#
#   sh examples/mnist.sh                        # installs what is missing, builds, trains for a few minutes
#   sh examples/mnist.sh --epochs 20 --out run  # options of `mnist train`
#   sh examples/mnist.sh --resume               # goes on with the newest run
#   sh examples/mnist.sh sample --help          # the other commands of `mnist`
#
# The digits come from --data DIR, else the folder GAN_MNIST_DIR, else a download kept in build/mnist-data; without network
# they are drawn by the program, which says so.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd -P)
build="$root/build/mnist"
data="$root/build/mnist-data"
program="$build/examples/mnist"
. "$root/cmake/install_packages.sh"

install_packages g++ cmake ninja-build libeigen3-dev nlohmann-json3-dev libstb-dev libcli11-dev libdnnl-dev zlib1g-dev \
  ca-certificates
require_tools

mkdir -p "$build"
log="$build/build-log.txt"
[ -x "$program" ] || echo "Building the program, about a minute ..." >&2
if ! { configure "$build" -DCMAKE_BUILD_TYPE=Release -DGAN_BUILD_TESTS=OFF -DGAN_BUILD_BENCHMARKS=OFF \
  -DGAN_BUILD_EXAMPLES=ON && cmake --build "$build" --target mnist --parallel "$(build_jobs)"; } >"$log" 2>&1; then
  cat "$log" >&2
  echo "The build failed; its output is above and in $log" >&2
  exit 1
fi

# Threads that spin while they wait are many times slower when another program wants a core.
export GOMP_SPINCOUNT="${GOMP_SPINCOUNT-1000}"

case ${1-} in
  train) shift ;;
  -h | --help | --help-all) exec "$program" "$@" ;;
  '' | -*) ;;                # options of train, in any order
  *) exec "$program" "$@" ;; # sample ...
esac

# A run that goes on takes the data it had.
fetch=yes
[ -z "${GAN_MNIST_DIR-}" ] || fetch=no
for argument in "$@"; do
  case $argument in
    --data | --data=* | --resume | -h | --help) fetch=no ;;
  esac
done
if [ $fetch = yes ]; then
  [ -f "$data/train-images-idx3-ubyte.gz" ] || echo "Downloading MNIST, 11 MB ..." >&2
  if cmake "-DOUT=$data" -P "$root/cmake/DownloadMnist.cmake" >"$build/download-log.txt" 2>&1; then
    set -- --data "$data" "$@"
  else
    echo "MNIST could not be downloaded (see $build/download-log.txt)" >&2
  fi
fi
exec "$program" train "$@"
