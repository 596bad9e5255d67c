#pragma once
// What the size of a KV cache depends on, read from models of any architecture.
//
// load_model() refuses what the engine cannot run. This reader asks for much less: only the fields that the
// formula needs, under whatever name a family gives them, so that a model can be planned for before anybody
// has a program that runs it. The weights are not opened.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

/// What one layer keeps of one token: `heads` keys and values, or (multi-head latent attention, DeepSeek-V2)
/// one latent vector from which all heads' keys and values are computed, and one rotated key.
struct KvLayer {
  int kv_heads = 0;    // 0 with latent == 0: the layer keeps nothing per token (it has no attention)
  int key_dim = 0;     // numbers of one head's key
  int value_dim = 0;   // and of its value
  int latent = 0;      // kv_lora_rank; 0: plain keys and values
  int rotary_key = 0;  // qk_rope_head_dim, kept beside the latent
  int window = 0;      // only the last `window` tokens can be read again; 0: all of them

  /// Numbers kept per token.
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

  /// Numbers that one more token adds, in all layers.
  std::int64_t elements_per_token() const;
  /// Every layer keeps the same.
  bool uniform() const;
  /// "MHA", "GQA", "MQA", "MLA", or "mixed"; of the layers that keep anything.
  std::string_view kind() const;
  /// Throws Error naming the first number that cannot be.
  void validate() const;
};

/// Reads a GGUF file, a Hugging Face folder, or a config.json alone (then weight_bytes is 0). Throws Error
/// with a sentence that names the missing field.
KvShape read_kv_shape(const std::string& path);

/// The shape in the text of a config.json; `what` names it in sentences.
KvShape kv_shape_from_config(std::string_view text, const std::string& what);

/// Shapes as their papers and model cards publish them, so that nothing has to be fetched to plan for them.
struct PublishedShape {
  std::string_view name;
  int layers, heads, kv_heads, head_dim;
  int latent, rotary_key;     // MLA; then kv_heads and head_dim say nothing about the cache
  int window, window_period;  // every window_period-th layer sees everything; 1: none does
  int context_length;
  double parameters;        // rounded to three digits
  std::string_view source;  // where the numbers stand
};
std::span<const PublishedShape> published_kv_shapes();

/// A published shape, or one that `rung synth` writes, by name; weight_bytes as if every weight had 16 bits.
/// Throws UsageError that lists the known names.
KvShape named_kv_shape(std::string_view name);

}  // namespace rung
