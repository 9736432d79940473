#!/bin/sh
# Times the training step of the library, PyTorch and JAX in turn, on the same networks, and prints a table:
#
#   sh tests/benchmarks/compare.sh                              # six pairs, 1 and 2 threads, three rounds
#   sh tests/benchmarks/compare.sh --venv DIR --nets mlp,ring   # with that virtual environment, some of the pairs
#   sh tests/benchmarks/compare.sh --json FILE                  # writes all figures, too
#   sh tests/benchmarks/compare.sh --all                        # more batches, DCGAN 64 x 64 x 3, torch.compile: hours
#
# PyTorch and JAX come from the virtual environment --venv (default: build/peers-venv), which is made with pip when there
# is none: PyPI's PyTorch brings CUDA along and takes 6 GB on disk. Other options: compare.sh --help.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd -P)
build="$root/build/compare"
venv="$root/build/peers-venv"
. "$root/cmake/install_packages.sh"

help=
next=
for argument in "$@"; do
  case $next$argument in
    venv*) venv=${argument} ;;
    --venv=*) venv=${argument#--venv=} ;;
    -h | --help) help=yes ;;
  esac
  next=
  [ "$argument" != --venv ] || next=venv
done
[ -z "$next" ] || {
  echo "compare.sh: --venv wants a folder" >&2
  exit 2
}
if [ -n "$help" ]; then
  exec python3 "$root/tests/benchmarks/compare.py" --help
fi
python3 "$root/tests/benchmarks/compare.py" --check "$@"  # mistakes are told before anything is built

command -v taskset >/dev/null 2>&1 || {
  echo "compare.sh: needs taskset (Debian: util-linux) to bound the threads of JAX" >&2
  exit 1
}
require_tools
if [ ! -x "$venv/bin/python" ]; then
  echo "Making $venv with PyTorch and JAX. PyPI's PyTorch brings CUDA along: 6 GB on disk, some minutes." >&2
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet torch jax numpy || {
    rm -rf "$venv"
    echo "compare.sh: could not install PyTorch and JAX" >&2
    exit 1
  }
fi

mkdir -p "$build"
log="$build/build-log.txt"
echo "Building train_step, about a minute ..." >&2
if ! { configure "$build" -DCMAKE_BUILD_TYPE=Release -DGAN_BUILD_TESTS=OFF -DGAN_BUILD_EXAMPLES=OFF &&
  cmake --build "$build" --target train_step; } >"$log" 2>&1; then
  tail -n 30 "$log" >&2
  echo "compare.sh: the build failed, see $log" >&2
  exit 1
fi
exec "$venv/bin/python" "$root/tests/benchmarks/compare.py" --program "$build/tests/benchmarks/train_step" "$@"
