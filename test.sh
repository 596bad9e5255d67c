#!/usr/bin/env bash
# Installs what is missing, builds, and runs the test suite. Its last lines are CTest's summary.
#
#   ./test.sh                      the whole suite
#   ./test.sh -L '^chapter03$'     the tests and exercises of chapter 3 (labels are regular expressions)
#   ./test.sh -R attention -V      tests whose name contains "attention", with all their output
#   ./test.sh -R '^linear.mine$'   one exercise
#   RUNG_BUILD_DIR=DIR ./test.sh   builds in DIR instead of build/
#
# With arguments, which CTest gets, it builds only what the tests that they choose need.
set -euo pipefail
source "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/cmake/setup.sh"

rung_packages build test
rung_configure
if [ $# -eq 0 ]; then
  rung_build everything
else
  targets=$(rung_targets "$@")
  # shellcheck disable=SC2086  # one word per target
  [ -z "$targets" ] || rung_build "what these tests need" $targets
fi

# Two tests at a time share the processors: waiting threads must sleep, not spin.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
exec ctest --test-dir "$rung_build_dir" --output-on-failure --no-tests=error -j2 "$@" 9>&-
