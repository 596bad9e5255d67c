#pragma once
// What a model is, as data: everything in which one family of models differs from another and that
// the one forward pass (engine/transformer.cpp) needs to know.
//
// A new family arrives as a row in a table of names (weights.cpp, model_config.cpp) and, where its
// mathematics differs, as a field here; never as a second forward pass.

#include <cstdint>
#include <string>

namespace rung {

/// Which elements of a head are rotated together. GGUF stores Llama's Q and K rows permuted for
/// `interleaved`; Hugging Face keeps them for `half`.
enum class RopePairs : std::uint8_t {
  interleaved,  // (0, 1), (2, 3), ...
  half,         // (0, d/2), (1, d/2 + 1), ... with d = rotary_dim
};

struct ModelConfig {
  std::string architecture;  // "llama"
  std::string name;          // as the file calls itself; may be empty
  int vocab_size = 0;
  int dim = 0;  // width of the residual stream
  int layers = 0;
  int heads = 0;
  int kv_heads = 0;  // divides heads
  int head_dim = 0;  // not always dim / heads
  int ffn_dim = 0;
  int context_length = 0;  // trained length
  float norm_eps = 1e-5f;
  float rope_theta = 10000.0f;
  int rotary_dim = 0;  // rotated elements per head; head_dim in full rotation
  RopePairs rope_pairs = RopePairs::interleaved;
  float attention_scale = 0;     // usually 1 / sqrt(head_dim)
  bool tied_embeddings = false;  // the output matrix is the embedding table

  /// Bytes of keys and values per token at `element_bytes` per number: 2 * layers * kv_heads * head_dim *
  /// bytes.
  std::int64_t kv_bytes_per_token(int element_bytes) const {
    return std::int64_t{2} * layers * kv_heads * head_dim * element_bytes;
  }
  /// Throws Error naming the first field that cannot be (zero, negative, absurd, not divisible).
  void validate() const;
};

}  // namespace rung
