// The table of model families.

#include "model/families.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "core/error.hpp"

namespace rung {
namespace {

using enum Role;

constexpr Roles kQkv = Roles::of({q, k, v});
constexpr Roles kNorms = Roles::of({attn_norm, ffn_norm});
constexpr Roles kPostNorms = Roles::of({attn_post_norm, ffn_post_norm});
constexpr Roles kQkNorms = Roles::of({q_norm, k_norm});
constexpr Roles kProducts = kQkv | Roles::of({attn_out, gate, up, down});
constexpr Roles kLlama = kNorms | kProducts;
// The products of the experts are no roles of a layer: there are `experts` of each (weights.hpp).
constexpr Roles kMixture = kLlama.without(Roles::of({gate, up, down})) | Roles::of({router});

constexpr RopePairs kPermuted = RopePairs::interleaved;
constexpr RopePairs kHalf = RopePairs::half;

constexpr std::array kFamilies = std::to_array<Family>({
    {.gguf_name = "llama",
     .hf_name = "llama",
     .gguf_rope_pairs = kPermuted,
     .weights = kLlama,
     .optional_biases = kProducts},
    {.gguf_name = "llama", .hf_name = "mistral", .gguf_rope_pairs = kPermuted, .weights = kLlama},
    {.gguf_name = "llama", .hf_name = "mixtral", .gguf_rope_pairs = kPermuted, .weights = kMixture},
    {.gguf_name = "smollm3",
     .hf_name = "smollm3",
     .gguf_rope_pairs = kPermuted,
     .weights = kLlama,
     .optional_biases = kProducts},
    {.gguf_name = "granite",
     .hf_name = "granite",
     .gguf_rope_pairs = kPermuted,
     .weights = kLlama,
     .optional_biases = kProducts},
    {.gguf_name = "qwen2", .hf_name = "qwen2", .gguf_rope_pairs = kHalf, .weights = kLlama, .biases = kQkv},
    {.gguf_name = "qwen3",
     .hf_name = "qwen3",
     .gguf_rope_pairs = kHalf,
     .weights = kLlama | kQkNorms,
     .optional_biases = kQkv | Roles::of({attn_out})},
    {.gguf_name = "phi3",
     .hf_name = "phi3",
     .gguf_rope_pairs = kHalf,
     .weights = kLlama,
     .fused_qkv = true,
     .fused_gate_up = true},
    {.gguf_name = "gemma",
     .hf_name = "gemma",
     .gguf_rope_pairs = kHalf,
     .weights = kLlama,
     .activation = Activation::gelu_tanh,
     .hf_norm_offset = 1},
    {.gguf_name = "gemma2",
     .hf_name = "gemma2",
     .gguf_rope_pairs = kHalf,
     .hf_names = HfNames::sandwich,
     .weights = kLlama | kPostNorms,
     .activation = Activation::gelu_tanh,
     .window_period = 2,
     .hf_norm_offset = 1},
    {.gguf_name = "gemma3",
     .hf_name = "gemma3_text",
     .gguf_rope_pairs = kHalf,
     .hf_names = HfNames::sandwich,
     .weights = kLlama | kPostNorms | kQkNorms,
     .activation = Activation::gelu_tanh,
     .window_period = 6,
     .hf_norm_offset = 1},
    {.gguf_name = "gemma3",
     .hf_name = "gemma3",  // with a vision tower, of which only the language model is used
     .gguf_rope_pairs = kHalf,
     .hf_names = HfNames::sandwich,
     .weights = kLlama | kPostNorms | kQkNorms,
     .activation = Activation::gelu_tanh,
     .window_period = 6,
     .hf_norm_offset = 1,
     .hf_ignored = "vision_tower.|multi_modal_projector."},
    {.gguf_name = "olmo2",
     .hf_name = "olmo2",
     .gguf_rope_pairs = kHalf,
     .hf_names = HfNames::sandwich,
     .weights = kProducts | kPostNorms | kQkNorms,
     .optional_biases = kProducts,
     .whole_qk_norm = true},
    {.gguf_name = "stablelm",
     .hf_name = "stablelm",
     .gguf_rope_pairs = kHalf,
     .weights = kLlama,
     .biases = kNorms,
     .optional_biases = kQkv,
     .norm = NormKind::layer,
     .output_norm_bias = true},
    {.gguf_name = "gpt2",
     .hf_name = "gpt2",
     .gguf_rope_pairs = kHalf,
     .hf_names = HfNames::gpt2,
     .weights = kLlama.without(Roles::of({gate})),
     .biases = kLlama.without(Roles::of({gate})),
     .norm = NormKind::layer,
     .activation = Activation::gelu_tanh,
     .output_norm_bias = true,
     .fused_qkv = true,
     .hf_transposed = true},
});

const Family& find_family(const std::string& path, std::string_view name, std::string_view Family::*which) {
  std::vector<std::string_view> known;
  for (const Family& family : kFamilies) {
    if (family.*which == name) return family;
    if (std::find(known.begin(), known.end(), family.*which) == known.end()) known.push_back(family.*which);
  }
  std::string list;
  for (const std::string_view one : known) list += fmt::format("{}{}", list.empty() ? "" : ", ", one);
  fail("{}: the model architecture '{}' is not supported; supported: {}", path, name, list);
}

}  // namespace

std::span<const Family> families() { return kFamilies; }

const Family& family_of_gguf(const std::string& path, std::string_view name, bool mixture) {
  const Family& dense = find_family(path, name, &Family::gguf_name);
  if (!mixture) return dense;
  for (const Family& family : kFamilies) {
    if (family.gguf_name == name && family.weights.has(router)) return family;
  }
  fail("{}: a mixture of experts is not supported in the architecture '{}'; it is in llama (Mixtral)", path,
       name);
}
const Family& family_of_hf(const std::string& path, std::string_view name) {
  return find_family(path, name, &Family::hf_name);
}

}  // namespace rung
