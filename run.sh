#!/usr/bin/env bash
# Installs what is missing, builds Rung and runs it: the one command for a fresh Debian 12 or Ubuntu 24.04.
#
#   ./run.sh                the demo: the same text with the naive rungs and with the best ones, side by side
#   ./run.sh ARGS...        rung ARGS..., for example ./run.sh generate -p "Once upon a time" -n 100
#   RUNG_NO_INSTALL=1 ./run.sh    installs nothing, only names what is missing
#   RUNG_BUILD_DIR=DIR ./run.sh   builds in DIR instead of build/
set -euo pipefail
source "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/cmake/setup.sh"

rung_packages build
rung_configure
rung_build "the program rung" rung

[ $# -gt 0 ] || set -- demo
exec "$rung_build_dir/bin/rung" "$@" 9>&-
