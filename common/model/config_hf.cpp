// ModelConfig from the config.json of a Hugging Face folder.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <vector>

#include "core/error.hpp"
#include "model/families.hpp"
#include "model/json_file.hpp"
#include "model/rope.hpp"

namespace rung {
namespace {

using nlohmann::json;

/// An object of the file; absent and null are the same, as they are in transformers.
struct Fields {
  const std::string& path;
  const json& object;

  const json* find(const char* key) const {
    const auto at = object.find(key);
    return at == object.end() || at->is_null() ? nullptr : &*at;
  }
  int size(const char* key) const {
    const json* value = find(key);
    if (value == nullptr) fail("{}: '{}' is missing, expected an integer", path, key);
    constexpr int kMost = std::numeric_limits<int>::max();
    if (!value->is_number_integer() || (value->is_number_unsigned() && value->get<std::uint64_t>() > kMost) ||
        (!value->is_number_unsigned() && value->get<std::int64_t>() < 0)) {
      fail("{}: '{}' is {}, expected an integer from 0 to {}", path, key, value->dump(), kMost);
    }
    return value->get<int>();
  }
  int size(const char* key, int otherwise) const { return find(key) != nullptr ? size(key) : otherwise; }
  float number(const char* key, double otherwise) const {
    const json* value = find(key);
    if (value == nullptr) return static_cast<float>(otherwise);
    if (!value->is_number()) fail("{}: '{}' is {}, expected a number", path, key, value->dump());
    return static_cast<float>(value->get<double>());
  }
  bool flag(const char* key, bool otherwise) const {
    const json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_boolean()) fail("{}: '{}' is {}, expected true or false", path, key, value->dump());
    return value->get<bool>();
  }
  std::string text(const char* key, const char* otherwise) const {
    const json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_string()) fail("{}: '{}' is {}, expected a string", path, key, value->dump());
    return value->get<std::string>();
  }
};

/// Of quantised checkpoints those are read whose matrices are F8_E4M3 (fp8_scales.hpp): DeepSeek's and
/// transformers' kind, FBGEMM's, and what compressed-tensors calls float-quantized.
void refuse_quantization(const Fields& config) {
  const json* how = config.find("quantization_config");
  if (how == nullptr) return;
  if (!how->is_object()) fail("{}: 'quantization_config' must be an object", config.path);
  const Fields fields{config.path, *how};
  const std::string method = fields.text("quant_method", "");
  const bool fp8 = method == "fp8" || method == "fbgemm_fp8" ||
                   (method == "compressed-tensors" && fields.text("format", "") == "float-quantized");
  if (!fp8) {
    fail(
        "{}: quantised Hugging Face checkpoints ('quantization_config') are supported as FP8 only, and this "
        "one is '{}'; use the original model, or a GGUF file",
        config.path, method.empty() ? how->dump() : method);
  }
  const json* block = fields.find("weight_block_size");
  if (block != nullptr && *block != json({128, 128})) {
    fail("{}: FP8 scales for blocks of {} are not supported, only [128,128]", config.path, block->dump());
  }
}

/// Features that a file of a supported family can ask for and that this engine does not have.
void refuse_unsupported(const Fields& config) {
  for (const char* feature : {"qk_layernorm", "use_parallel_residual", "scale_attn_by_inverse_layer_idx",
                              "use_bidirectional_attention", "add_cross_attention"}) {
    if (config.flag(feature, false)) fail("{}: '{}' is not supported", config.path, feature);
  }
  if (!config.flag("scale_attn_weights", true)) {
    fail("{}: attention without scaling ('scale_attn_weights') is not supported", config.path);
  }
  refuse_quantization(config);
}

Activation activation_of(const Fields& config, const Family& family) {
  const bool gemma = family.gguf_name.starts_with("gemma");
  // Gemma 1 was published with "gelu" under 'hidden_act' and meant the approximation.
  const char* key = gemma                              ? "hidden_activation"
                    : family.hf_names == HfNames::gpt2 ? "activation_function"
                                                       : "hidden_act";
  const std::string name = config.text(key, "");
  if (name.empty()) return family.activation;
  if (name == "silu" || name == "swish") return Activation::silu;
  if (name == "gelu_pytorch_tanh" || name == "gelu_new") return Activation::gelu_tanh;
  if (name == "gelu") return Activation::gelu_erf;
  fail("{}: the activation '{}' ('{}') is not supported; silu, gelu, gelu_new and gelu_pytorch_tanh are",
       config.path, name, key);
}

std::vector<float> factor_list(const Fields& rope, const char* key) {
  const json* list = rope.find(key);
  if (list == nullptr || !list->is_array()) fail("{}: '{}' must be a list of numbers", rope.path, key);
  std::vector<float> values;
  for (const json& value : *list) {
    if (!value.is_number()) fail("{}: '{}' has {}, expected a number", rope.path, key, value.dump());
    values.push_back(value.get<float>());
  }
  return values;
}

/// One object of RoPE parameters (`object`; it may be null), with what stands beside it in `config`.
RopeConfig read_rope(const Fields& config, const json* object, double theta, int context_length) {
  static const json kNone = json::object();
  if (object != nullptr && !object->is_object()) {
    fail("{}: the RoPE parameters are {}, expected an object", config.path, object->dump());
  }
  const Fields from{config.path, object != nullptr ? *object : kNone};
  RopeConfig rope;
  rope.theta = from.number("rope_theta", theta);
  // Old files write "type", newer ones "rope_type"; Phi-3's first release called LongRoPE "su".
  const std::string type = from.text("rope_type", from.text("type", "default").c_str());
  const int original = config.size("original_max_position_embeddings",
                                   from.size("original_max_position_embeddings", context_length));
  rope.original_context = original;
  const double stretch = original > 0 ? double{1} * context_length / original : 1;
  // "dynamic" NTK scaling changes nothing up to max_position_embeddings, which the engine never exceeds.
  if (type == "default" || type == "dynamic") return rope;
  if (type == "longrope" || type == "su") {
    rope.scaling = RopeScaling::longrope;
    rope.factors = factor_list(from, "short_factor");
    rope.long_factors = factor_list(from, "long_factor");
  } else if (type == "linear" || type == "llama3" || type == "yarn") {
    rope.scaling = type == "linear"   ? RopeScaling::linear
                   : type == "llama3" ? RopeScaling::llama3
                                      : RopeScaling::yarn;
  } else {
    fail(
        "{}: RoPE scaling of type '{}' is not supported; default, linear, dynamic, llama3, yarn and longrope "
        "are",
        config.path, type);
  }
  rope.factor = from.number("factor", stretch);
  rope.low_freq_factor = from.number("low_freq_factor", 1);
  rope.high_freq_factor = from.number("high_freq_factor", 4);
  rope.beta_fast = from.number("beta_fast", 32);
  rope.beta_slow = from.number("beta_slow", 1);
  if (from.find("mscale") != nullptr || !from.flag("truncate", true)) {
    fail("{}: YaRN with 'mscale' or without 'truncate' is not supported", config.path);
  }
  rope.attention_factor =
      from.number("attention_factor", double{default_attention_factor(rope.scaling, rope.factor, original)});
  return rope;
}

/// `rope_parameters` of newer files, `rope_scaling` of older ones.
const json* rope_object(const Fields& config) {
  const json* newer = config.find("rope_parameters");
  return newer != nullptr ? newer : config.find("rope_scaling");
}

void read_ropes(const Fields& fields, const Family& family, ModelConfig& config) {
  const json* object = rope_object(fields);
  const bool nested = object != nullptr && object->is_object() && object->contains("full_attention");
  const bool gemma3 = family.gguf_name == "gemma3";
  const double theta = fields.number("rope_theta", gemma3 || family.hf_name == "mixtral" ? 1e6 : 10000.0);
  const json* global = nested ? &object->at("full_attention") : object;
  config.rope = read_rope(fields, global, theta, config.context_length);
  if (gemma3) {
    const json* local =
        nested && object->contains("sliding_attention") ? &object->at("sliding_attention") : nullptr;
    config.rope_local =
        read_rope(fields, local, fields.number("rope_local_base_freq", 10000.0), config.context_length);
  }
  const Fields in_object{fields.path, global != nullptr ? *global : json::object()};
  const double part =
      fields.number("partial_rotary_factor",
                    in_object.number("partial_rotary_factor", family.gguf_name == "stablelm" ? 0.25 : 1.0));
  if (!(part > 0 && part <= 1)) {
    fail("{}: 'partial_rotary_factor' is {}; more than 0 and at most 1 is possible", fields.path, part);
  }
  config.rotary_dim = static_cast<int>(config.head_dim * part);
}

/// How many tokens a sliding-window layer sees; 0: there is no window.
int window_of(const Fields& fields, const Family& family, int context_length) {
  if (!fields.flag("use_sliding_window",
                   !family.gguf_name.starts_with("qwen") && family.gguf_name != "smollm3")) {
    return 0;
  }
  // Where the key is absent, not null, transformers assumes 4096 for these.
  const bool assumed =
      family.hf_name == "mistral" || family.gguf_name == "gemma2" || family.gguf_name == "gemma3";
  const int window =
      fields.size("sliding_window", assumed && !fields.object.contains("sliding_window") ? 4096 : 0);
  return window >= context_length && family.gguf_name != "gemma3" ? 0 : window;
}

/// Which layers see a window only, and which RoPE they use.
std::vector<LayerAttention> read_layers(const Fields& fields, const Family& family,
                                        const ModelConfig& config) {
  constexpr int kMost = 1 << 16;
  const int layers = std::clamp(config.layers, 0, kMost);
  std::vector<LayerAttention> result(static_cast<std::size_t>(layers));
  const int window = window_of(fields, family, config.context_length);
  const json* types = fields.find("layer_types");
  if (types != nullptr && (!types->is_array() || types->size() < result.size())) {
    fail("{}: 'layer_types' must be a list with one entry for each of the {} layers", fields.path, layers);
  }
  const bool gemma3 = family.gguf_name == "gemma3";
  const int period =
      family.window_period != 0 ? fields.size("sliding_window_pattern", family.window_period) : 0;
  const json* rotated = family.gguf_name == "smollm3" ? fields.find("no_rope_layers") : nullptr;
  for (int i = 0; i < layers; ++i) {
    LayerAttention& layer = result[static_cast<std::size_t>(i)];
    bool windowed = window != 0;
    if (types != nullptr) {
      const json& type = (*types)[static_cast<std::size_t>(i)];
      if (type != "full_attention" && type != "sliding_attention") {
        fail("{}: 'layer_types' has {}; full_attention and sliding_attention are supported", fields.path,
             type.dump());
      }
      windowed = type == "sliding_attention";
    } else if (period > 0) {
      windowed = (i + 1) % period != 0;
    } else if (family.gguf_name == "qwen2" || family.gguf_name == "qwen3") {
      windowed = windowed && i >= fields.size("max_window_layers", 28);
    }
    layer.window = windowed ? window : 0;
    if (gemma3 && windowed) layer.rope = LayerAttention::Rope::local;
    if (family.gguf_name == "smollm3") {  // 1 in 'no_rope_layers' means: this layer has RoPE
      const bool has_rope =
          rotated != nullptr && rotated->is_array() && rotated->size() > static_cast<std::size_t>(i)
              ? (*rotated)[static_cast<std::size_t>(i)] != 0
              : (i + 1) % fields.size("no_rope_layer_interval", 4) != 0;
      if (!has_rope) layer.rope = LayerAttention::Rope::none;
    }
  }
  return result;
}

void read_shape(const Fields& fields, const Family& family, ModelConfig& config) {
  if (family.hf_names == HfNames::gpt2) {
    config.dim = fields.size("n_embd");
    config.layers = fields.size("n_layer");
    config.heads = fields.size("n_head");
    config.kv_heads = config.heads;
    config.ffn_dim = fields.size(
        "n_inner", static_cast<int>(std::min<std::int64_t>(std::int64_t{4} * config.dim, 1 << 30)));
    config.context_length = fields.size("n_positions", 1024);
    return;
  }
  // Gemma 3's files leave out what its configuration class has as defaults.
  const bool gemma3 = family.gguf_name == "gemma3";
  config.dim = fields.size("hidden_size");
  config.layers = fields.size("num_hidden_layers");
  config.heads = gemma3 ? fields.size("num_attention_heads", 8) : fields.size("num_attention_heads");
  config.kv_heads = fields.size("num_key_value_heads", gemma3 ? 4 : config.heads);
  config.ffn_dim = fields.size("intermediate_size");
  if (family.weights.has(Role::router)) {
    config.experts = fields.size("num_local_experts", 8);  // the defaults of transformers' MixtralConfig
    config.experts_per_token = fields.size("num_experts_per_tok", 2);
  }
  config.context_length = fields.size("max_position_embeddings", gemma3 ? 131072 : 2048);
}

void read_multipliers(const Fields& fields, const Family& family, ModelConfig& config) {
  const std::string_view name = family.gguf_name;
  const bool gemma = name.starts_with("gemma");
  const bool capped = name == "gemma2" || name == "gemma3";
  const double width = capped ? fields.number("query_pre_attn_scalar", 256) : config.head_dim;
  config.attention_scale = width > 0 ? static_cast<float>(1.0 / std::sqrt(width)) : 0.0f;
  if (gemma && config.dim > 0) config.embedding_scale = static_cast<float>(std::sqrt(double{1} * config.dim));
  if (capped) {
    const bool absent = name == "gemma2" && !fields.object.contains("attn_logit_softcapping");
    config.attention_softcap = fields.number("attn_logit_softcapping", absent ? 50 : 0);
    const bool absent_final = name == "gemma2" && !fields.object.contains("final_logit_softcapping");
    config.logit_softcap = fields.number("final_logit_softcapping", absent_final ? 30 : 0);
  }
  if (name == "granite") {
    config.embedding_scale = fields.number("embedding_multiplier", 1);
    config.residual_scale = fields.number("residual_multiplier", 1);
    config.attention_scale = fields.number("attention_multiplier", 1);
    config.logit_scale = 1.0f / fields.number("logits_scaling", 1);
  }
}

}  // namespace

ModelConfig config_from_hf(const std::string& folder, bool has_output) {
  const std::string path = (std::filesystem::path(folder) / "config.json").string();
  const json document = read_json_file(path, kMaxConfigBytes);
  if (!document.is_object()) fail("{}: expected a JSON object", path);
  const Fields outer{path, document};
  const std::string architecture = outer.text("model_type", "");
  if (architecture.empty()) fail("{}: 'model_type' is missing, expected the name of an architecture", path);
  const Family& family = family_of_hf(path, architecture);
  // A model of text and pictures describes its language model in an object of its own.
  const json* text = outer.find("text_config");
  if (text != nullptr && !text->is_object()) fail("{}: 'text_config' is no object", path);
  const Fields fields{path, text != nullptr ? *text : document};
  refuse_unsupported(outer);
  refuse_unsupported(fields);

  ModelConfig config;
  config.architecture = family.gguf_name;
  config.family = &family;
  config.name = outer.text("_name_or_path", "");
  if (config.name.empty()) {
    std::error_code error;
    config.name = std::filesystem::weakly_canonical(folder, error).filename().string();
  }
  const bool gemma3 = family.gguf_name == "gemma3";
  config.vocab_size = gemma3 ? fields.size("vocab_size", 262208) : fields.size("vocab_size");
  read_shape(fields, family, config);
  const int even = config.heads > 0 ? config.dim / config.heads : 0;
  config.head_dim = fields.size("head_dim", family.gguf_name.starts_with("gemma") ? 256 : even);
  config.norm = family.norm;
  config.norm_eps = family.hf_names == HfNames::gpt2 ? fields.number("layer_norm_epsilon", 1e-5)
                    : family.norm == NormKind::layer ? fields.number("layer_norm_eps", 1e-5)
                                                     : fields.number("rms_norm_eps", 1e-6);
  config.activation = activation_of(fields, family);
  config.gated_ffn = family.weights.has(Role::gate) || config.experts != 0;
  config.learned_positions = family.hf_names == HfNames::gpt2;
  if (!config.learned_positions) read_ropes(fields, family, config);
  config.rope_pairs = RopePairs::half;
  config.layer_attention = read_layers(fields, family, config);
  read_multipliers(fields, family, config);
  config.attention_bias = fields.flag("attention_bias", fields.flag("use_qkv_bias", false));
  config.ffn_bias = fields.flag("mlp_bias", false);
  const bool always_tied = family.gguf_name.starts_with("gemma") || family.hf_names == HfNames::gpt2;
  config.tied_embeddings =
      fields.flag("tie_word_embeddings", outer.flag("tie_word_embeddings", always_tied || !has_output));
  try {
    config.validate();
  } catch (const Error& error) {
    fail("{}: {}", path, error.what());
  }
  return config;
}

}  // namespace rung
