#!/usr/bin/env bash
# Installs what is missing, builds everything and runs the test suite. Its last lines are CTest's summary.
#
#   ./test.sh                      the whole suite
#   ./test.sh -L '^chapter03$'     the tests and exercises of chapter 3 (labels are regular expressions)
#   ./test.sh -R attention -V      tests whose name contains "attention", with all their output
set -euo pipefail
source "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/cmake/setup.sh"

rung_packages build test
rung_configure
rung_build

# Two tests at a time share the processors: waiting threads must sleep, not spin.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
exec ctest --test-dir "$rung_build_dir" --output-on-failure --no-tests=error -j2 "$@" 9>&-
