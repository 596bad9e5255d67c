#pragma once
// What a Linear (linear.hpp) is built from: its weight, its part in the model, and where it works.

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

/// Which part of a model's matrix a Linear holds, for tensor parallelism (Megatron-LM: Shoeybi et al. 2019,
/// arXiv 1909.08053). A column-split part feeds a row-split one, and one all-reduce serves both.
enum class LinearRole {
  whole,
  column_split,  // some rows of W: this rank computes some columns of y and needs all of x. No communication
  row_split,  // some columns of W: this rank has some columns of x, and its y is a partial sum. A decorator
              // adds up (all-reduces) the y of all ranks, before the bias
};

struct LinearConfig {
  Tensor weight;  // [out, in]; not owned, outlives the Linear
  int threads = 1;
  int max_tokens = 1;  // most rows apply() will see: scratch memory is taken once for it
  PackedStore* store =
      nullptr;  // keeps copies in another layout (packed_store.hpp); not owned, outlives this
  LinearRole role = LinearRole::whole;  // what the weight is a part of
  Workplace place = {};                 // without a Scratch: the rung takes memory of its own

  std::string describe() const {
    constexpr std::string_view kParts[] = {"", "a column-split part of ", "a row-split part of "};
    return fmt::format("{}a linear layer [{} -> {}] in {}", kParts[static_cast<int>(role)], weight.cols,
                       weight.rows, traits(weight.dtype).name);
  }
  /// Throws Error when no rung could work so.
  void check() const {
    if (threads < 1) fail("{} is to run on {} threads; it needs at least 1", describe(), threads);
    if (max_tokens < 0)
      fail("{} is to see {} tokens at most; the number must not be negative", describe(), max_tokens);
    const int block = traits(weight.dtype).block_elements;
    if (role == LinearRole::row_split && weight.cols % block != 0) {
      fail("{} has {} columns, which are no whole number of blocks of {}; split it where a block ends",
           describe(), weight.cols, block);
    }
  }
};

/// Where in a model a Linear is: what a decorator decides by.
struct LinearSite {
  Tensor weight;  // the model's own tensor, which its address identifies
  LinearRole role = LinearRole::whole;
  Workplace place = {};  // a decorator that needs memory in a call asks for it here, when it is built
};

/// Wraps the Linear of a weight when a model is built, or returns it as it is: to record x, to add a LoRA.
/// The order of what a product is wrapped in is: product, all-reduce (of a row-split part), bias, then this.
/// A wrapper that sees x or changes y has only apply(): its piece_rows() stays 0, and no loop over pieces
/// passes it by.
using LinearDecorator = std::function<std::unique_ptr<Linear>(std::unique_ptr<Linear>, const LinearSite&)>;

}  // namespace rung
