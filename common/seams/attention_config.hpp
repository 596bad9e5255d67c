#pragma once
// What an Attention (attention.hpp) is built from: its heads, its mask, the format of the cache, and where it
// works.

#include <string>

#include <fmt/core.h>

#include "core/dtype.hpp"
#include "seams/scratch.hpp"

namespace rung {

struct AttentionConfig {
  int heads = 0;
  int kv_heads = 0;  // divides heads
  int head_dim = 0;
  float scale = 0;    // usually 1 / sqrt(head_dim)
  float softcap = 0;  // scaled scores become softcap * tanh(score / softcap); 0: off (Gemma 2)
  int window = 0;     // a token sees itself and the window - 1 tokens before it; 0: all of its past
  int threads = 1;
  DType kv_dtype = DType::f32;
  int max_context = 0;  // longest context_length that plan() accepts; determines the size of scratch memory
  // Largest number of rows of one step. plan() rejects a step with more rows, and neither plan() nor run()
  // allocates memory. 0: no limit, and plan() allocates memory for each step that is larger than all before.
  int max_tokens = 0;
  Workplace place;  // run() uses its scratch memory

  std::string describe() const {
    std::string text = fmt::format("attention with {} heads, {} KV heads of {}, K and V in {}", heads,
                                   kv_heads, head_dim, traits(kv_dtype).name);
    if (window != 0) text += fmt::format(", a window of {} tokens", window);
    if (softcap != 0) text += fmt::format(", scores capped at {}", softcap);
    return text;
  }
};

}  // namespace rung
