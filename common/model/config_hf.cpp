// ModelConfig from the config.json of a Hugging Face folder.

#include <cmath>
#include <filesystem>
#include <limits>

#include "core/error.hpp"
#include "model/families.hpp"
#include "model/json_file.hpp"

namespace rung {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxConfigBytes = std::size_t{4} << 20;

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

/// `rope_scaling` of older files or `rope_parameters` of newer ones; only plain RoPE is supported.
void refuse_rope_scaling(const Fields& config, const char* key) {
  const json* value = config.find(key);
  if (value == nullptr) return;
  if (!value->is_object()) fail("{}: '{}' is {}, expected an object", config.path, key, value->dump());
  const Fields rope{config.path, *value};
  // Old files write "type", newer ones "rope_type".
  const std::string type = rope.text("rope_type", rope.text("type", "default").c_str());
  if (type != "default")
    fail("{}: RoPE scaling of type '{}' ('{}') is not supported", config.path, type, key);
  if (rope.number("partial_rotary_factor", 1.0) != 1.0f) {
    fail("{}: '{}' with a partial_rotary_factor is not supported", config.path, key);
  }
}

/// Features that a file of a supported family can ask for and that this engine does not have.
void refuse_unsupported(const Fields& config) {
  refuse_rope_scaling(config, "rope_scaling");
  refuse_rope_scaling(config, "rope_parameters");
  if (config.number("partial_rotary_factor", 1.0) != 1.0f) {
    fail("{}: 'partial_rotary_factor' is not supported", config.path);
  }
  const std::string activation = config.text("hidden_act", "silu");
  if (activation != "silu") {
    fail("{}: the activation '{}' ('hidden_act') is not supported; silu is", config.path, activation);
  }
  for (const char* bias : {"attention_bias", "mlp_bias"}) {
    if (config.flag(bias, false))
      fail("{}: linear layers with a bias ('{}') are not supported", config.path, bias);
  }
  if (config.find("quantization_config") != nullptr) {
    fail(
        "{}: quantised Hugging Face checkpoints ('quantization_config') are not supported; use the original "
        "one, or "
        "a GGUF file",
        config.path);
  }
  if (config.find("sliding_window") != nullptr &&
      config.size("sliding_window") < config.size("max_position_embeddings")) {
    fail("{}: sliding-window attention ('sliding_window') is not supported", config.path);
  }
}

}  // namespace

ModelConfig config_from_hf(const std::string& folder, bool has_output) {
  const std::string path = (std::filesystem::path(folder) / "config.json").string();
  const json document = read_json_file(path, kMaxConfigBytes);
  if (!document.is_object()) fail("{}: expected a JSON object", path);
  const Fields fields{path, document};
  const std::string architecture = fields.text("model_type", "");
  if (architecture.empty()) fail("{}: 'model_type' is missing, expected the name of an architecture", path);
  const Family& family = family_of_hf(path, architecture);
  refuse_unsupported(fields);

  ModelConfig config;
  config.architecture = family.gguf_name;
  config.name = fields.text("_name_or_path", "");
  if (config.name.empty()) {
    std::error_code error;
    config.name = std::filesystem::weakly_canonical(folder, error).filename().string();
  }
  config.vocab_size = fields.size("vocab_size");
  config.dim = fields.size("hidden_size");
  config.layers = fields.size("num_hidden_layers");
  config.heads = fields.size("num_attention_heads");
  config.kv_heads = fields.size("num_key_value_heads", config.heads);
  config.head_dim = fields.size("head_dim", config.heads > 0 ? config.dim / config.heads : 0);
  config.ffn_dim = fields.size("intermediate_size");
  config.context_length = fields.size("max_position_embeddings", 2048);
  config.norm_eps = fields.number("rms_norm_eps", 1e-6);
  const json* rope = fields.find("rope_parameters");
  const Fields rope_fields{path, rope != nullptr ? *rope : document};
  config.rope_theta = rope_fields.number("rope_theta", fields.number("rope_theta", 10000.0));
  config.rotary_dim = config.head_dim;
  config.rope_pairs = family.hf_rope_pairs;
  config.attention_scale =
      config.head_dim > 0 ? static_cast<float>(1.0 / std::sqrt(double{1} * config.head_dim)) : 0.0f;
  config.tied_embeddings = fields.flag("tie_word_embeddings", !has_output);
  try {
    config.validate();
  } catch (const Error& error) {
    fail("{}: {}", path, error.what());
  }
  return config;
}

}  // namespace rung
