// Your rung: the value below which a share of all values lies. The lesson beside this file says which test
// judges it.
//
// The idea:
//   1. nearest rank: the smallest value with at least ceil(p n) of all n values at or below it
//   2. p = 0 is the least one, p = 1 the largest one; without values the answer is 0
//   3. an error of config.relative_error is allowed, so you may count instead of keeping values

#include "core/error.hpp"
#include "metrics.hpp"

namespace rung::metrics {

std::unique_ptr<Quantile> make_mine([[maybe_unused]] const QuantileConfig& config) {
  throw NotStarted("quantile rung 'mine' is not started: write 06_benchmarks/metrics/mine.cpp");
}

}  // namespace rung::metrics
