// Writes a ModelConfig into the metadata of a GGUF file.

#include <cmath>

#include "convert/config_write.hpp"
#include "core/error.hpp"
#include "model/families.hpp"
#include "model/rope.hpp"

namespace rung {
namespace {

/// Writes keys under the architecture's prefix.
struct KeyWriter {
  GgufWriter& writer;
  const std::string& prefix;
  std::string key(const char* name) const { return fmt::format("{}.{}", prefix, name); }
  void size(const char* name, int value) const {
    writer.add_u32(key(name), static_cast<std::uint32_t>(value));
  }
  void number(const char* name, double value) const { writer.add_f32(key(name), static_cast<float>(value)); }
  void text(const char* name, const char* value) const { writer.add_string(key(name), value); }
};

void write_rope(const ModelConfig& config, const KeyWriter& to) {
  const RopeConfig& rope = config.rope;
  to.size("rope.dimension_count", config.rotary_dim);
  to.number("rope.freq_base", rope.theta);
  switch (rope.scaling) {
    case RopeScaling::none:
    case RopeScaling::llama3:
      return;  // as factors among the tensors
    case RopeScaling::linear:
      to.text("rope.scaling.type", "linear");
      break;
    case RopeScaling::yarn:
      to.text("rope.scaling.type", "yarn");
      break;
    case RopeScaling::longrope:
      to.text("rope.scaling.type", "longrope");
      break;
  }
  // LongRoPE's is all in the factors of the pairs: llama.cpp would divide by this one, too.
  if (rope.scaling != RopeScaling::longrope) to.number("rope.scaling.factor", rope.factor);
  if (rope.scaling == RopeScaling::linear) return;
  to.size("rope.scaling.original_context_length", rope.original_context);
  // GGUF's factor for YaRN comes on top of the paper's.
  const double known = rope.scaling == RopeScaling::yarn
                           ? default_attention_factor(rope.scaling, rope.factor, rope.original_context)
                           : 1.0;
  to.number("rope.scaling.attn_factor", rope.attention_factor / known);
  if (rope.scaling == RopeScaling::yarn) {
    to.number("rope.scaling.yarn_beta_fast", rope.beta_fast);
    to.number("rope.scaling.yarn_beta_slow", rope.beta_slow);
  }
}

/// The window, and the pattern of its layers: every how many layers one sees everything, or a list.
void write_windows(const ModelConfig& config, const KeyWriter& to) {
  int window = 0;
  for (const LayerAttention& layer : config.layer_attention) window = std::max(window, layer.window);
  if (window == 0) return;
  to.size("attention.sliding_window", window);
  const auto& layers = config.layer_attention;
  const auto has_period = [&](int period) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const bool full = period != 0 && (static_cast<int>(i) + 1) % period == 0;
      if (full != (layers[i].window == 0)) return false;
    }
    return true;
  };
  if (has_period(config.family->window_period)) return;
  for (int period = 1; period <= static_cast<int>(layers.size()); ++period) {
    if (has_period(period)) return to.size("attention.sliding_window_pattern", period);
  }
  std::vector<std::int32_t> list;
  for (const LayerAttention& layer : layers) list.push_back(layer.window != 0);
  to.writer.add_i32_array(to.key("attention.sliding_window_pattern"), list);
}

/// What the architecture implies must be so, because its metadata has no key for it.
void check_implied(const ModelConfig& config, const std::string& path) {
  const Family& family = *config.family;
  if (config.activation != family.activation) {
    fail("{}: GGUF's architecture '{}' implies another activation than this model has", path,
         family.gguf_name);
  }
  for (std::size_t i = 0; i < config.layer_attention.size(); ++i) {
    const auto rope = config.layer_attention[i].rope;
    const bool none = config.architecture == "smollm3" && (i + 1) % 4 == 0;
    if ((rope == LayerAttention::Rope::none) != none) {
      fail(
          "{}: GGUF's architecture '{}' has no key for which layers have no RoPE, and layer {} is not as it "
          "implies",
          path, family.gguf_name, i);
    }
  }
}

}  // namespace

std::vector<NamedVector> rope_factor_tensors(const ModelConfig& config) {
  const RopeConfig& rope = config.rope;
  if (rope.scaling == RopeScaling::longrope) {
    return {{"rope_factors_long.weight", rope.long_factors}, {"rope_factors_short.weight", rope.factors}};
  }
  if (rope.scaling != RopeScaling::llama3) {
    return rope.factors.empty() ? std::vector<NamedVector>{}
                                : std::vector<NamedVector>{{"rope_freqs.weight", rope.factors}};
  }
  RopeConfig plain;
  plain.theta = rope.theta;
  const auto before = rope_frequencies(plain, config.rotary_dim, config.context_length).radians;
  const auto after = rope_frequencies(rope, config.rotary_dim, config.context_length).radians;
  std::vector<float> factors;
  for (std::size_t i = 0; i < before.size(); ++i) factors.push_back(static_cast<float>(before[i] / after[i]));
  return {{"rope_freqs.weight", factors}};
}

void write_config_gguf(const ModelConfig& config, const std::string& path, GgufWriter& writer) {
  check_implied(config, path);
  writer.add_string("general.architecture", config.architecture);
  writer.add_string("general.name", config.name);
  const KeyWriter to{writer, config.architecture};
  to.size("context_length", config.context_length);
  to.size("embedding_length", config.dim);
  to.size("block_count", config.layers);
  to.size("feed_forward_length", config.ffn_dim);
  if (config.experts != 0) {
    to.size("expert_count", config.experts);
    to.size("expert_used_count", config.experts_per_token);
    if (!config.normalize_expert_weights) writer.add_bool(to.key("expert_weights_norm"), false);
  }
  to.size("vocab_size", config.vocab_size);
  to.size("attention.head_count", config.heads);
  to.size("attention.head_count_kv", config.kv_heads);
  to.size("attention.key_length", config.head_dim);
  to.size("attention.value_length", config.head_dim);
  to.number(
      config.norm == NormKind::rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon",
      config.norm_eps);
  if (config.rotary_dim != 0) write_rope(config, to);
  if (config.architecture == "gemma3") to.number("rope.freq_base_swa", config.rope_local.theta);
  if (config.architecture == "stablelm") writer.add_bool(to.key("use_parallel_residual"), false);
  write_windows(config, to);

  // Where the architecture has a scale of its own by rule, the key says otherwise only if it must.
  const double usual_scale = 1.0 / std::sqrt(double{1} * config.head_dim);
  if (config.architecture == "granite" ||
      std::fabs(config.attention_scale - usual_scale) > 1e-6 * usual_scale) {
    to.number("attention.scale", config.attention_scale);
  }
  const bool gemma2 = config.architecture == "gemma2";
  if (gemma2 || config.attention_softcap != 0) to.number("attn_logit_softcapping", config.attention_softcap);
  if (gemma2 || config.logit_softcap != 0) to.number("final_logit_softcapping", config.logit_softcap);
  if (config.architecture == "granite") {
    to.number("embedding_scale", config.embedding_scale);
    to.number("residual_scale", config.residual_scale);
    to.number("logit_scale", 1.0 / config.logit_scale);
  }
}

}  // namespace rung
