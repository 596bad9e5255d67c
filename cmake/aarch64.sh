#!/usr/bin/env bash
# Builds for 64-bit Arm on a PC and runs the tests under QEMU. Debian 12 or Ubuntu 24.04; nothing is installed by it.
#
#   cmake/aarch64.sh [CTEST ARGS]       everything lands in build-aarch64/; JOBS=N sets how many compilers run
#
# It needs g++-aarch64-linux-gnu, qemu-user-static, and package lists for arm64:
#
#   apt-get install g++-aarch64-linux-gnu qemu-user-static
#   dpkg --add-architecture arm64 && apt-get update
#
# The arm64 libraries are fetched as packages and unpacked into build-aarch64/root, so that the system's own packages stay
# as they are. `rung pull` is left out (libcurl would bring 30 more packages); tests of `rung` as a program run through a
# wrapper script.
set -euo pipefail
root=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")
build=$root/build-aarch64
packages=({libhwy-dev,libhwy1,libfmt-dev,libfmt9,libpcre2-dev,libpcre2-8-0,libutf8proc-dev,libutf8proc2,zlib1g-dev,zlib1g}:arm64
          {libsentencepiece-dev,libsentencepiece0,libbenchmark-dev,libbenchmark1debian,catch2}:arm64
          libeigen3-dev nlohmann-json3-dev libcli11-dev)

say() { printf 'aarch64: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

command -v aarch64-linux-gnu-g++ >/dev/null || die 'no cross compiler: apt-get install g++-aarch64-linux-gnu'
qemu=$(command -v qemu-aarch64-static || command -v qemu-aarch64) || die 'no emulator: apt-get install qemu-user-static'
dpkg --print-foreign-architectures | grep -qx arm64 ||
  die 'no arm64 package lists: dpkg --add-architecture arm64 && apt-get update'

if [ ! -e "$build/root/.unpacked" ]; then
  say "fetching ${#packages[@]} packages"
  rm -rf -- "$build/root" "$build/packages"
  mkdir -p -- "$build/root" "$build/packages"
  (cd -- "$build/packages" && apt-get download -q "${packages[@]}" >&2) || die 'fetching the packages failed'
  for package in "$build"/packages/*.deb; do dpkg -x "$package" "$build/root"; done
  touch -- "$build/root/.unpacked"
fi

generator=()
command -v ninja >/dev/null && generator=(-G Ninja)
launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER="$root/cmake/ccache_launcher")
cmake -S "$root" -B "$build" "${generator[@]}" "${launcher[@]}" -DCMAKE_BUILD_TYPE=Release -DRUNG_CUDA=OFF \
  -DCMAKE_TOOLCHAIN_FILE="$root/cmake/toolchains/aarch64-linux-gnu.cmake" -DRUNG_AARCH64_ROOT="$build/root" >&2
cmake --build "$build" -j "${JOBS:-$(nproc)}" >&2

# The program as scripts call it.
cat >"$build/rung-qemu" <<END
#!/bin/sh
exec "$qemu" -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH="$build/root/usr/lib/aarch64-linux-gnu" "$build/bin/rung" "\$@"
END
chmod +x "$build/rung-qemu"

# Left out: what is slow by itself, what builds trees of its own, and the scripts that start the program directly.
cd -- "$build"
OMP_WAIT_POLICY=passive ctest --output-on-failure --no-tests=error -LE '^slow$' -E '^(house\.|cli|faults)' "$@"
