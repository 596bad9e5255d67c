#pragma once
// Texts longer than the cache: the first few tokens and the latest ones stay, what lies between is given up.
//
// Attention sinks (Xiao et al. 2023, arXiv 2309.17453): a model pours the weight that its heads have no use
// for on the first tokens, so a window that loses them breaks. Positions count within the cache, as there:
// when blocks are given up, the keys behind them are turned back by as many positions, and no position ever
// reaches the length of the cache. (llama.cpp calls this a context shift.)

#include <cstdint>
#include <vector>

#include "engine/transformer.hpp"
#include "seams/kv_cache.hpp"

namespace rung {

class SlidingWindow {
 public:
  /// `sinks` tokens at the beginning stay, rounded up to whole blocks. `context`: tokens that the cache holds
  /// of a sequence. All of them outlive this. REQUIRES: host memory; room for two blocks besides the sinks.
  SlidingWindow(const Transformer& transformer, KvCache& kv, int sinks, int context);

  /// Gives up the oldest blocks behind the sinks until `length` tokens fit, counting as the cache does;
  /// returns how many tokens that were, 0 where they fit. Throws Error where the blocks belong to others as
  /// well.
  int make_room(int seq, int length);

 private:
  /// Turns the keys of positions [from, end) back by `by` positions.
  void turn_back(int seq, int from, int by);

  const Transformer& transformer_;
  KvCache& kv_;
  int block_size_, first_block_, context_;
  std::vector<float> keys_;
};

}  // namespace rung
