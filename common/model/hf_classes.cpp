#include "model/hf_classes.hpp"

#include <algorithm>
#include <array>

#include "core/error.hpp"

namespace rung {
namespace {

using enum HfClass::Window;

constexpr std::string_view kBidirectional = "use_bidirectional_attention";

// clang-format off
constexpr std::array kClasses = std::to_array<HfClass>({
    //              vocabulary  hidden    FFN  layers heads KV dim context    eps  theta
    {.model_type = "llama",            .defaults = {32000,  4096, 11008,    32,  32,  0,   0,   2048, 1e-6,   1e4},
     .attention_bias = true, .mlp_bias = true},
    {.model_type = "mistral",          .defaults = {32000,  4096, 14336,    32,  32,  8,   0, 131072, 1e-6,   1e4},
     .window = every_layer, .sliding_window = 4096},
    {.model_type = "mixtral",          .defaults = {32000,  4096, 14336,    32,  32,  8,   0, 131072, 1e-5,   1e6},
     .window = every_layer},
    {.model_type = "smollm3",         .defaults = {128256,  2048, 11008,    36,  16,  4,   0,  32768, 1e-6,   2e6},
     .window = smollm3, .attention_bias = true, .mlp_bias = true},
    {.model_type = "granite",          .defaults = {32000,  4096, 11008,    32,  32,  0,   0,   2048, 1e-6,   1e4},
     .attention_bias = true, .mlp_bias = true},
    {.model_type = "qwen2",           .defaults = {151936,  4096, 22016,    32,  32, 32,   0,  32768, 1e-6,   1e4},
     .window = qwen, .sliding_window = 4096},
    {.model_type = "qwen3",           .defaults = {151936,  4096, 22016,    32,  32, 32, 128,  32768, 1e-6,   1e4},
     .window = qwen, .sliding_window = 4096, .attention_bias = true},
    {.model_type = "phi3",             .defaults = {32064,  3072,  8192,    32,  32,  0,   0,   4096, 1e-5,   1e4},
     .window = every_layer, .partial_rotary = 1},
    {.model_type = "gemma",           .defaults = {256000,  3072, 24576,    28,  16, 16, 256,   8192, 1e-6,   1e4},
     .attention_bias = true, .refused = {kBidirectional}},
    {.model_type = "gemma2",          .defaults = {256000,  2304,  9216,    26,   8,  4, 256,   8192, 1e-6,   1e4},
     .window = layer_types, .sliding_window = 4096, .attention_bias = true, .refused = {kBidirectional}},
    {.model_type = "gemma3_text",     .defaults = {262208,  2304,  9216,    26,   8,  4, 256, 131072, 1e-6,   1e6},
     .window = layer_types, .sliding_window = 4096, .attention_bias = true, .refused = {kBidirectional}},
    {.model_type = "olmo2",            .defaults = {50304,  4096, 11008,    32,  32,  0,   0,   2048, 1e-5,   1e4},
     .attention_bias = true},
    {.model_type = "stablelm",         .defaults = {50304,  2560,  6912,    32,  32, 32,   0,   4096, 1e-5,   1e4},
     .use_qkv_bias = true, .fixed_head_dim = true, .partial_rotary = 0.25,
     .refused = {"qk_layernorm", "use_parallel_residual"}},
    {.model_type = "gpt2",             .defaults = {50257,   768,  3072,    12,  12,  0,   0,   1024, 1e-5,   1e4},
     .fixed_head_dim = true, .refused = {"scale_attn_by_inverse_layer_idx", "add_cross_attention"}},
});
// clang-format on

}  // namespace

const HfClass& hf_class(std::string_view model_type) {
  if (model_type == "gemma3") model_type = "gemma3_text";  // the language model inside
  const auto found = std::find_if(kClasses.begin(), kClasses.end(),
                                  [&](const HfClass& c) { return c.model_type == model_type; });
  if (found == kClasses.end()) fail("no configuration class is known for the model type '{}'", model_type);
  return *found;
}

}  // namespace rung
