// Writes a ModelConfig into a config.json.

#include <cmath>

#include "convert/config_write.hpp"
#include "core/error.hpp"
#include "model/families.hpp"
#include "model/hf_classes.hpp"

namespace rung {
namespace {

using Json = nlohmann::ordered_json;

Json rope_object(const RopeConfig& rope) {
  Json json;
  switch (rope.scaling) {
    case RopeScaling::none:
      if (rope.factors.empty()) return json;
      // Factors without a rule (a GGUF file of Llama 3.1): LongRoPE with the same list for every length.
      return {{"rope_type", "longrope"},
              {"short_factor", rope.factors},
              {"long_factor", rope.factors},
              {"attention_factor", rope.attention_factor},
              {"factor", 1.0}};
    case RopeScaling::linear:
      return {{"rope_type", "linear"}, {"factor", rope.factor}};
    case RopeScaling::llama3:
      json = {{"rope_type", "llama3"},
              {"low_freq_factor", rope.low_freq_factor},
              {"high_freq_factor", rope.high_freq_factor}};
      break;
    case RopeScaling::yarn:
      json = {{"rope_type", "yarn"},
              {"beta_fast", rope.beta_fast},
              {"beta_slow", rope.beta_slow},
              {"attention_factor", rope.attention_factor}};
      break;
    case RopeScaling::longrope:
      json = {{"rope_type", "longrope"},
              {"short_factor", rope.factors},
              {"long_factor", rope.long_factors},
              {"attention_factor", rope.attention_factor}};
      break;
  }
  json["factor"] = rope.factor;
  json["original_max_position_embeddings"] = rope.original_context;
  return json;
}

void write_gpt2(const ModelConfig& c, Json& json) {
  json["n_embd"] = c.dim;
  json["n_layer"] = c.layers;
  json["n_head"] = c.heads;
  json["n_inner"] = c.ffn_dim;
  json["n_positions"] = c.context_length;
  json["layer_norm_epsilon"] = c.norm_eps;
  json["activation_function"] = "gelu_new";
}

void write_windows(const ModelConfig& c, const std::string& type, Json& json) {
  int window = 0;
  bool all = true;
  Json types = Json::array();
  for (const LayerAttention& layer : c.layer_attention) {
    window = std::max(window, layer.window);
    all = all && layer.window != 0;
    types.push_back(layer.window != 0 ? "sliding_attention" : "full_attention");
  }
  if (hf_class(type).window != HfClass::Window::none)
    json["sliding_window"] = window != 0 ? Json(window) : Json(nullptr);
  if (type == "gemma2" || type == "gemma3_text" || type == "qwen2" || type == "qwen3" || type == "smollm3") {
    json["layer_types"] = types;
    json["use_sliding_window"] = window != 0;
  } else if (window != 0 && !all) {
    fail("a sliding window in some of the layers only cannot be said in a config.json of type '{}'", type);
  }
}

/// The name under which Hugging Face knows the family. GGUF has one name for Llama, Mistral and Mixtral.
std::string model_type(const ModelConfig& c) {
  const bool windowed = !c.layer_attention.empty() && c.layer_attention.front().window != 0;
  if (c.architecture == "llama" && windowed && c.experts == 0) return "mistral";
  return std::string(family_of_gguf("", c.architecture, c.experts != 0).hf_name);
}

const char* class_name(const std::string& type) {
  constexpr std::pair<const char*, const char*> kNames[] = {
      {"llama", "LlamaForCausalLM"},        {"mistral", "MistralForCausalLM"},
      {"mixtral", "MixtralForCausalLM"},    {"smollm3", "SmolLM3ForCausalLM"},
      {"granite", "GraniteForCausalLM"},    {"qwen2", "Qwen2ForCausalLM"},
      {"qwen3", "Qwen3ForCausalLM"},        {"phi3", "Phi3ForCausalLM"},
      {"gemma", "GemmaForCausalLM"},        {"gemma2", "Gemma2ForCausalLM"},
      {"gemma3_text", "Gemma3ForCausalLM"}, {"olmo2", "Olmo2ForCausalLM"},
      {"stablelm", "StableLmForCausalLM"},  {"gpt2", "GPT2LMHeadModel"}};
  for (const auto& [name, its_class] : kNames) {
    if (type == name) return its_class;
  }
  fail("config.json of type '{}' cannot be written", type);
}

}  // namespace

Json config_to_hf(const ModelConfig& c, const std::string& path) {
  const std::string type = model_type(c);
  Json json;
  json["architectures"] = {class_name(type)};
  json["model_type"] = type;
  json["vocab_size"] = c.vocab_size;
  json["tie_word_embeddings"] = c.tied_embeddings;
  if (type == "gpt2") {
    write_gpt2(c, json);
    return json;
  }
  json["hidden_size"] = c.dim;
  json["num_hidden_layers"] = c.layers;
  json["num_attention_heads"] = c.heads;
  json["num_key_value_heads"] = c.kv_heads;
  json["head_dim"] = c.head_dim;
  json["intermediate_size"] = c.ffn_dim;
  if (c.experts != 0) {
    if (!c.normalize_expert_weights) {
      fail("{}: expert weights that do not add up to 1 cannot be said in a config.json of type '{}'", path,
           type);
    }
    json["num_local_experts"] = c.experts;
    json["num_experts_per_tok"] = c.experts_per_token;
  }
  json["max_position_embeddings"] = c.context_length;
  json[c.norm == NormKind::rms ? "rms_norm_eps" : "layer_norm_eps"] = c.norm_eps;
  const char* activation = c.activation == Activation::silu        ? "silu"
                           : c.activation == Activation::gelu_tanh ? "gelu_pytorch_tanh"
                                                                   : "gelu";
  json[type == "gemma2" || type == "gemma3_text" ? "hidden_activation" : "hidden_act"] = activation;
  json["rope_theta"] = c.rope.theta;
  const Json rope = rope_object(c.rope);
  if (!rope.is_null()) json["rope_scaling"] = rope;
  if (c.rope.scaling == RopeScaling::longrope)
    json["original_max_position_embeddings"] = c.rope.original_context;
  if (type == "gemma3_text") json["rope_local_base_freq"] = c.rope_local.theta;
  if (c.rotary_dim != c.head_dim || type == "stablelm") {
    json["partial_rotary_factor"] = double{1} * c.rotary_dim / c.head_dim;
  }
  write_windows(c, type, json);
  if (type == "smollm3") {
    Json layers = Json::array();
    for (const LayerAttention& layer : c.layer_attention) {
      layers.push_back(layer.rope == LayerAttention::Rope::none ? 0 : 1);
    }
    json["no_rope_layers"] = layers;
  }
  if (type == "gemma2" || type == "gemma3_text") {
    const double width = 1.0 / (double{1} * c.attention_scale * c.attention_scale);
    // The scale is a rounded float32, but the width from which it was computed is an integer.
    const double whole = std::round(width);
    json["query_pre_attn_scalar"] =
        std::fabs(width - whole) < 1e-5 * width ? Json(static_cast<int>(whole)) : Json(width);
    if (type == "gemma2")
      json["attn_logit_softcapping"] = c.attention_softcap != 0 ? Json(c.attention_softcap) : Json(nullptr);
    json["final_logit_softcapping"] = c.logit_softcap != 0 ? Json(c.logit_softcap) : Json(nullptr);
  } else if (type == "granite") {
    json["embedding_multiplier"] = c.embedding_scale;
    json["residual_multiplier"] = c.residual_scale;
    json["attention_multiplier"] = c.attention_scale;
    json["logits_scaling"] = 1.0 / c.logit_scale;
  } else {
    const double usual = 1.0 / std::sqrt(double{1} * c.head_dim);
    if (std::fabs(c.attention_scale - usual) > 1e-6 * usual) {
      fail("{}: an attention scale of {} cannot be said in a config.json of type '{}'", path,
           c.attention_scale, type);
    }
  }
  return json;
}

}  // namespace rung
