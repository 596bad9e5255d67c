// Registers the rungs, and wraps a function in a Bandwidth.

#include "core/simd.hpp"
#include "memory_bandwidth.hpp"

namespace rung::memory_bandwidth {
namespace {

constexpr const char* kFolder = "01_challenges/memory_bandwidth/";

class FunctionBandwidth final : public Bandwidth {
 public:
  using Function = float (*)(std::span<const float>, int);

  FunctionBandwidth(Function function, int threads) : function_(function), threads_(threads) {
    if (threads < 1) fail("reading with {} threads cannot be; at least one is needed", threads);
    simd_level();
  }

  float sum(std::span<const float> data) const override { return function_(data, threads_); }

 private:
  Function function_;
  int threads_;
};

}  // namespace

void register_rungs(Registry& registry) {
  Ladder<Bandwidth>& ladder = registry.ladder<Bandwidth>();
  const auto add = [&](const char* name, const char* summary, FunctionBandwidth::Function function,
                       bool exercise = false) {
    ladder.add({{name, fmt::format("{}{}.cpp", kFolder, name), summary, exercise},
                [function](const BandwidthConfig& config) {
                  return std::make_unique<FunctionBandwidth>(function, config.threads);
                },
                {}});
  };
  add("naive", "one sum: each addition waits for the one before it", naive);
  add("chains", "eight sums that do not wait for each other", chains);
  add("simd", "eight sums of whole vectors", simd);
  add("threads", "each thread reads its own pieces", threads);
  add("prefetch", "prefetches each line one page before it is read", prefetch);
  add("streams", "reads each piece at eight places at once", streams);
  add("mine", "yours to write", mine, /*exercise=*/true);
  ladder.make_trials = [&ladder] { return trials(ladder); };
  ladder.make_steps = steps;
}

}  // namespace rung::memory_bandwidth
