// Reads what rung inspect reports, and writes it as JSON.

#include <filesystem>
#include <map>

#include "cli/inspect.hpp"
#include "core/input_text.hpp"
#include "files/gguf.hpp"
#include "files/safetensors.hpp"

namespace rung::cli {
namespace {

namespace fs = std::filesystem;

/// Reads metadata and tensors as the file has them.
void read_gguf(InspectReport& report) {
  const auto gguf = Gguf::open(report.path);
  report.format = fmt::format("GGUF v{}", gguf->version());
  if (gguf->file_count() > 1) report.format += fmt::format(" in {} files", gguf->file_count());
  for (const GgufEntry& entry : gguf->entries()) {
    report.metadata.emplace_back(entry.key, gguf->value_text(entry));
  }
  for (const GgufTensor& t : gguf->tensors()) {
    report.tensors.push_back(
        {t.name, std::string(traits(t.view.dtype).name), {t.dims.rbegin(), t.dims.rend()}, t.view.bytes()});
  }
}

void read_folder(InspectReport& report) {
  report.format = "Hugging Face folder";
  const std::string path = (fs::path(report.path) / "config.json").string();
  const Json config = Json::parse(read_input(path, "the configuration"), nullptr, false);
  if (config.is_object()) {
    for (const auto& [key, value] : config.items()) report.metadata.emplace_back(key, dump_json(value, -1));
  }
  const auto files = SafeTensors::open_folder(report.path);
  for (const auto& [name, t] : files->tensors()) {
    report.tensors.push_back({name, t.dtype_name, t.shape, t.bytes});
  }
}

/// Adds each tensor's share of all bytes, and the sums of each type.
void add_sums(InspectReport& report) {
  for (const InspectedTensor& tensor : report.tensors) report.tensor_bytes += tensor.bytes;
  const auto share = [&](std::size_t part) {
    return report.tensor_bytes == 0 ? 0.0
                                    : static_cast<double>(part) / static_cast<double>(report.tensor_bytes);
  };
  std::map<std::string, InspectedType> types;
  for (InspectedTensor& tensor : report.tensors) {
    tensor.share = share(tensor.bytes);
    InspectedType& type = types[tensor.type];
    type.type = tensor.type;
    ++type.tensors;
    type.bytes += tensor.bytes;
    type.elements += tensor.elements();
  }
  for (auto& [name, type] : types) {
    type.share = share(type.bytes);
    report.types.push_back(type);
  }
}

InspectedModel inspect_model(const Model& model) {
  return {model.config,
          model.weights.parameters(),
          model.weights.parameters(model.config.experts_per_token),
          model.tokenizer->describe(),
          model.weights.bytes(),
          model.converted_bytes};
}

Json kv_cache_json(const InspectedModel& m) {
  Json contexts = Json::array();
  for (const auto& [tokens, bytes] : m.kv_contexts()) {
    contexts.push_back({{"tokens", tokens}, {"bytes", bytes}});
  }
  return {{"formula", m.kv_formula()},
          {"bytes_per_token", m.kv_bytes_per_token()},
          {"bytes_at_full_context", m.kv_bytes_per_token() * m.config.context_length},
          {"contexts", contexts}};
}

}  // namespace

std::int64_t InspectedTensor::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

double InspectedType::bits_per_weight() const {
  return elements == 0 ? 0.0 : 8.0 * static_cast<double>(bytes) / static_cast<double>(elements);
}

std::int64_t InspectedModel::kv_bytes_per_token() const { return config.kv_bytes_per_token(2); }

std::string InspectedModel::kv_formula() const {
  return fmt::format(
      "2 (K and V) * {} layers * {} KV heads * {} head_dim * 2 bytes (f16) = {} bytes per token",
      config.layers, config.kv_heads, config.head_dim, kv_bytes_per_token());
}

std::vector<std::pair<std::int64_t, std::int64_t>> InspectedModel::kv_contexts() const {
  std::vector<std::pair<std::int64_t, std::int64_t>> contexts;
  const auto add = [&](std::int64_t tokens) { contexts.emplace_back(tokens, kv_bytes_per_token() * tokens); };
  for (std::int64_t tokens = 1024; tokens < config.context_length; tokens *= 4) add(tokens);
  add(config.context_length);
  return contexts;
}

InspectReport inspect(const std::string& path) {
  InspectReport report;
  report.path = path;
  if (fs::is_directory(path)) {
    read_folder(report);
  } else {
    read_gguf(report);
  }
  add_sums(report);
  try {
    report.model = inspect_model(load_model(path));
  } catch (const Error& error) {
    report.not_runnable = error.what();
  }
  return report;
}

Json model_json(const InspectedModel& m) {
  const ModelConfig& c = m.config;
  Json json = {{"architecture", c.architecture},
               {"name", c.name},
               {"layers", c.layers},
               {"dim", c.dim},
               {"heads", c.heads},
               {"kv_heads", c.kv_heads},
               {"head_dim", c.head_dim},
               {"ffn_dim", c.ffn_dim}};
  if (c.experts != 0) {
    json["experts"] = c.experts;
    json["experts_per_token"] = c.experts_per_token;
  }
  json["parameters"] = m.parameters;
  if (c.experts != 0) json["active_parameters"] = m.active_parameters;
  json.update(Json{{"vocab_size", c.vocab_size},
                   {"context_length", c.context_length},
                   {"norm_eps", c.norm_eps},
                   {"rope_theta", c.rope.theta},
                   {"rotary_dim", c.rotary_dim},
                   {"rope_pairs", c.rope_pairs == RopePairs::interleaved ? "interleaved" : "half"},
                   {"tied_embeddings", c.tied_embeddings},
                   {"tokenizer", m.tokenizer},
                   {"weights_bytes", m.weights_bytes},
                   {"converted_bytes", m.converted_bytes}});
  return json;
}

Json to_json(const InspectReport& report) {
  Json json = {{"path", report.path}, {"format", report.format}};
  json["metadata"] = Json::object();
  for (const auto& [key, value] : report.metadata) json["metadata"][key] = value;
  json["tensors"] = Json::array();
  for (const InspectedTensor& t : report.tensors) {
    json["tensors"].push_back(
        {{"name", t.name}, {"type", t.type}, {"shape", t.shape}, {"bytes", t.bytes}, {"share", t.share}});
  }
  json["tensor_bytes"] = report.tensor_bytes;
  json["types"] = Json::array();
  for (const InspectedType& t : report.types) {
    json["types"].push_back({{"type", t.type},
                             {"tensors", t.tensors},
                             {"elements", t.elements},
                             {"bytes", t.bytes},
                             {"bits_per_weight", t.bits_per_weight()},
                             {"share", t.share}});
  }
  if (report.model) {
    json["model"] = model_json(*report.model);
    json["kv_cache"] = kv_cache_json(*report.model);
  } else {
    json["not_runnable"] = report.not_runnable;
  }
  return json;
}

}  // namespace rung::cli
