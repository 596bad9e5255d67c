#pragma once
// The families of models that can be loaded, one row each. A new family is a new row; where its
// mathematics differs, a new field of ModelConfig (read in config_gguf.cpp and config_hf.cpp).

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

/// How Hugging Face checkpoints name the tensors of a family; a column of the tables in weights.cpp.
enum class HfNames : std::uint8_t {
  llama,     // post_attention_layernorm stands before the feed-forward block
  sandwich,  // post_attention_layernorm stands behind attention (Gemma 2 and 3, OLMo 2)
  gpt2,      // h.0.attn.c_attn ...
};

struct Family {
  std::string_view gguf_name;  // general.architecture, and the prefix of its metadata keys
  std::string_view hf_name;    // model_type of config.json
  // GGUF's converter permutes the rows of Q and K for some families. Hugging Face keeps `half` for all of
  // these.
  RopePairs gguf_rope_pairs = RopePairs::half;
  HfNames hf_names = HfNames::llama;
  Roles weights{};          // what a layer has
  Roles biases{};           // which of them have a bias
  Roles optional_biases{};  // and which may have one
  NormKind norm = NormKind::rms;
  Activation activation = Activation::silu;  // where config.json does not say
  bool output_norm_bias = false;
  bool fused_qkv = false;      // Q, K and V are one tensor
  bool fused_gate_up = false;  // so are gate and up
  bool hf_transposed = false;  // Hugging Face stores matrices as [in, out]
  bool whole_qk_norm = false;  // Q and K are normalised over all heads together
  // Where a file does not say which layers see a window only: of so many the last one sees everything; 0: all
  // see it.
  int window_period = 0;
  float hf_norm_offset = 0;  // added to the norms' weights of Hugging Face; GGUF's converter has done so
  std::string_view
      hf_ignored{};  // tensors with such a part in their name belong to another model in the same folder
};

std::span<const Family> families();

/// The row with that name; throws Error naming `path`, the name and the known ones. GGUF calls Llama and
/// Mixtral by one name: `mixture` says whether its metadata names experts.
const Family& family_of_gguf(const std::string& path, std::string_view name, bool mixture);
const Family& family_of_hf(const std::string& path, std::string_view name);

class Gguf;
/// Reads and validates the configuration of a GGUF file.
ModelConfig config_from_gguf(const Gguf& gguf);
/// Reads and validates config.json of a Hugging Face folder. `has_output` says whether the folder has an
/// output matrix of its own: where config.json does not say, that decides whether the embeddings are tied.
ModelConfig config_from_hf(const std::string& folder, bool has_output);

}  // namespace rung
