// rung inspect: what is in a model: metadata, sizes, the formula of its KV cache, tensors.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "cli/cli.hpp"
#include "model/gguf.hpp"
#include "model/safetensors.hpp"

namespace rung::cli {
namespace {

namespace fs = std::filesystem;

Json tensor_json(const std::string& name, const std::string& type, const std::vector<std::int64_t>& shape,
                 std::size_t bytes) {
  return {{"name", name}, {"type", type}, {"shape", shape}, {"bytes", bytes}};
}

// Metadata and tensors as the file has them, before any model is made of them.
void read_gguf(const std::string& path, Json& result) {
  const auto gguf = Gguf::open(path);
  result["format"] = fmt::format("GGUF v{}", gguf->version());
  for (const GgufEntry& entry : gguf->entries())
    result["metadata"][std::string(entry.key)] = gguf->value_text(entry);
  for (const GgufTensor& t : gguf->tensors()) {
    const std::vector<std::int64_t> slowest_first(t.dims.rbegin(), t.dims.rend());
    result["tensors"].push_back(
        tensor_json(t.name, std::string(traits(t.view.dtype).name), slowest_first, t.view.bytes()));
  }
}

void read_folder(const std::string& path, Json& result) {
  result["format"] = "Hugging Face folder";
  std::ifstream in(fs::path(path) / "config.json");
  const Json config = Json::parse(in, nullptr, false);
  if (config.is_object()) {
    for (const auto& [key, value] : config.items()) result["metadata"][key] = dump_json(value, -1);
  }
  const auto files = SafeTensors::open_folder(path);
  for (const auto& [name, t] : files->tensors()) {
    result["tensors"].push_back(tensor_json(name, t.dtype_name, t.shape, t.view.bytes()));
  }
}

// What the engine makes of it; a file that holds only a vocabulary has none of this.
void describe_model(const Model& model, Json& result) {
  const ModelConfig& c = model.config;
  result["model"] = {{"architecture", c.architecture},
                     {"name", c.name},
                     {"layers", c.layers},
                     {"dim", c.dim},
                     {"heads", c.heads},
                     {"kv_heads", c.kv_heads},
                     {"head_dim", c.head_dim},
                     {"ffn_dim", c.ffn_dim},
                     {"vocab_size", c.vocab_size},
                     {"context_length", c.context_length},
                     {"norm_eps", c.norm_eps},
                     {"rope_theta", c.rope_theta},
                     {"rotary_dim", c.rotary_dim},
                     {"rope_pairs", c.rope_pairs == RopePairs::interleaved ? "interleaved" : "half"},
                     {"tied_embeddings", c.tied_embeddings},
                     {"tokenizer", model.tokenizer->describe()},
                     {"weights_bytes", model.weights.bytes()},
                     {"converted_bytes", model.converted_bytes}};
  const std::int64_t per_token = c.kv_bytes_per_token(4);
  result["kv_cache"] = {
      {"formula",
       fmt::format("2 (K and V) * {} layers * {} KV heads * {} head_dim * 4 bytes (f32) = {} bytes per token",
                   c.layers, c.kv_heads, c.head_dim, per_token)},
      {"bytes_per_token", per_token},
      {"bytes_at_full_context", per_token * c.context_length}};
}

void print_text(const Json& r) {
  fmt::print("{} ({}, {:.1f} MB)\n", r["path"].get<std::string>(), r["format"].get<std::string>(),
             r["tensor_bytes"].get<double>() * 1e-6);
  if (r.contains("model")) {
    fmt::print("\nModel\n");
    for (const auto& [key, value] : r["model"].items()) {
      fmt::print("  {:<18} {}\n", key, value.is_string() ? value.get<std::string>() : dump_json(value, -1));
    }
    fmt::print("\nKV cache\n  {}\n  {:.1f} MB at the full context of {}\n",
               r["kv_cache"]["formula"].get<std::string>(),
               r["kv_cache"]["bytes_at_full_context"].get<double>() * 1e-6,
               r["model"]["context_length"].get<int>());
  } else {
    fmt::print("\nNot a model that runs here: {}\n", r["not_runnable"].get<std::string>());
  }
  fmt::print("\nMetadata\n");
  for (const auto& [key, value] : r["metadata"].items())
    fmt::print("  {:<44} {}\n", key, value.get<std::string>());
  fmt::print("\nTensors ({})\n", r["tensors"].size());
  for (const Json& t : r["tensors"]) {
    fmt::print("  {:<44} {:<6} {:>16} {:>14} bytes\n", t["name"].get<std::string>(),
               t["type"].get<std::string>(), dump_json(t["shape"], -1), t["bytes"].get<std::size_t>());
  }
}

}  // namespace

void add_inspect(CLI::App& app, Program& program) {
  CLI::App* command =
      add_command(app, program, "inspect", "metadata, tensors, sizes, and the formula of the KV cache");
  const auto model = std::make_shared<std::string>();
  command->add_option("model,-m,--model", *model, "a GGUF file, a Hugging Face folder, or an embedded model");
  command->callback([&program, model] {
    program.run = [&program, model] {
      const std::string path = resolve_model(*model);
      Json result = {{"path", path}, {"format", ""}};
      result["metadata"] = Json::object();
      result["tensors"] = Json::array();
      if (fs::is_directory(path)) {
        read_folder(path, result);
      } else {
        read_gguf(path, result);
      }
      std::size_t bytes = 0;
      for (const Json& tensor : result["tensors"]) bytes += tensor["bytes"].get<std::size_t>();
      result["tensor_bytes"] = bytes;
      try {
        describe_model(load_model(path), result);
      } catch (const Error& error) {
        result["not_runnable"] = error.what();
      }
      if (program.json) {
        print_json(result);
      } else {
        print_text(result);
      }
    };
  });
}

}  // namespace rung::cli
