# Set-up shared by run.sh, test.sh and .ci/run (bash; sourced, not run). Everything it says goes to standard
# error: standard output belongs to the program that is run afterwards.
#
#   rung_packages SET...   installs the missing packages of the sets build, test and ci (or only names them)
#   rung_configure         configures the build folder when that has not been done
#   rung_build WHAT [TARGET...]   builds the targets, or everything; WHAT names them for the reader. Silent, and done
#                          within a second, when the build is current
#
# RUNG_NO_INSTALL=1 installs nothing: what is missing is named, and the script stops.
# RUNG_BUILD_DIR=FOLDER builds there instead of in build/. A relative path counts from the caller's folder.

set -E
trap 'printf "rung: stopped without a reason given, in %s, line %s\n" "${BASH_SOURCE[0]##*/}" "$LINENO" >&2' ERR

rung_root=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")
rung_build_dir=$(realpath -m -- "${RUNG_BUILD_DIR:-$rung_root/build}")
rung_logs=$rung_build_dir/log
rung_launcher=-DCMAKE_CXX_COMPILER_LAUNCHER=$rung_root/cmake/ccache_launcher  # where ccache is installed

# set | package of Debian 12 and Ubuntu 24.04 | how to see that it is there | what it is for
rung_package_table='
build|g++|program g++|the C++ compiler, with OpenMP
build|cmake|program cmake|configures the build
build|ninja-build|program ninja|runs the build
build|pkg-config|program pkg-config|finds PCRE2 and Highway
build|libeigen3-dev|header eigen3/Eigen/Core|Eigen, the matrix library that our own kernels are compared with
build|libfmt-dev|header fmt/core.h|text formatting
build|nlohmann-json3-dev|header nlohmann/json.hpp|JSON: tokenizer files, model configurations, --json
build|libpcre2-dev|header pcre2.h|regular expressions of the tokenizers
build|libutf8proc-dev|header utf8proc.h|Unicode properties for the tokenizers and chat templates
build|libsentencepiece-dev|header sentencepiece_processor.h|reads tokenizer.model files
build|libhwy-dev|header hwy/highway.h|Highway: vector instructions chosen at run time
build|libdnnl-dev|header dnnl.h|oneDNN: what a library reaches, beside our own kernels (optional: without it one rung is missing)
build|zlib1g-dev|header zlib.h|zlib: unpacks traces that gzip compressed
build|libcurl4-openssl-dev|library libcurl|libcurl: rung pull fetches models with it
build|libssl-dev|header openssl/evp.h|OpenSSL: checksums of what was fetched
build|libzip-dev|library libzip|libzip: rung pull unpacks models that are in Python packages
build|libtomlplusplus-dev|header toml++/toml.h|TOML: the files of rung experiment
build|libcli11-dev|header CLI/CLI.hpp|the command line
build|catch2|header catch2|the test framework
build|libbenchmark-dev|header benchmark/benchmark.h|the benchmark framework
build|python3|program python3|shows how far the build is; runs tests that are scripts
test|git|program git|a scratch copy of the tree, for the test of the exercises
test|doxygen|program doxygen|the reference pages
test|graphviz|program dot|their diagrams
test|python3-matplotlib|module matplotlib|plots of measurements
ci|ca-certificates|header /etc/ssl/certs/ca-certificates.crt|lets git speak https
ci|clang|program clang++|the second compiler
ci|ccache|program ccache|compiles again only what changed, where its folder outlives a run
ci|libclang-rt-dev|runtime asan|its sanitizers
ci|libomp-dev|clang libomp.so|its OpenMP, with the Archer tool for ThreadSanitizer
ci|clang-format|program clang-format|checks the layout of the code
ci|clang-tidy|program clang-tidy|looks for bugs in the code
'

rung_say() { printf 'rung: %s\n' "$*" >&2; }

rung_die() {
  rung_say "$*"
  exit 1
}

# rung_step WHAT LOG COMMAND...: runs a command visibly, keeps its output in LOG, stops the script if it fails.
rung_step() {
  local what=$1 log=$2
  shift 2
  rung_say "$what"
  rung_make_build_dir
  local status=0
  { "$@" 2>&1 9>&-; } | tee -- "$log" >&2 || status=$?
  if [ "$status" -ne 0 ]; then
    rung_die "this step failed: $what (exit status $status). The reason stands above, and in $log"
  fi
}

# rung_present HOW WHAT: is a program, a header, a library that pkg-config knows, a Python module, a
# runtime library of Clang or a file of its installation there?
rung_present() {
  case $1 in
    program) command -v -- "$2" >/dev/null ;;
    header)
      local folder
      for folder in '' /usr/include/ /usr/local/include/; do
        [ -e "$folder$2" ] && return 0
      done
      return 1
      ;;
    module) # of the system's Python, which the packages belong to, or of the one in front of it
      local python
      for python in /usr/bin/python3 python3; do
        "$python" -c "import importlib.util as u, sys; sys.exit(u.find_spec('$2') is None)" 2>/dev/null && return 0
      done
      return 1
      ;;
    library) pkg-config --exists "$2" 2>/dev/null ;;
    runtime) compgen -G "$(clang++ -print-resource-dir 2>/dev/null)/lib/linux/libclang_rt.$2-*.a" >/dev/null ;;
    clang) [ -e "$(clang++ -print-resource-dir 2>/dev/null)/../../$2" ] ;;
  esac
}

rung_packages() {
  local set package how why missing=()
  while IFS='|' read -r set package how why; do
    [[ " $* " == *" $set "* ]] || continue
    # shellcheck disable=SC2086  # "program g++" is two words
    rung_present $how && continue
    [ ${#missing[@]} -gt 0 ] || rung_say 'missing on this machine:'
    printf '  %-20s %s\n' "$package" "$why" >&2
    missing+=("$package")
  done <<<"${rung_package_table:1}"
  [ ${#missing[@]} -gt 0 ] || return 0

  local install="apt-get install ${missing[*]}"
  if [ -n "${RUNG_NO_INSTALL:-}" ] && [ "$RUNG_NO_INSTALL" != 0 ]; then
    rung_die "RUNG_NO_INSTALL is set, so nothing was installed. To go on: $install"
  fi
  command -v apt-get >/dev/null ||
    rung_die 'there is no apt-get here, so this script cannot install them. Install what these packages of Debian contain, then start again'
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      rung_die "installing needs root, and there is no sudo here. As root: $install"
    as_root=(sudo)
    rung_say 'installing with sudo; it may ask for your password'
  fi
  # Recommended extras are left out: they triple the download.
  rung_step 'fetching the package lists' "$rung_logs/apt-update.log" "${as_root[@]}" apt-get update -q
  rung_step "installing: ${missing[*]}" "$rung_logs/apt-install.log" \
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
  rung_installed=1
}

# The value of one entry of the CMake cache; empty when there is none.
rung_cached() {
  [ -e "$rung_build_dir/CMakeCache.txt" ] || return 0
  sed -n "s/^$1:[A-Z]*=//p" "$rung_build_dir/CMakeCache.txt"
}

# The build folder, made. A source tree that cannot be written to is no reason to stop: the build can be elsewhere.
rung_make_build_dir() {
  local why
  why=$(mkdir -p -- "$rung_logs" 2>&1 && touch -- "$rung_logs/.writable" 2>&1) && return 0
  rung_die "cannot write to the build folder $rung_build_dir (${why##*: }). Set RUNG_BUILD_DIR to a folder that you may write to, for example: RUNG_BUILD_DIR=~/rung-build $0"
}

rung_configure() {
  rung_make_build_dir
  # Two runs at once would spoil each other's build; the second waits. Released when the script ends.
  if command -v flock >/dev/null && exec 9>"$rung_build_dir/.setup.lock" && ! flock -n 9; then
    rung_say "another run.sh or test.sh is building in $rung_build_dir; waiting for it"
    flock 9
  fi

  local home
  home=$(rung_cached CMAKE_HOME_DIRECTORY)
  if [ -n "$home" ] && [ "$home" != "$rung_root" ]; then
    rung_say "the folder moved here from $home; configuring again"
    rm -rf -- "$rung_build_dir/CMakeCache.txt" "$rung_build_dir/CMakeFiles"
  elif [ -e "$rung_build_dir/build.ninja" ] || [ -e "$rung_build_dir/Makefile" ]; then
    # Configured before with the tests: the build system notices changed CMake files. Not newly installed packages,
    # which it had looked for before.
    if [ "$(rung_cached RUNG_TESTS)" = ON ] && [ -z "${rung_installed:-}" ]; then
      rung_reconfigure
      return 0
    fi
  fi

  local options=(-DCMAKE_BUILD_TYPE=Release -DRUNG_TESTS=ON)
  if [ ! -e "$rung_build_dir/CMakeCache.txt" ] && command -v ninja >/dev/null; then
    options+=(-G Ninja)
  fi
  command -v ccache >/dev/null && options+=("$rung_launcher")
  rung_step "configuring in $rung_build_dir" "$rung_logs/configure.log" \
    cmake -S "$rung_root" -B "$rung_build_dir" "${options[@]}"
}

# Configures again where a CMake file changed: the list of tests and of what they need is to be the current one.
rung_reconfigure() {
  local target=build.ninja
  [ -e "$rung_build_dir/build.ninja" ] || target=cmake_check_build_system
  cmake --build "$rung_build_dir" --target "$target" >"$rung_logs/configure.log" 2>&1 9>&- && return 0
  cat -- "$rung_logs/configure.log" >&2
  rung_die "configuring failed. The reason stands above, and in $rung_logs/configure.log"
}

rung_build() {
  local what=$1 status=0
  shift
  [ $# -gt 0 ] || set -- all exercise_answers libraries_alone
  rung_make_build_dir
  python3 -B "$rung_root/cmake/build_progress.py" "$rung_build_dir" "$rung_logs/build.log" "$what" "$@" 9>&- || status=$?
  if [ "$status" -ne 0 ]; then
    rung_die "building failed (exit status $status). The reason stands above, and in $rung_logs/build.log"
  fi
}

# rung_targets [CTEST ARGS]: the targets that the chosen tests need, one per line.
rung_targets() { python3 -B "$rung_root/cmake/select_targets.py" "$rung_build_dir" "$@"; }
