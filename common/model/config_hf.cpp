// Reads a ModelConfig from the config.json of a Hugging Face folder.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <vector>

#include "core/error.hpp"
#include "files/json_file.hpp"
#include "model/families.hpp"
#include "model/hf_classes.hpp"
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
  double real(const char* key, double otherwise) const {
    const json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_number()) fail("{}: '{}' is {}, expected a number", path, key, value->dump());
    return value->get<double>();
  }
  float number(const char* key, double otherwise) const { return static_cast<float>(real(key, otherwise)); }
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

/// Of quantized checkpoints those are read whose matrices are F8_E4M3 (fp8_scales.hpp): DeepSeek's and
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
        "{}: quantized Hugging Face checkpoints ('quantization_config') are supported as FP8 only, and this "
        "one is '{}'; use the original model, or a GGUF file",
        config.path, method.empty() ? how->dump() : method);
  }
  const json* block = fields.find("weight_block_size");
  if (block != nullptr && *block != json({128, 128})) {
    fail("{}: FP8 scales for blocks of {} are not supported, only [128,128]", config.path, block->dump());
  }
}

/// Features that a file of a supported family can ask for and that this engine does not have.
void refuse_unsupported(const Fields& config, const HfClass& its_class) {
  for (const std::string_view feature : its_class.refused) {
    const std::string key(feature);
    if (!key.empty() && config.flag(key.c_str(), false)) fail("{}: '{}' is not supported", config.path, key);
  }
  // Every class reads this one, when it makes the mask.
  if (!config.flag("is_causal", true)) {
    fail(
        "{}: attention to later tokens ('is_causal': false) is not supported: such a model does not generate "
        "text",
        config.path);
  }
  if (its_class.model_type == "gpt2" && !config.flag("scale_attn_weights", true)) {
    fail("{}: attention without scaling ('scale_attn_weights') is not supported", config.path);
  }
  refuse_quantization(config);
}

Activation activation_of(const Fields& config, const Family& family) {
  const std::string_view family_name = family.gguf_name;
  const char* key = family_name == "gemma2" || family_name == "gemma3" ? "hidden_activation"
                    : family.hf_names == HfNames::gpt2                 ? "activation_function"
                                                                       : "hidden_act";
  const std::string name = config.text(key, "");
  if (name.empty()) return family.activation;
  if (name == "silu" || name == "swish") return Activation::silu;
  if (name == "gelu_pytorch_tanh" || name == "gelu_new") return Activation::gelu_tanh;
  // Gemma 1 was published with "gelu" and meant the approximation.
  if (name == "gelu") return family_name == "gemma" ? Activation::gelu_tanh : Activation::gelu_erf;
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
/// `original`: the length before scaling, where neither says.
RopeConfig read_rope(const Fields& config, const json* object, double theta, int context_length,
                     int original_length) {
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
                                   from.size("original_max_position_embeddings", original_length));
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

/// An object of `config`; null where the key is absent or has an empty one.
const json* object_of(const Fields& config, const char* key) {
  const json* value = config.find(key);
  if (value != nullptr && !value->is_object())
    fail("{}: '{}' is {}, expected an object", config.path, key, value->dump());
  return value == nullptr || value->empty() ? nullptr : value;
}

/// Gemma 3 has two RoPEs. What older files write as `rope_scaling` belongs to the layers that see everything.
void read_two_ropes(const Fields& fields, ModelConfig& config) {
  const json* both = object_of(fields, "rope_parameters");
  const auto part = [&](const char* key) {
    return both != nullptr && both->contains(key) && both->at(key).is_object() ? both->at(key)
                                                                               : json::object();
  };
  json global = part("full_attention");
  const json local = part("sliding_attention");
  if (const json* scaling = object_of(fields, "rope_scaling")) global.update(*scaling);
  config.rope = read_rope(fields, &global, fields.number("rope_theta", 1e6), config.context_length,
                          config.context_length);
  config.rope_local = read_rope(fields, &local, fields.number("rope_local_base_freq", 10000.0),
                                config.context_length, config.context_length);
}

void read_ropes(const Fields& fields, const HfClass& its_class, ModelConfig& config) {
  config.rotary_dim = config.head_dim;
  if (its_class.model_type == "gemma3_text") return read_two_ropes(fields, config);
  // `rope_scaling` of older files wins over `rope_parameters` of newer ones.
  const json* object = object_of(fields, "rope_scaling");
  if (object == nullptr) object = object_of(fields, "rope_parameters");
  if (object != nullptr && object->contains("full_attention")) object = &object->at("full_attention");
  const bool phi3 = its_class.model_type == "phi3";
  constexpr int kPhi3Original = 4096;  // its class has a default for original_max_position_embeddings
  config.rope = read_rope(fields, object, fields.real("rope_theta", its_class.defaults.rope_theta),
                          config.context_length, phi3 ? kPhi3Original : config.context_length);

  const Fields in_object{fields.path, object != nullptr ? *object : json::object()};
  const double beside =
      fields.real("partial_rotary_factor", its_class.partial_rotary != 0 ? its_class.partial_rotary : 1.0);
  const double part = in_object.real("partial_rotary_factor", beside);
  if (its_class.partial_rotary != 0) {
    if (!(part > 0 && part <= 1))
      fail("{}: 'partial_rotary_factor' is {}; more than 0 and at most 1 is possible", fields.path, part);
    config.rotary_dim = static_cast<int>(config.head_dim * part);
  } else if (config.rope.scaling != RopeScaling::none &&
             static_cast<int>(config.head_dim * part) != config.head_dim) {
    fail("{}: models of type '{}' rotate whole heads, and 'partial_rotary_factor' is {}", fields.path,
         its_class.model_type, part);
  }
  // Qwen's recipe for long texts adds YaRN and leaves max_position_embeddings as it was.
  if (config.rope.scaling == RopeScaling::yarn) {
    config.context_length = std::max(config.context_length, stretched_context(config.rope));
  }
}

/// How many tokens a sliding-window layer sees; 0: there is no window.
int window_of(const Fields& fields, const HfClass& its_class, int context_length) {
  using Window = HfClass::Window;
  if (its_class.window == Window::none) return 0;
  const bool asks = its_class.window == Window::qwen || its_class.window == Window::smollm3;
  if (asks && !fields.flag("use_sliding_window", false)) return 0;
  // Where the key is null there is no window; where it is absent, the class has its own.
  const int window =
      fields.size("sliding_window", fields.object.contains("sliding_window") ? 0 : its_class.sliding_window);
  const bool gemma3 = its_class.model_type == "gemma3_text";  // where the window also chooses the RoPE
  return window >= context_length && !gemma3 ? 0 : window;
}

/// Which layers see a window only, and which RoPE they use.
std::vector<LayerAttention> read_layers(const Fields& fields, const Family& family, const HfClass& its_class,
                                        const ModelConfig& config) {
  using Window = HfClass::Window;
  constexpr int kMost = 1 << 16;
  const int layers = std::clamp(config.layers, 0, kMost);
  std::vector<LayerAttention> result(static_cast<std::size_t>(layers));
  const bool gemma3 = its_class.model_type == "gemma3_text", smollm3 = its_class.window == Window::smollm3;
  const int window = window_of(fields, its_class, config.context_length);
  const bool typed = its_class.window == Window::layer_types || its_class.window == Window::qwen || smollm3;
  const json* types = typed ? fields.find("layer_types") : nullptr;
  if (types != nullptr && (!types->is_array() || types->size() < result.size())) {
    fail("{}: 'layer_types' must be a list with one entry for each of the {} layers", fields.path, layers);
  }
  const int period =
      gemma3 ? fields.size("sliding_window_pattern", family.window_period) : family.window_period;
  if (typed && its_class.window == Window::layer_types && types == nullptr && period < 1)
    fail("{}: 'sliding_window_pattern' is {}; it must be at least 1", fields.path, period);
  const json* rotated = smollm3 ? fields.find("no_rope_layers") : nullptr;
  const int interval = smollm3 ? fields.size("no_rope_layer_interval", 4) : 0;
  if (smollm3 && rotated == nullptr && interval < 1)
    fail("{}: 'no_rope_layer_interval' is {}; it must be at least 1", fields.path, interval);
  for (int i = 0; i < layers; ++i) {
    LayerAttention& layer = result[static_cast<std::size_t>(i)];
    if (smollm3) {  // 1 in 'no_rope_layers' means: this layer has RoPE
      const bool has_rope =
          rotated != nullptr && rotated->is_array() && rotated->size() > static_cast<std::size_t>(i)
              ? (*rotated)[static_cast<std::size_t>(i)] != 0
              : interval > 0 && (i + 1) % interval != 0;
      if (!has_rope) layer.rope = LayerAttention::Rope::none;
    }
    bool windowed = window != 0;
    if (types != nullptr) {
      const json& type = (*types)[static_cast<std::size_t>(i)];
      if (type != "full_attention" && type != "sliding_attention") {
        fail("{}: 'layer_types' has {}; full_attention and sliding_attention are supported", fields.path,
             type.dump());
      }
      windowed = type == "sliding_attention";
    } else if (its_class.window == Window::layer_types) {
      windowed = (i + 1) % period != 0;
    } else if (its_class.window == Window::qwen) {
      windowed = windowed && i >= fields.size("max_window_layers", 28);
    } else if (smollm3) {
      windowed = windowed && layer.rope == LayerAttention::Rope::none;
    }
    layer.window = windowed ? window : 0;
    if (gemma3 && windowed) layer.rope = LayerAttention::Rope::local;
  }
  return result;
}

void read_shape(const Fields& fields, const Family& family, const HfClass& its_class, ModelConfig& config) {
  config.vocab_size = fields.size("vocab_size", its_class.defaults.vocab_size);
  if (family.hf_names == HfNames::gpt2) {  // each key has a second name
    config.dim = fields.size("n_embd", fields.size("hidden_size", its_class.defaults.hidden_size));
    config.layers = fields.size("n_layer", fields.size("num_hidden_layers", its_class.defaults.layers));
    config.heads = fields.size("n_head", fields.size("num_attention_heads", its_class.defaults.heads));
    config.kv_heads = config.heads;
    config.ffn_dim = fields.size(
        "n_inner", static_cast<int>(std::min<std::int64_t>(std::int64_t{4} * config.dim, 1 << 30)));
    config.context_length =
        fields.size("n_positions", fields.size("max_position_embeddings", its_class.defaults.context));
  } else {
    config.dim = fields.size("hidden_size", its_class.defaults.hidden_size);
    config.layers = fields.size("num_hidden_layers", its_class.defaults.layers);
    config.heads = fields.size("num_attention_heads", its_class.defaults.heads);
    const bool kv_absent = !fields.object.contains("num_key_value_heads");
    config.kv_heads = fields.size("num_key_value_heads", kv_absent && its_class.defaults.kv_heads != 0
                                                             ? its_class.defaults.kv_heads
                                                             : config.heads);
    config.ffn_dim = fields.size("intermediate_size", its_class.defaults.intermediate_size);
    config.context_length = fields.size("max_position_embeddings", its_class.defaults.context);
  }
  if (family.weights.has(Role::router)) {
    config.experts = fields.size("num_local_experts", fields.size("num_experts", 8));
    config.experts_per_token = fields.size("num_experts_per_tok", 2);
  }
  const int even = config.heads > 0 ? config.dim / config.heads : 0;
  const bool head_dim_absent = !fields.object.contains("head_dim");
  const int usual = head_dim_absent && its_class.defaults.head_dim != 0 ? its_class.defaults.head_dim : even;
  config.head_dim = its_class.fixed_head_dim ? even : fields.size("head_dim", usual);
}

void read_multipliers(const Fields& fields, const Family& family, ModelConfig& config) {
  const std::string_view name = family.gguf_name;
  const bool gemma = name.starts_with("gemma");
  const bool capped = name == "gemma2" || name == "gemma3";
  const double width = capped ? fields.number("query_pre_attn_scalar", 256) : config.head_dim;
  config.attention_scale = width > 0 ? static_cast<float>(1.0 / std::sqrt(width)) : 0.0f;
  if (gemma && config.dim > 0) config.embedding_scale = static_cast<float>(std::sqrt(double{1} * config.dim));
  if (capped) {
    const bool absent = !fields.object.contains("attn_logit_softcapping");
    // Gemma 3 has the key and does not use it.
    if (name == "gemma2") config.attention_softcap = fields.number("attn_logit_softcapping", absent ? 50 : 0);
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
  const HfClass& its_class = hf_class(family.hf_name);
  refuse_unsupported(outer, its_class);
  refuse_unsupported(fields, its_class);

  ModelConfig config;
  config.architecture = family.gguf_name;
  config.family = &family;
  config.name = outer.text("_name_or_path", "");
  if (config.name.empty()) {
    std::error_code error;
    config.name = std::filesystem::weakly_canonical(folder, error).filename().string();
  }
  read_shape(fields, family, its_class, config);
  config.norm = family.norm;
  const char* eps = family.hf_names == HfNames::gpt2 ? "layer_norm_epsilon"
                    : family.norm == NormKind::layer ? "layer_norm_eps"
                                                     : "rms_norm_eps";
  config.norm_eps = fields.number(eps, its_class.defaults.norm_eps);
  config.activation = activation_of(fields, family);
  config.gated_ffn = family.weights.has(Role::gate) || config.experts != 0;
  config.learned_positions = family.hf_names == HfNames::gpt2;
  if (!config.learned_positions) read_ropes(fields, its_class, config);
  config.rope_pairs = RopePairs::half;
  config.layer_attention = read_layers(fields, family, its_class, config);
  read_multipliers(fields, family, config);
  config.attention_bias = (its_class.attention_bias && fields.flag("attention_bias", false)) ||
                          (its_class.use_qkv_bias && fields.flag("use_qkv_bias", false));
  config.ffn_bias = its_class.mlp_bias && fields.flag("mlp_bias", false);
  // An output matrix in the file is used, whatever config.json says; transformers ties only what is missing.
  config.tied_embeddings =
      !has_output && fields.flag("tie_word_embeddings", outer.flag("tie_word_embeddings", true));
  try {
    config.validate();
  } catch (const Error& error) {
    fail("{}: {}", path, error.what());
  }
  return config;
}

}  // namespace rung
