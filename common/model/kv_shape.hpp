#pragma once
// The properties of a model on which the size of its KV cache depends, for models of any architecture.
//
// load_model() rejects models that the engine cannot run. This reader needs much less: only the fields of the
// formula, by any name that a family uses for them. It can therefore describe models that the engine does not
// support. It does not open the weights.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

/// The memory of one layer for one token. A layer keeps keys and values of `kv_heads` heads. With multi-head
/// latent attention (DeepSeek-V2), it keeps one latent vector, from which the keys and values of all heads
/// are computed, and one rotated key.
struct KvLayer {
  int kv_heads = 0;    // 0 with latent == 0: the layer keeps nothing per token, because it has no attention
  int key_dim = 0;     // numbers in a key of one head
  int value_dim = 0;   // numbers in a value of one head
  int latent = 0;      // kv_lora_rank; 0: plain keys and values
  int rotary_key = 0;  // qk_rope_head_dim, kept in addition to the latent
  int window = 0;      // only the last `window` tokens are ever read again; 0: all tokens

  /// Returns the number of values per token.
  std::int64_t elements() const {
    return latent > 0 ? std::int64_t{latent} + rotary_key
                      : std::int64_t{kv_heads} * (std::int64_t{key_dim} + value_dim);
  }
  friend bool operator==(const KvLayer&, const KvLayer&) = default;
};

struct KvShape {
  std::string name;
  std::string architecture;        // "deepseek_v3"
  std::vector<KvLayer> layers;     // in order
  int heads = 0;                   // query heads; 0: not known
  int context_length = 0;          // trained length; 0: not known
  std::uint64_t weight_bytes = 0;  // of all tensors; 0: not known

  // Which weights a step reads. Known for named shapes only (named_kv_shape()).
  std::uint64_t output_weights = 0;  // of the output matrix: the vocabulary times the width
  bool tied_embeddings = false;      // the output matrix is also the input embedding
  double expert_weights = 0;         // of all experts of all layers; 0: no mixture of experts
  double expert_share = 0;           // chosen experts / experts

  /// Returns the number of values that one more token adds, in all layers.
  std::int64_t elements_per_token() const;
  /// Returns whether all layers keep the same.
  bool uniform() const;
  /// Returns "MHA", "GQA", "MQA", "MLA" or "mixed", for the layers that keep anything.
  std::string_view kind() const;
  /// Throws Error, which names the first impossible number.
  void validate() const;
};

/// Reads a GGUF file, a Hugging Face folder, or a config.json alone (weight_bytes is then 0). Throws Error,
/// which names the missing field.
KvShape read_kv_shape(const std::string& path);

/// Reads the shape from the text of a config.json. `what` is its name in error messages.
KvShape kv_shape_from_config(std::string_view text, const std::string& what);

/// The bytes of each weight of a named shape: 16 bits, also in the norms.
inline constexpr double kNamedShapeBytesPerWeight = 2;

/// Returns a shape as published in a paper or a model card, or one that `rung synth` writes, by its name.
/// Plans with these shapes need no download. Throws UsageError, which lists the known names, for an unknown
/// name.
KvShape named_kv_shape(std::string_view name);

}  // namespace rung
