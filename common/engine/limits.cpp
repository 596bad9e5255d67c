#include "engine/limits.hpp"

#include <algorithm>
#include <memory>
#include <span>

#include "seams/bandwidth.hpp"
#include "seams/linear.hpp"

namespace rung {

ReadLoop read_loop(const Registry& registry, const std::string& bandwidth, int threads) {
  const Rung<Bandwidth>& rung = registry.ladder<Bandwidth>().choose(bandwidth, {threads});
  const std::shared_ptr<const Bandwidth> reader = rung.make({threads});
  return {rung.info.name, [reader](std::span<const float> data) { return reader->sum(data); }};
}

MachineLimits limits_of_machine(const Registry& registry, const std::string& bandwidth, int threads,
                                bool remeasure) {
  return machine_limits(threads, read_loop(registry, bandwidth, threads), remeasure);
}

Arithmetic arithmetic_of(const Registry& registry, const std::string& linear) {
  Arithmetic fastest = Arithmetic::float32;
  for (std::size_t begin = 0; begin <= linear.size();) {
    const std::size_t end = std::min(linear.find('+', begin), linear.size());
    const std::string name = linear.substr(begin, end - begin);
    if (!name.empty()) fastest = std::max(fastest, registry.ladder<Linear>().info(name).arithmetic);
    begin = end + 1;
  }
  return fastest;
}

Rate rate_of(const MachineLimits& limits, Arithmetic arithmetic) {
  if (arithmetic == Arithmetic::int8) return {limits.int8_ops_per_s, "int8_rate"};
  if (arithmetic == Arithmetic::bf16 && limits.bf16_flops_per_s > 0)
    return {limits.bf16_flops_per_s, "bf16_rate"};
  return {limits.fma_flops_per_s, "fma_rate"};
}

}  // namespace rung
