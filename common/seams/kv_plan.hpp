#pragma once
// Seam `kv_plan`: how much memory the KV cache of a set of sequences takes, before anything is allocated.
//
// `rung plan --kv` and whoever decides how many sequences fit ask it. Pure arithmetic: no tensor, no device.
// Thread safety: plan() is const and may be called by many threads.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "core/dtype.hpp"
#include "core/error.hpp"
#include "model/kv_shape.hpp"

namespace rung {

struct KvPlanConfig {
  KvShape shape;
  DType type = DType::f16;  // of the cached numbers
  int reserve = 0;       // > 0: every sequence gets memory for so many tokens, in every layer, at the start
  int block_tokens = 1;  // otherwise memory comes per layer in blocks of so many positions
  std::uint64_t budget = 0;  // bytes for the KV cache; 0: none given

  std::string describe() const {
    const std::string memory = reserve > 0 ? fmt::format("{} tokens reserved per sequence", reserve)
                                           : fmt::format("blocks of {} tokens", block_tokens);
    return fmt::format("{}: {} in {} layers{}, {}, {}", shape.name, shape.kind(), shape.layers.size(),
                       shape.uniform() ? "" : " that differ", traits(type).name, memory);
  }
  /// Throws UsageError for numbers out of range, Error for a shape or a type that cannot be.
  void validate() const;
};

/// All in bytes but the last.
struct KvPlan {
  std::uint64_t per_token = 0;  // that one more token adds, in all layers together, while no window is full
  std::uint64_t used = 0;       // keys and values that the newest token of each sequence reads
  std::uint64_t taken = 0;      // what was handed out to hold them: used + waste
  std::uint64_t batch =
      0;  // sequences like the longest one that fit into the budget together; 0 without budget
  friend bool operator==(const KvPlan&, const KvPlan&) = default;
};

inline constexpr int kMaxPlanTokens = 1 << 28;             // of one sequence
inline constexpr std::size_t kMaxPlanSequences = 1 << 20;  // of one plan

class KvPlanner {
 public:
  static constexpr std::string_view kSeam = "kv_plan";
  using Config = KvPlanConfig;

  virtual ~KvPlanner() = default;

  /// `lengths` [sequences]: the tokens that each one has in the cache, each 0 .. kMaxPlanTokens (and at most
  /// `reserve`, where that is set). Throws UsageError otherwise, and when the bytes pass 2^63.
  virtual KvPlan plan(std::span<const std::int32_t> lengths) const = 0;
};

}  // namespace rung
