#pragma once
// The description of a model: everything that differs between families of models and that the forward pass
// (engine/transformer.cpp) needs to know.
//
// A new family needs a row of families.cpp and, if its mathematics differs, a field here. All families share
// one forward pass.

#include <cstdint>
#include <string>
#include <vector>

namespace rung {

/// Which elements of a head are rotated together. GGUF stores the Q and K rows of Llama permuted for
/// `interleaved`. Hugging Face stores them for `half`.
enum class RopePairs : std::uint8_t {
  interleaved,  // (0, 1), (2, 3), ...
  half,         // (0, d/2), (1, d/2 + 1), ... with d = rotary_dim
};

/// How RoPE's frequencies are stretched beyond the trained length; rope.hpp has the formulas.
enum class RopeScaling : std::uint8_t { none, linear, llama3, yarn, longrope };

/// Rotary position embedding (Su et al. 2021, arXiv 2104.09864) of one kind of layer.
struct RopeConfig {
  float theta = 10000.0f;
  RopeScaling scaling = RopeScaling::none;
  float factor = 1.0f;         // new length / original length
  int original_context = 0;    // the length before scaling; 0: context_length
  float attention_factor = 1;  // multiplies cos and sin (YaRN, LongRoPE)
  float low_freq_factor = 1;   // llama3: wavelengths above original / low are divided by factor ...
  float high_freq_factor = 4;  // ... those below original / high are kept
  float beta_fast = 32;        // yarn: rotations within the original length above which nothing is stretched
  float beta_slow = 1;         // yarn: and below which everything is
  std::vector<float> factors;  // [rotary_dim / 2] frequencies are divided by these; empty: all 1.
                               // longrope: for contexts up to original_context
  std::vector<float> long_factors;  // longrope: for longer contexts
};

enum class NormKind : std::uint8_t {
  rms,    // x / sqrt(mean(x^2) + eps) * weight
  layer,  // (x - mean) / sqrt(variance + eps) * weight + bias
};

enum class Activation : std::uint8_t {
  silu,       // z / (1 + e^-z)
  gelu_tanh,  // GELU by its tanh approximation (Hendrycks, Gimpel 2016, arXiv 1606.08415)
  gelu_erf,   // GELU exactly: z * Phi(z)
};

/// The attention of one layer.
struct LayerAttention {
  enum class Rope : std::uint8_t { global, local, none };
  int window = 0;  // a token sees itself and the window - 1 tokens before it; 0: all of them
  Rope rope = Rope::global;
};

struct Family;  // families.hpp

struct ModelConfig {
  std::string architecture;        // "llama"
  const Family* family = nullptr;  // its row of families.hpp; null for a model that was not read from a file
  std::string name;                // the name in the file; can be empty
  int vocab_size = 0;
  int dim = 0;  // width of the residual stream
  int layers = 0;
  int heads = 0;
  int kv_heads = 0;  // divides heads
  int head_dim = 0;  // not always dim / heads
  int ffn_dim = 0;
  int context_length = 0;  // trained length
  float norm_eps = 1e-5f;
  NormKind norm = NormKind::rms;
  Activation activation = Activation::silu;
  bool gated_ffn = true;  // down(act(gate(x)) * up(x)); otherwise down(act(up(x)))

  // Mixture of experts: every layer has `experts` feed-forward blocks of ffn_dim, and each token uses some of
  // them.
  int experts = 0;                       // 0: one block for all tokens (dense)
  int experts_per_token = 0;             // 1 to experts
  bool normalize_expert_weights = true;  // the weights of a token's experts add up to 1 (Mixtral); otherwise
                                         // they are their shares of the softmax over all experts

  RopeConfig rope;        // for layers with LayerAttention::Rope::global
  RopeConfig rope_local;  // for layers with LayerAttention::Rope::local (Gemma 3's sliding-window layers)
  int rotary_dim = 0;     // rotated elements per head; head_dim in full rotation, 0: no rotation at all
  RopePairs rope_pairs = RopePairs::interleaved;
  bool learned_positions = false;  // a table of position vectors is added to the embeddings (GPT-2)
  std::vector<LayerAttention> layer_attention;  // [layers]
  float attention_scale = 0;                    // usually 1 / sqrt(head_dim)
  float attention_softcap = 0;                  // scores become cap * tanh(score / cap); 0: off (Gemma 2)

  float embedding_scale = 1;     // multiplies the embeddings (Gemma, Granite)
  float residual_scale = 1;      // multiplies what a block adds to the residual stream (Granite)
  float logit_scale = 1;         // multiplies the logits (Granite)
  float logit_softcap = 0;       // logits become cap * tanh(logit / cap); 0: off (Gemma 2)
  bool tied_embeddings = false;  // the output matrix is the embedding table
  // Whether these products have biases according to the file, if the family leaves this open.
  bool attention_bias = false;
  bool ffn_bias = false;

  std::vector<std::string> notes;  // settings of the file that have no effect here, as one sentence each

  /// Returns the bytes of keys and values per token with `element_bytes` per number: 2 * layers * kv_heads *
  /// head_dim * bytes.
  std::int64_t kv_bytes_per_token(int element_bytes) const {
    return std::int64_t{2} * layers * kv_heads * head_dim * element_bytes;
  }
  /// Throws Error, which names the first field with an impossible value (zero, negative, far too large, not
  /// divisible).
  void validate() const;
};

}  // namespace rung
