// Your rung of `quantile`: the value below which a share p of all values lies. README.md describes it. Test
// it with ./test.sh -R '^metrics.mine$'.
//
//   1. Return the value of the nearest rank: the smallest value such that at least ceil(p n) of all n values
//      are equal or smaller.
//   2. p = 0 is the smallest value, and p = 1 the largest one. Without values, return 0.
//   3. A relative error of config.relative_error is allowed, so you may count instead of keeping values.

#include "core/error.hpp"
#include "metrics.hpp"

namespace rung::metrics {

std::unique_ptr<Quantile> make_mine([[maybe_unused]] const QuantileConfig& config) {
  throw NotStarted("quantile rung 'mine' is not started: write 06_benchmarks/metrics/mine.cpp");
}

}  // namespace rung::metrics
