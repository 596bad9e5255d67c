// ModelConfig from the metadata of a GGUF file.

#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "model/families.hpp"
#include "model/gguf.hpp"

namespace rung {
namespace {

/// The metadata of one architecture: keys without their prefix.
struct Keys {
  const Gguf& gguf;
  std::string prefix;

  std::string name(std::string_view key) const { return fmt::format("{}.{}", prefix, key); }
  bool has(std::string_view key) const { return gguf.has(name(key)); }

  int size(std::string_view key) const {
    const std::uint64_t value = gguf.get_u64(name(key));
    constexpr int kMost = std::numeric_limits<int>::max();
    if (value > static_cast<std::uint64_t>(kMost)) {
      fail("{}: metadata '{}' is {}; at most {} is possible", gguf.path(), name(key), value, kMost);
    }
    return static_cast<int>(value);
  }
  int size(std::string_view key, int otherwise) const { return has(key) ? size(key) : otherwise; }
  float number(std::string_view key, double otherwise) const {
    return static_cast<float>(gguf.get_f64(name(key), otherwise));
  }
};

int vocab_size(const Keys& keys) {
  if (keys.has("vocab_size")) return keys.size("vocab_size");
  const GgufTensor* embedding = keys.gguf.find_tensor("token_embd.weight");
  if (embedding == nullptr) fail("{}: tensor 'token_embd.weight' is missing", keys.gguf.path());
  return static_cast<int>(std::min<std::int64_t>(embedding->view.rows, std::numeric_limits<int>::max()));
}

/// Features that a file of a supported family can ask for and that this engine does not have.
void refuse_unsupported(const Keys& keys) {
  const std::string& path = keys.gguf.path();
  const std::string scaling = keys.gguf.get_string(keys.name("rope.scaling.type"), "none");
  if (scaling != "none") {
    fail("{}: RoPE scaling of type '{}' (metadata '{}') is not supported", path, scaling,
         keys.name("rope.scaling.type"));
  }
  if (keys.number("rope.scale_linear", 1.0) != 1.0f) {
    fail("{}: linear RoPE scaling (metadata '{}') is not supported", path, keys.name("rope.scale_linear"));
  }
  if (keys.gguf.find_tensor("rope_freqs.weight") != nullptr) {
    fail("{}: tensor 'rope_freqs.weight' asks for RoPE frequency factors, which are not supported", path);
  }
  if (keys.size("expert_count", 0) != 0) {
    fail("{}: a mixture of {} experts (metadata '{}') is not supported", path, keys.size("expert_count", 0),
         keys.name("expert_count"));
  }
  if (keys.has("attention.sliding_window") &&
      keys.size("attention.sliding_window") < keys.size("context_length")) {
    fail("{}: sliding-window attention (metadata '{}') is not supported", path,
         keys.name("attention.sliding_window"));
  }
}

}  // namespace

ModelConfig config_from_gguf(const Gguf& gguf) {
  const std::string architecture = gguf.get_string("general.architecture");
  const Family& family = family_of_gguf(gguf.path(), architecture);
  const Keys keys{gguf, architecture};
  refuse_unsupported(keys);

  ModelConfig config;
  config.architecture = architecture;
  config.name = gguf.get_string("general.name", "");
  config.vocab_size = vocab_size(keys);
  config.dim = keys.size("embedding_length");
  config.layers = keys.size("block_count");
  config.heads = keys.size("attention.head_count");
  config.kv_heads = keys.size("attention.head_count_kv", config.heads);
  config.head_dim = keys.size("attention.key_length", config.heads > 0 ? config.dim / config.heads : 0);
  if (keys.size("attention.value_length", config.head_dim) != config.head_dim) {
    fail("{}: keys of {} and values of {} elements per head are not supported; they must be equal",
         gguf.path(), config.head_dim, keys.size("attention.value_length"));
  }
  config.ffn_dim = keys.size("feed_forward_length");
  config.context_length = keys.size("context_length");
  config.norm_eps = keys.number("attention.layer_norm_rms_epsilon", 1e-5);
  config.rope_theta = keys.number("rope.freq_base", 10000.0);
  config.rotary_dim = keys.size("rope.dimension_count", config.head_dim);
  config.rope_pairs = family.gguf_rope_pairs;
  config.attention_scale =
      config.head_dim > 0 ? static_cast<float>(1.0 / std::sqrt(double{1} * config.head_dim)) : 0.0f;
  config.tied_embeddings = gguf.find_tensor("output.weight") == nullptr;
  try {
    config.validate();
  } catch (const Error& error) {
    fail("{}: {}", gguf.path(), error.what());
  }
  return config;
}

}  // namespace rung
