#pragma once
// What the workloads of this topic share (trials_rows.cpp, trials_products.cpp).

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/rng.hpp"
#include "kernel_fusion.hpp"
#include "ops/cpu_ops.hpp"

namespace rung::kernel_fusion {

constexpr double kUnit = 0x1p-24;  // the largest relative error of one float32 operation

/// A rung made as the engine makes it, with the plain operations that it needs. `ops` has the entries that
/// the rung replaces.
struct Made {
  Made(const Ladder<Fusion>& ladder, const std::string& rung, FusionConfig config)
      : ops(cpu_ops(config.threads)), tile(cpu_ops(1)) {
    config.ops = &ops;
    config.tile = &tile;
    fusion = ladder.make(rung, config);
    fusion->replace(ops);
  }
  Made(const Made&) = delete;  // the rung points into it
  Made& operator=(const Made&) = delete;

  Ops ops, tile;
  std::unique_ptr<Fusion> fusion;
};

inline std::vector<float> random_floats(Rng& rng, std::int64_t n, double deviation = 1) {
  std::vector<float> values(static_cast<std::size_t>(n));
  for (float& v : values) v = static_cast<float>(rng.normal() * deviation);
  return values;
}

/// Timed workloads are for the rungs that differ in them: all others would repeat these numbers.
inline bool one_of(std::string_view rung, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), rung) != names.end();
}

inline Verdict unsupported() {
  Verdict verdict;
  verdict.status = Verdict::Status::unsupported;
  return verdict;
}

void add_norm_trials(const Ladder<Fusion>& ladder, std::vector<Trial>& trials);
void rope_store_trials(const Ladder<Fusion>& ladder, std::vector<Trial>& trials);
void product_trials(const Ladder<Fusion>& ladder, const Ladder<Linear>& linear, std::vector<Trial>& trials);

}  // namespace rung::kernel_fusion
