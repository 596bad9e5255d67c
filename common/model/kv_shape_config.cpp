// Reads a KvShape from a config.json. Families use different names for the same field. Each list below has
// all names of one field, with the common one first. The meaning of each name was looked up in the families'
// modeling code in transformers.

#include "model/kv_shape_fields.hpp"

namespace rung {
namespace {

using nlohmann::json;

int kv_heads_of(const ConfigFields& config, const std::string& architecture, int heads) {
  // Falcon's newer layout names its groups; its older one has one KV head unless multi_query is off.
  const bool falcon = architecture == "falcon" || architecture == "RefinedWebModel";
  if (falcon && config.flag("new_decoder_architecture", false)) {
    return config.number({"num_kv_heads", "n_head_kv"}, heads);
  }
  if (config.flag("multi_query", falcon || architecture == "gpt_bigcode")) return 1;
  if (config.flag("multi_query_attention", false))
    return config.number({"multi_query_group_num"});  // ChatGLM
  // DBRX and MPT have an object for what belongs to attention.
  if (const json* part = config.find({"attn_config"}); part != nullptr && part->is_object()) {
    const ConfigFields fields{config.what, *part};
    if (fields.find({"kv_n_heads"}) != nullptr) return fields.number({"kv_n_heads"});
  }
  return config.number({"num_key_value_heads", "num_kv_heads", "n_head_kv"}, heads);
}

int layers_of(const ConfigFields& config, const std::string& architecture) {
  // LongCat-Flash counts pairs: each of its layers has two attentions.
  if (architecture == "longcat_flash") return 2 * config.number({"num_layers"});
  const auto names = {"num_hidden_layers", "n_layer", "n_layers", "num_layers"};
  // Nemotron-H lists its layers and may leave their number out.
  const json* list = config.find({"layers_block_type"});
  const bool listed = list != nullptr && list->is_array() && !list->empty();
  return listed && config.find(names) == nullptr ? static_cast<int>(list->size()) : config.number(names);
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
  const ConfigFields config{what, nested ? *part : document};

  const int layers = layers_of(config, shape.architecture);
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
    layer.key_dim = config.number({"head_dim", "kv_channels", "attention_head_dim"}, 0);
    if (layer.key_dim == 0) {
      layer.key_dim = config.number({"hidden_size", "n_embd", "d_model"}) / shape.heads;
    }
    layer.value_dim = config.number({"v_head_dim"}, layer.key_dim);
  }
  shape.layers.assign(static_cast<std::size_t>(layers), layer);
  read_layer_kinds(config, shape.architecture, shape.layers);
  shape.context_length = config.number(
      {"max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length", "seq_length", "max_seq_len"},
      0);
  shape.validate();
  return shape;
}

}  // namespace rung
