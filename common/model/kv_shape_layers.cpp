// Reads from a config.json how the layers of one model differ. Every family expresses this in its own way.
// The meaning of each field was looked up in the families' modeling code in transformers.

#include <algorithm>

#include "model/kv_shape_fields.hpp"

namespace rung {
namespace {

using nlohmann::json;

enum class Kind { full, window, nothing };

/// The period of a repeated pattern of windowed layers whose last layer has none; 1: all layers alike.
int window_period(const ConfigFields& config, const std::string& architecture) {
  int otherwise = 1;
  if (architecture == "gemma2" || architecture == "gpt_oss") otherwise = 2;
  if (architecture == "cohere2" || architecture == "olmo3" || architecture == "llama4_text") otherwise = 4;
  if (architecture == "gemma3n_text") otherwise = 5;
  if (architecture == "gemma3_text" || architecture == "gemma3") otherwise = 6;
  return std::max(1, config.number({"sliding_window_pattern", "_sliding_window_pattern"}, otherwise));
}

Kind kind_of(const ConfigFields& config, const json& type) {
  if (!type.is_string()) fail("{}: 'layer_types' has an element that is no string", config.what);
  const auto name = type.get<std::string>();
  if (name == "sliding_attention" || name == "chunked_attention") return Kind::window;
  for (const char* known : {"full_attention", "attention", "hybrid"}) {
    if (name == known) return Kind::full;
  }
  for (const char* known : {"linear_attention", "mamba", "recurrent", "conv", "mlp", "moe"}) {
    if (name == known) return Kind::nothing;
  }
  fail("{}: 'layer_types' has '{}', of which it is not known what it keeps of a token", config.what, name);
}

/// One element per layer: `layer_types` in newer files, `layers_block_type` in Zamba's.
std::vector<Kind> from_types(const ConfigFields& config, const json& types, std::size_t count) {
  if (types.size() != count) {
    fail("{}: 'layer_types' has {} elements for {} layers", config.what, types.size(), count);
  }
  std::vector<Kind> kinds;
  for (const json& type : types) kinds.push_back(kind_of(config, type));
  return kinds;
}

/// The layers with attention of models that have it in some only; empty: not such a model. The others have a
/// state of fixed size, which is no KV cache.
std::vector<bool> attention_layers(const ConfigFields& config, std::size_t count) {
  std::vector<bool> has;
  const auto fill = [&](auto&& with_attention) {
    for (std::size_t i = 0; i < count; ++i) has.push_back(with_attention(i));
  };
  const auto listed = [&](const json& list, std::size_t i) {
    return std::any_of(list.begin(), list.end(), [i](const json& at) { return at == i; });
  };
  if (config.find({"full_attention_interval"}) != nullptr) {  // Qwen3-Next: every n-th
    const auto n = static_cast<std::size_t>(std::max(1, config.number({"full_attention_interval"})));
    fill([&](std::size_t i) { return i % n == n - 1; });
  } else if (config.find({"attn_layer_period"}) != nullptr) {  // Jamba
    const auto n = static_cast<std::size_t>(std::max(1, config.number({"attn_layer_period"})));
    const auto first = static_cast<std::size_t>(config.number({"attn_layer_offset"}));
    fill([&](std::size_t i) { return i % n == first; });
  } else if (const json* list = config.find({"attn_layer_indices", "full_attn_idxs"})) {  // Bamba, LFM2
    fill([&](std::size_t i) { return listed(*list, i); });
  } else if (const json* flags = config.find({"attn_type_list"})) {  // MiniMax: 1 is softmax attention
    if (!flags->is_array() || flags->size() != count) {
      fail("{}: 'attn_type_list' is no list of {} numbers, one per layer", config.what, count);
    }
    fill([&](std::size_t i) { return (*flags)[i] == 1; });
  } else if (const json* text = config.find({"hybrid_override_pattern"})) {  // Nemotron-H: "M-M*-"
    const auto pattern = text->is_string() ? text->get<std::string>() : std::string();
    if (pattern.size() != count) {
      fail("{}: 'hybrid_override_pattern' has {} letters for {} layers", config.what, pattern.size(), count);
    }
    fill([&](std::size_t i) { return pattern[i] == '*'; });
  } else if (const json* blocks = config.find({"block_types"})) {  // RecurrentGemma: repeated
    if (!blocks->is_array() || blocks->empty()) {
      fail("{}: 'block_types' is no list of kinds of layers", config.what);
    }
    fill([&](std::size_t i) { return (*blocks)[i % blocks->size()] == "attention"; });
  }
  return has;
}

std::vector<Kind> kinds_of(const ConfigFields& config, const std::string& architecture, int window,
                           std::size_t count) {
  const json* types = config.find({"layer_types", "layers_block_type"});
  if (types != nullptr && types->is_array()) return from_types(config, *types, count);
  std::vector<Kind> kinds(count, Kind::window);
  if (const json* flags = config.find({"hybrid_layer_pattern"})) {  // MiMo-V2: 1 has the window
    if (!flags->is_array() || flags->size() != count) {
      fail("{}: 'hybrid_layer_pattern' is no list of {} numbers, one per layer", config.what, count);
    }
    for (std::size_t i = 0; i < count; ++i) kinds[i] = (*flags)[i] == 1 ? Kind::window : Kind::full;
    return kinds;
  }
  if (const std::vector<bool> has = attention_layers(config, count); !has.empty()) {
    for (std::size_t i = 0; i < count; ++i) {
      if (!has[i]) kinds[i] = Kind::nothing;
    }
    return kinds;
  }
  if (window == 0) return std::vector<Kind>(count, Kind::full);
  if (config.find({"max_window_layers"}) != nullptr) {  // Qwen2: the layers from this one on
    const auto first = static_cast<std::size_t>(config.number({"max_window_layers"}));
    std::fill_n(kinds.begin(), std::min(first, count), Kind::full);
    return kinds;
  }
  const auto period = static_cast<std::size_t>(window_period(config, architecture));
  for (std::size_t i = period - 1; period > 1 && i < count; i += period) kinds[i] = Kind::full;
  return kinds;
}

/// Layers with a window and layers without may have other heads: Gemma 4 names those without, MiMo-V2 those
/// with one, and transformers writes the numbers of single layers.
void read_other_heads(const ConfigFields& config, const std::vector<Kind>& kinds,
                      std::vector<KvLayer>& layers) {
  const auto change = [](KvLayer& layer, int key_dim, int value_dim, int kv_heads) {
    if (key_dim > 0) layer.key_dim = key_dim;
    if (value_dim > 0) layer.value_dim = value_dim;
    if (kv_heads > 0) layer.kv_heads = kv_heads;
  };
  const int wide = config.number({"global_head_dim"}, 0);
  const int few =
      config.flag("attention_k_eq_v", false) ? config.number({"num_global_key_value_heads"}, 0) : 0;
  const int narrow = config.number({"swa_head_dim"}, 0);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (kinds[i] == Kind::full) change(layers[i], wide, wide, few);
    if (kinds[i] == Kind::window) {
      change(layers[i], narrow, config.number({"swa_v_head_dim"}, narrow),
             config.number({"swa_num_key_value_heads"}, 0));
    }
  }
  const json* each = config.find({"per_layer_config"});
  if (each == nullptr || !each->is_object()) return;
  for (const auto& [key, value] : each->items()) {
    const bool digits = !key.empty() && key.size() < 6 && key.find_first_not_of("0123456789") == key.npos;
    const std::size_t i = digits ? std::stoul(key) : layers.size();
    if (i >= layers.size() || !value.is_object()) {
      fail("{}: 'per_layer_config' has an entry '{}' for {} layers", config.what, key, layers.size());
    }
    const ConfigFields fields{config.what, value};
    const int dim = fields.number({"head_dim"}, 0);
    change(layers[i], dim, fields.number({"v_head_dim"}, dim), fields.number({"num_key_value_heads"}, 0));
  }
}

}  // namespace

void read_layer_kinds(const ConfigFields& config, const std::string& architecture,
                      std::vector<KvLayer>& layers) {
  // DeepSeek-V3.2 keeps a key per token beside the latent that chooses what is attended to.
  if (config.number({"index_head_dim"}, 0) > 0) {
    fail("{}: 'index_head_dim' asks for keys of an index beside the cache; the formula does not have them",
         config.what);
  }
  int window = config.number({"sliding_window", "attention_window_size", "attention_chunk_size"}, 0);
  if (!config.flag("use_sliding_window", true)) window = 0;
  const std::vector<Kind> kinds = kinds_of(config, architecture, window, layers.size());
  read_other_heads(config, kinds, layers);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (kinds[i] == Kind::window) layers[i].window = window;
    if (kinds[i] == Kind::nothing) layers[i] = KvLayer{};
  }
  // Gemma 3n: the last layers read what a layer before them keeps.
  const auto shared = static_cast<std::size_t>(config.number({"num_kv_shared_layers"}, 0));
  for (std::size_t i = layers.size() - std::min(shared, layers.size()); i < layers.size(); ++i) {
    layers[i] = KvLayer{};
  }
}

}  // namespace rung
