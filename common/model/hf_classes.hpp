#pragma once
// What transformers' configuration class of each family reads from config.json, and what it takes where a key
// is absent. A key that the class does not have changes nothing, whatever stands there: files often carry
// keys of the family that they were copied from.
//
// Source: transformers 5.24, models/*/configuration_*.py, and modeling_*.py where it asks for more.

#include <cstdint>
#include <string_view>

namespace rung {

/// 0: kv_heads as many as heads; head_dim hidden_size / heads.
struct HfDefaults {
  int vocab_size, hidden_size, intermediate_size, layers, heads, kv_heads, head_dim, context;
  double norm_eps, rope_theta;
};

struct HfClass {
  std::string_view model_type;
  HfDefaults defaults;

  /// Which layers see a sliding window only.
  enum class Window : std::uint8_t {
    none,         // the class has none
    every_layer,  // all, where there is a window
    layer_types,  // those that layer_types names, or all but every n-th
    qwen,         // those that layer_types names, or from max_window_layers on; if use_sliding_window
    smollm3,      // those that layer_types names, or those without RoPE; if use_sliding_window
  };
  Window window = Window::none;
  int sliding_window = 0;  // default; 0: none

  bool attention_bias = false;  // reads it
  bool mlp_bias = false;        // reads it
  bool use_qkv_bias = false;    // reads it
  bool fixed_head_dim = false;  // does not read head_dim
  double partial_rotary = 0;    // default of partial_rotary_factor; 0: does not read it

  /// Keys that ask for something that this engine does not have, where they are true.
  std::string_view refused[3] = {};
};

/// REQUIRES: `model_type` is that of a family (families.hpp).
const HfClass& hf_class(std::string_view model_type);

}  // namespace rung
