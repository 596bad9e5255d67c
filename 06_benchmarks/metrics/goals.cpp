// What makes a correct quantile a good one: how little it keeps of many values.

#include <cmath>

#include "core/rng.hpp"
#include "metrics.hpp"

namespace rung::metrics {

std::vector<Goal> goals(const Ladder<Quantile>& ladder) {
  const auto count = [&ladder](const std::string& rung) {
    constexpr int kValues = 200'000;
    const auto quantile = ladder.make(rung, {});
    Rng rng(20260615);
    for (int i = 0; i < kValues; ++i) quantile->add(0.05 * std::exp(1.2 * rng.normal()));
    static_cast<void>(quantile->value(0.99));  // where the last values may be sorted in
    return static_cast<double>(quantile->bytes());
  };
  return {{"memory for 200,000 latencies, as its bytes() says", "bytes", "log_histogram", 3, count}};
}

}  // namespace rung::metrics
