// KvShape from a config.json. Families name the same things differently; each list below has all the names
// of one field, the common one first. What a name means was read in the families' own modelling code in
// transformers.

#include <algorithm>
#include <initializer_list>

#include "core/error.hpp"
#include "model/json_file.hpp"
#include "model/kv_shape.hpp"

namespace rung {
namespace {

using nlohmann::json;

constexpr int kMaxNumber = 1 << 24;

struct Fields {
  const std::string& what;
  const json& object;

  /// The first of `names` that is there; null counts as absent, as in transformers.
  const json* find(std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      const auto at = object.find(name);
      if (at != object.end() && !at->is_null()) return &*at;
    }
    return nullptr;
  }
  int number(std::initializer_list<const char*> names) const {
    const json* value = find(names);
    if (value == nullptr) fail("{}: '{}' is missing, and the KV cache depends on it", what, *names.begin());
    if (!value->is_number_unsigned() || value->get<std::uint64_t>() > kMaxNumber) {
      fail("{}: '{}' is {}, expected an integer from 0 to {}", what, *names.begin(), value->dump(),
           kMaxNumber);
    }
    return value->get<int>();
  }
  int number(std::initializer_list<const char*> names, int otherwise) const {
    return find(names) != nullptr ? number(names) : otherwise;
  }
  bool flag(const char* name, bool otherwise) const {
    const json* value = find({name});
    return value != nullptr && value->is_boolean() ? value->get<bool>() : otherwise;
  }
};

int kv_heads_of(const Fields& config, const std::string& architecture, int heads) {
  // Falcon's newer layout names its groups; its older one has one KV head unless multi_query is off.
  const bool falcon = architecture == "falcon" || architecture == "RefinedWebModel";
  if (falcon && config.flag("new_decoder_architecture", false)) {
    return config.number({"num_kv_heads", "n_head_kv"}, heads);
  }
  if (config.flag("multi_query", falcon || architecture == "gpt_bigcode")) return 1;
  if (config.flag("multi_query_attention", false))
    return config.number({"multi_query_group_num"});  // ChatGLM
  return config.number({"num_key_value_heads", "num_kv_heads", "n_head_kv"}, heads);
}

/// The period of a repeated pattern of windowed layers whose last layer has none; 1: all layers alike.
int window_period(const Fields& config, const std::string& architecture) {
  int otherwise = 1;
  if (architecture == "gemma2") otherwise = 2;
  if (architecture == "cohere2") otherwise = 4;
  if (architecture == "gemma3_text" || architecture == "gemma3") otherwise = 6;
  return std::max(1, config.number({"sliding_window_pattern", "_sliding_window_pattern"}, otherwise));
}

void read_windows(const Fields& config, const std::string& architecture, std::vector<KvLayer>& layers) {
  const int window = config.number({"sliding_window", "attention_chunk_size"}, 0);
  if (window == 0 || !config.flag("use_sliding_window", true)) return;
  const auto count = layers.size();
  if (const json* types = config.find({"layer_types"}); types != nullptr && types->is_array()) {
    if (types->size() != count) {
      fail("{}: 'layer_types' has {} elements for {} layers", config.what, types->size(), count);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const json& type = (*types)[i];
      if (!type.is_string()) fail("{}: 'layer_types' has an element that is no string", config.what);
      const auto name = type.get<std::string>();
      if (name == "sliding_attention" || name == "chunked_attention") layers[i].window = window;
    }
    return;
  }
  if (config.find({"max_window_layers"}) != nullptr) {  // Qwen2: the layers from this one on
    for (auto i = static_cast<std::size_t>(config.number({"max_window_layers"})); i < count; ++i) {
      layers[i].window = window;
    }
    return;
  }
  const auto period = static_cast<std::size_t>(window_period(config, architecture));
  for (std::size_t i = 0; i < count; ++i) {
    if (period == 1 || i % period != period - 1) layers[i].window = window;
  }
}

}  // namespace

KvShape kv_shape_from_config(std::string_view text, const std::string& what) {
  const json document = parse_json(text, what);
  if (!document.is_object()) fail("{}: expected a JSON object", what);
  KvShape shape;
  const auto text_of = [](const json& object, const char* key) {
    const auto at = object.find(key);
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  shape.name = text_of(document, "_name_or_path");
  shape.architecture = text_of(document, "model_type");
  // Models that also see images keep their language part in an object of its own.
  const auto part = document.find("text_config");
  const bool nested = part != document.end() && part->is_object();
  if (nested && !text_of(*part, "model_type").empty()) shape.architecture = text_of(*part, "model_type");
  const Fields config{what, nested ? *part : document};

  const int layers = config.number({"num_hidden_layers", "n_layer", "n_layers", "num_layers"});
  constexpr int kMaxLayers = 1 << 14;
  if (layers < 1 || layers > kMaxLayers) {
    fail("{}: 'num_hidden_layers' is {}; 1 to {} are possible", what, layers, kMaxLayers);
  }
  KvLayer layer;
  shape.heads = config.number({"num_attention_heads", "n_head", "n_heads", "num_heads"}, 0);
  if (const int latent = config.number({"kv_lora_rank"}, 0); latent > 0) {
    layer.latent = latent;
    layer.rotary_key = config.number({"qk_rope_head_dim"});
  } else {
    if (shape.heads < 1) fail("{}: 'num_attention_heads' is missing, and the KV cache depends on it", what);
    layer.kv_heads = kv_heads_of(config, shape.architecture, shape.heads);
    layer.key_dim = config.number({"head_dim", "kv_channels"}, 0);
    if (layer.key_dim == 0) {
      layer.key_dim = config.number({"hidden_size", "n_embd", "d_model"}) / shape.heads;
    }
    layer.value_dim = config.number({"v_head_dim"}, layer.key_dim);
  }
  shape.layers.assign(static_cast<std::size_t>(layers), layer);
  read_windows(config, shape.architecture, shape.layers);
  shape.context_length = config.number(
      {"max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length", "seq_length", "max_seq_len"},
      0);
  shape.validate();
  return shape;
}

}  // namespace rung
