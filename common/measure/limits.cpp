#include "measure/limits.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "seams/bandwidth.hpp"
#include "seams/linear.hpp"

namespace rung {
namespace {

struct LimitWords {
  std::string_view name;  // in JSON
  const char* word;
  const char* unit;  // of 1e9 per second
  double MachineLimits::*value;
};
constexpr LimitWords kLimitWords[] = {
    {"read_bandwidth", "read", "GB/s", &MachineLimits::read_bytes_per_s},
    {"fma_rate", "FMA", "GFLOP/s", &MachineLimits::fma_flops_per_s},
    {"int8_rate", "int8", "GOP/s", &MachineLimits::int8_ops_per_s},
    {"bf16_rate", "bf16", "GFLOP/s", &MachineLimits::bf16_flops_per_s},
    {"int8_tile_rate", "int8 tiles", "GOP/s", &MachineLimits::int8_tile_ops_per_s},
    {"bf16_tile_rate", "bf16 tiles", "GFLOP/s", &MachineLimits::bf16_tile_flops_per_s}};

/// REQUIRES: the limit has one of the names above.
const LimitWords& words_of(const Rate& limit) {
  return *std::ranges::find(kLimitWords, std::string_view(limit.name), &LimitWords::name);
}

}  // namespace

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
  const bool bytes = arithmetic == Arithmetic::int8 || arithmetic == Arithmetic::int8_tiles;
  const bool brains = arithmetic == Arithmetic::bf16 || arithmetic == Arithmetic::bf16_tiles;
  if (arithmetic == Arithmetic::int8_tiles && limits.int8_tile_ops_per_s > 0)
    return {limits.int8_tile_ops_per_s, "int8_tile_rate"};
  if (bytes) return {limits.int8_ops_per_s, "int8_rate"};
  if (arithmetic == Arithmetic::bf16_tiles && limits.bf16_tile_flops_per_s > 0)
    return {limits.bf16_tile_flops_per_s, "bf16_tile_rate"};
  if (brains && limits.bf16_flops_per_s > 0) return {limits.bf16_flops_per_s, "bf16_rate"};
  return {limits.fma_flops_per_s, "fma_rate"};
}

NearestLimit nearest_limit(const LimitedWork& work, std::span<const MachineLimits> limits,
                           std::span<const double> seconds) {
  const auto memory_s = [&](const MachineLimits& l) { return work.bytes / l.read_bytes_per_s; };
  const auto compute_s = [&](const MachineLimits& l) {
    return work.flops / rate_of(l, work.arithmetic).per_s + work.float32_flops / l.fma_flops_per_s;
  };
  const MachineLimits machine = median(limits);
  const bool memory = memory_s(machine) > compute_s(machine);
  std::vector<double> shares;
  for (std::size_t i = 0; i < seconds.size(); ++i)
    shares.push_back((memory ? memory_s(limits[i]) : compute_s(limits[i])) / seconds[i]);
  std::sort(shares.begin(), shares.end());
  const Rate limit =
      memory ? Rate{machine.read_bytes_per_s, "read_bandwidth"} : rate_of(machine, work.arithmetic);
  return {limit, shares[shares.size() / 2]};
}

std::map<std::string, double> rates_of(const MachineLimits& limits) {
  std::map<std::string, double> rates;
  for (const LimitWords& words : kLimitWords) {
    if (limits.*words.value > 0) rates[std::string(words.name)] = limits.*words.value;
  }
  return rates;
}

MachineLimits limits_from(const std::map<std::string, double>& rates) {
  MachineLimits limits;
  for (const LimitWords& words : kLimitWords) {
    const auto rate = rates.find(std::string(words.name));
    if (rate != rates.end()) limits.*words.value = rate->second;
  }
  return limits;
}

std::string describe(const Rate& limit) {
  const LimitWords& words = words_of(limit);
  return fmt::format("{:.1f} {} {}", limit.per_s * 1e-9, words.unit, words.word);
}

std::string describe(const NearestLimit& nearest) {
  return fmt::format("{:.0f} % of {}", 100 * nearest.share, words_of(nearest.limit).word);
}

std::string describe(const MachineLimits& limits) {
  std::string text = fmt::format("{:.1f} GB/s read, {:.0f} GFLOP/s float32 FMA, {:.0f} GOP/s int8",
                                 limits.read_bytes_per_s * 1e-9, limits.fma_flops_per_s * 1e-9,
                                 limits.int8_ops_per_s * 1e-9);
  if (limits.int8_tile_ops_per_s > 0)
    text += fmt::format(", {:.0f} GOP/s int8 tiles", limits.int8_tile_ops_per_s * 1e-9);
  return text;
}

}  // namespace rung
