#pragma once
// The configuration of a Linear (linear.hpp): its weight, its role in the model, and where it computes.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "core/error.hpp"
#include "core/tensor.hpp"
#include "seams/scratch.hpp"

namespace rung {

class Linear;
class PackedStore;

/// The part of a model's matrix that a Linear holds, for tensor parallelism (Megatron-LM: Shoeybi et al.
/// 2019, arXiv 1909.08053). The output of a column-split part is the input of a row-split part, so the two
/// need only one all-reduce.
enum class LinearRole {
  whole,
  /// Some rows of W. This rank computes some columns of y and needs all of x. There is no communication.
  column_split,
  /// Some columns of W. This rank has some columns of x, and its y is a partial sum. A decorator adds up
  /// (all-reduces) the y of all ranks before the bias is added.
  row_split,
};

struct LinearConfig {
  Tensor weight;  // [out, in]; not owned, outlives the Linear
  int threads = 1;
  int max_tokens = 1;  // largest number of rows of x in a call; determines the size of the scratch memory
  /// Keeps copies of weights in another layout (packed_store.hpp). May be null; not owned, outlives the
  /// Linear.
  PackedStore* store = nullptr;
  LinearRole role = LinearRole::whole;  // which part of the model's matrix the weight is
  Workplace place = {};                 // without a Scratch, the rung allocates its own memory

  std::string describe() const {
    constexpr std::string_view kParts[] = {"", "a column-split part of ", "a row-split part of "};
    return fmt::format("{}a linear layer [{} -> {}] in {}", kParts[static_cast<int>(role)], weight.cols,
                       weight.rows, traits(weight.dtype).name);
  }
  /// Throws Error if no rung could support this configuration.
  void check() const {
    if (threads < 1) fail("{} has {} threads; it needs at least 1", describe(), threads);
    if (max_tokens < 0)
      fail("{} has a limit of {} rows per call; the limit must not be negative", describe(), max_tokens);
    const int block = traits(weight.dtype).block_elements;
    if (role == LinearRole::row_split && weight.cols % block != 0) {
      fail("{} has {} columns, which is not a multiple of the block size {}; split it where a block ends",
           describe(), weight.cols, block);
    }
  }
};

/// The place of a Linear in a model. A decorator uses it to decide whether it wraps the Linear.
struct LinearSite {
  Tensor weight;  // the model's own tensor; its address identifies it
  LinearRole role = LinearRole::whole;
  Workplace place = {};  // a decorator that needs scratch memory requests it from here when it is built
};

/// Wraps the Linear of a weight when a model is built, for example to record x or to add a LoRA, or returns
/// it unchanged. From the inside to the outside, the wrappers of a product are: the all-reduce (of a
/// row-split part), the bias, and this decorator. A wrapper that reads x or changes y must implement only
/// apply() and leave piece_rows() at 0, so that a loop over pieces cannot bypass it.
using LinearDecorator = std::function<std::unique_ptr<Linear>(std::unique_ptr<Linear>, const LinearSite&)>;

}  // namespace rung
