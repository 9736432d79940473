# Sourced by the scripts (POSIX sh): installing what is missing, and building with what is there.
#
# install_packages <Debian package>...   installs those that are missing with apt-get, as root or with sudo. What cannot
#                                        be installed is named; libraries are then fetched by CMake.
# require_tools                          ends the script, saying what to install, without CMake and a C++ compiler.
# build_jobs                             prints how many compilers this machine can run at once.
# configure <build folder> <options>...  runs CMake on the project in $root, with Ninja when there is one.

package_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_packages() {
  command -v apt-get >/dev/null 2>&1 && command -v dpkg-query >/dev/null 2>&1 || return 0
  missing=
  for package in "$@"; do
    case $package in
      # Any compiler or CMake will do, whoever installed it.
      g++) command -v "${CXX:-c++}" >/dev/null 2>&1 && continue ;;
      cmake | ninja-build | clang | clang-format | git)
        command -v "$(echo "$package" | sed 's/^ninja-build$/ninja/')" >/dev/null 2>&1 && continue ;;
    esac
    package_installed "$package" || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0

  if [ "$(id -u)" = 0 ]; then
    as_root=env
  elif command -v sudo >/dev/null 2>&1; then
    if [ -t 0 ] && [ -t 2 ]; then as_root='sudo env'; else as_root='sudo -n env'; fi
  else
    echo "Not installed, and neither root nor sudo to install it:$missing" >&2
    return 0
  fi
  echo "Installing$missing" >&2
  apt="$as_root DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3"
  $apt update >/dev/null 2>&1 || echo "apt-get update failed; trying with the lists there are" >&2
  # $apt and $missing are lists of words.
  # shellcheck disable=SC2086
  if ! $apt install -y --no-install-recommends $missing >/dev/null 2>&1; then
    for package in $missing; do  # one that does not exist here must not keep the others away
      $apt install -y --no-install-recommends "$package" >/dev/null 2>&1 || echo "Could not install $package" >&2
    done
  fi
}

require_tools() {
  absent=
  command -v cmake >/dev/null 2>&1 || absent="$absent CMake (3.21 or later),"
  [ -n "${CXX:-}" ] || command -v c++ >/dev/null 2>&1 || command -v g++ >/dev/null 2>&1 ||
    command -v clang++ >/dev/null 2>&1 || absent="$absent a C++20 compiler (GCC 12, Clang 14 or later),"
  command -v ninja >/dev/null 2>&1 || command -v make >/dev/null 2>&1 || absent="$absent make or ninja,"
  [ -z "$absent" ] && return 0
  echo "Please install${absent%,} and start again." >&2
  echo "(Debian and Ubuntu: apt-get install cmake g++ make. macOS: xcode-select --install; brew install cmake.)" >&2
  exit 1
}

build_jobs() {
  cores=$( (nproc || getconf _NPROCESSORS_ONLN || sysctl -n hw.ncpu) 2>/dev/null | head -n 1)
  cores=${cores:-1}
  # A compiler takes up to 1.8 GB here.
  if [ -r /proc/meminfo ]; then
    fitting=$(awk '/^MemAvailable:/ { print int($2 / 1800000) }' /proc/meminfo)
    [ "${fitting:-$cores}" -ge "$cores" ] || cores=$fitting
    [ "$cores" -ge 1 ] || cores=1
  fi
  echo "$cores"
}

configure() {
  folder=$1
  shift
  # The generator of an existing build folder cannot be changed. A folder that was moved or copied cannot be used.
  if [ -f "$folder/CMakeCache.txt" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$folder/CMakeCache.txt"; then
    rm -rf "$folder"
  fi
  if [ ! -f "$folder/CMakeCache.txt" ] && command -v ninja >/dev/null 2>&1; then
    set -- -G Ninja "$@"
  fi
  (cd "$root" && cmake -B "$folder" "$@")
}
