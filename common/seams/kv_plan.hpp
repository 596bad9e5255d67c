#pragma once
// Seam `kv_plan`: how much memory the KV cache of a set of sequences needs, before anything is allocated.
//
// `rung plan --kv` uses it, and code that decides how many sequences fit into memory can use it too. A
// planner only calculates: it uses no tensor and no device.
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
  DType type = DType::f16;   // the format of the cached numbers
  int reserve = 0;           // > 0: each sequence gets memory for this many tokens per layer at its start
  int block_tokens = 1;      // if reserve is 0: each layer gets memory in blocks of this many positions
  std::uint64_t budget = 0;  // bytes for the KV cache; 0: no budget

  std::string describe() const {
    const std::string memory = reserve > 0 ? fmt::format("{} tokens reserved per sequence", reserve)
                                           : fmt::format("blocks of {} tokens", block_tokens);
    return fmt::format("{}: {} in {} layers{}, {}, {}", shape.name, shape.kind(), shape.layers.size(),
                       shape.uniform() ? "" : " that differ", traits(type).name, memory);
  }
  /// Throws UsageError for numbers out of range, and Error for an impossible shape or format.
  void validate() const;
};

/// The memory that a set of sequences needs. `batch` is a number of sequences; everything else is in bytes.
struct KvPlan {
  std::uint64_t per_token = 0;  // bytes that one more token adds in all layers, while no window is full
  std::uint64_t used = 0;       // keys and values that the newest token of each sequence reads
  std::uint64_t taken = 0;      // allocated memory for these keys and values: used + waste
  std::uint64_t batch = 0;      // how many sequences like the longest one fit into the budget; 0: no budget
  friend bool operator==(const KvPlan&, const KvPlan&) = default;
};

inline constexpr int kMaxPlanTokens = 1 << 28;             // of one sequence
inline constexpr std::size_t kMaxPlanSequences = 1 << 20;  // of one plan

class KvPlanner {
 public:
  static constexpr std::string_view kSeam = "kv_plan";
  using Config = KvPlanConfig;

  virtual ~KvPlanner() = default;

  /// Returns the memory for sequences of these lengths. `lengths` [sequences] are the tokens that each
  /// sequence has in the cache. Throws UsageError if a length is not from 0 to kMaxPlanTokens, if it exceeds
  /// a `reserve` above 0, or if the bytes exceed 2^63.
  virtual KvPlan plan(std::span<const std::int32_t> lengths) const = 0;
};

}  // namespace rung
