#pragma once
// For each family, what transformers' configuration class reads from config.json, and its defaults for
// missing keys. A key that the class does not have is ignored, whatever its value is, because files often
// contain keys of the family from which they were copied.
//
// Source: transformers 5.24, models/*/configuration_*.py, and modeling_*.py where the former is not enough.

#include <cstdint>
#include <string_view>

namespace rung {

/// Default values. 0 means: kv_heads equals heads, and head_dim equals hidden_size / heads.
struct HfDefaults {
  int vocab_size, hidden_size, intermediate_size, layers, heads, kv_heads, head_dim, context;
  double norm_eps, rope_theta;
};

struct HfClass {
  std::string_view model_type;
  HfDefaults defaults;

  /// Which layers have a sliding window.
  enum class Window : std::uint8_t {
    none,         // no layer
    every_layer,  // all layers, if a window is given
    layer_types,  // the layers that layer_types names, or all except every n-th
    qwen,     // if use_sliding_window: the layers that layer_types names, or those from max_window_layers on
    smollm3,  // if use_sliding_window: the layers that layer_types names, or those without RoPE
  };
  Window window = Window::none;
  int sliding_window = 0;  // default; 0: none

  bool attention_bias = false;  // whether the class reads this key
  bool mlp_bias = false;        // whether the class reads this key
  bool use_qkv_bias = false;    // whether the class reads this key
  bool fixed_head_dim = false;  // whether head_dim is ignored
  double partial_rotary = 0;    // default of partial_rotary_factor; 0: the key is ignored

  /// Keys that are rejected if they are true, because the engine does not have their feature.
  std::string_view refused[3] = {};
};

/// REQUIRES: `model_type` is that of a family (families.hpp).
const HfClass& hf_class(std::string_view model_type);

}  // namespace rung
