#pragma once
// The families of models that can be loaded, with one row each. A new family needs a new row. If its
// mathematics differs, it also needs a new field of ModelConfig, which config_gguf.cpp and config_hf.cpp
// read.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "model/model_config.hpp"

namespace rung {

/// The weights of a layer, in the order of kLayerRoles (weights.cpp).
enum class Role : std::uint8_t {
  attn_norm,
  q,
  k,
  v,
  q_norm,
  k_norm,
  attn_out,
  attn_post_norm,
  ffn_norm,
  router,
  gate,
  up,
  down,
  ffn_post_norm,
};
inline constexpr int kRoles = 14;

/// A set of roles.
struct Roles {
  std::uint32_t bits = 0;
  constexpr bool has(Role role) const { return (bits >> static_cast<unsigned>(role) & 1u) != 0; }
  constexpr Roles operator|(Roles other) const { return {bits | other.bits}; }
  constexpr Roles without(Roles other) const { return {bits & ~other.bits}; }
  static constexpr Roles of(std::initializer_list<Role> roles) {
    Roles set;
    for (const Role role : roles) set.bits |= 1u << static_cast<unsigned>(role);
    return set;
  }
};

/// The naming of tensors in the Hugging Face checkpoints of a family, which selects a column of the tables in
/// weights.cpp.
enum class HfNames : std::uint8_t {
  llama,     // post_attention_layernorm comes before the feed-forward block
  sandwich,  // post_attention_layernorm comes after attention (Gemma 2 and 3, OLMo 2)
  gpt2,      // h.0.attn.c_attn ...
};

struct Family {
  std::string_view gguf_name;  // general.architecture, and the prefix of its metadata keys
  std::string_view hf_name;    // model_type of config.json
  // GGUF's converter permutes the rows of Q and K for some families. Hugging Face uses `half` for all
  // families in this table.
  RopePairs gguf_rope_pairs = RopePairs::half;
  HfNames hf_names = HfNames::llama;
  Roles weights{};          // the weights of a layer
  Roles biases{};           // which of them have a bias
  Roles optional_biases{};  // which of them can have a bias
  NormKind norm = NormKind::rms;
  Activation activation = Activation::silu;  // used if config.json does not name one
  bool output_norm_bias = false;
  bool fused_qkv = false;      // Q, K and V are one tensor
  bool fused_gate_up = false;  // gate and up are one tensor
  bool hf_transposed = false;  // Hugging Face stores matrices as [in, out]
  bool whole_qk_norm = false;  // Q and K are normalized over all heads together
  // Used if a file does not say which layers have a sliding window: of every window_period layers, the last
  // one sees the whole text. 0: all layers see it.
  int window_period = 0;
  /// Added to the norm weights of Hugging Face files; GGUF's converter has already added it.
  float hf_norm_offset = 0;
  std::string_view hf_ignored{};  // tensors whose names contain one of these parts belong to another model in
                                  // the same folder
};

std::span<const Family> families();

/// Returns the row with this name. Throws Error, which names `path`, the name and the known names, if there
/// is none. GGUF uses the same name for Llama and Mixtral, so `mixture` says whether the metadata mentions
/// experts.
const Family& family_of_gguf(const std::string& path, std::string_view name, bool mixture);
const Family& family_of_hf(const std::string& path, std::string_view name);

class Gguf;
/// Reads and validates the configuration of a GGUF file.
ModelConfig config_from_gguf(const Gguf& gguf);
/// Reads and validates config.json of a Hugging Face folder. `has_output` says whether the folder has a
/// separate output matrix. If config.json does not say whether the embeddings are tied, this decides it.
ModelConfig config_from_hf(const std::string& folder, bool has_output);

}  // namespace rung
