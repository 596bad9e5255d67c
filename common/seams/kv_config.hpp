#pragma once
// The configuration of a KvCache (kv_cache.hpp): the shape of the model's keys and values, and the size of
// the cache.

#include <cstddef>
#include <cstdint>
#include <string>

#include <fmt/core.h>

#include "core/dtype.hpp"
#include "seams/device.hpp"

namespace rung {

struct KvConfig {
  int layers = 0;
  int kv_heads = 0;
  int head_dim = 0;
  int max_sequences = 1;
  int max_context = 0;  // tokens per sequence
  DType dtype = DType::f32;
  Device* device = nullptr;  // not owned; outlives the cache
  DeviceStream stream = 0;   // the stream of the device to which copies of blocks are issued
  int block_size = 16;       // slots per block, for rungs that page: a power of two, 1 .. kMaxBlockSize
  std::size_t budget = 0;    // bytes for keys and values; 0: enough for max_sequences of max_context tokens

  std::string describe() const {
    return fmt::format("a KV cache of {} layers, {} KV heads of {}, {} sequences of {} tokens in {}", layers,
                       kv_heads, head_dim, max_sequences, max_context, traits(dtype).name);
  }
  /// Returns the bytes of one token's keys and values in all layers.
  std::size_t bytes_per_token() const {
    return 2 * static_cast<std::size_t>(layers) * bytes_of(dtype, std::int64_t{kv_heads} * head_dim);
  }
};

inline constexpr int kMaxBlockSize = 256;

}  // namespace rung
