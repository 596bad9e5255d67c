// rung inspect: what is in a model: metadata, sizes by type, the formula of its KV cache, tensors.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "cli/cli.hpp"
#include "core/input_text.hpp"
#include "core/printable.hpp"
#include "files/gguf.hpp"
#include "files/safetensors.hpp"
#include "text/utf8.hpp"

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
  if (gguf->file_count() > 1) {
    result["format"] = fmt::format("GGUF v{} in {} files", gguf->version(), gguf->file_count());
  }
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
  const Json config =
      Json::parse(read_input((fs::path(path) / "config.json").string(), "the configuration"), nullptr, false);
  if (config.is_object()) {
    for (const auto& [key, value] : config.items()) result["metadata"][key] = dump_json(value, -1);
  }
  const auto files = SafeTensors::open_folder(path);
  for (const auto& [name, t] : files->tensors()) {
    result["tensors"].push_back(tensor_json(name, t.dtype_name, t.shape, t.bytes));
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
                     {"experts", c.experts},
                     {"experts_per_token", c.experts_per_token},
                     {"parameters", model.weights.parameters()},
                     {"active_parameters", model.weights.parameters(c.experts_per_token)},
                     {"vocab_size", c.vocab_size},
                     {"context_length", c.context_length},
                     {"norm_eps", c.norm_eps},
                     {"rope_theta", c.rope.theta},
                     {"rotary_dim", c.rotary_dim},
                     {"rope_pairs", c.rope_pairs == RopePairs::interleaved ? "interleaved" : "half"},
                     {"tied_embeddings", c.tied_embeddings},
                     {"tokenizer", model.tokenizer->describe()},
                     {"weights_bytes", model.weights.bytes()},
                     {"converted_bytes", model.converted_bytes}};
  if (c.experts == 0) {
    for (const char* key : {"experts", "experts_per_token", "active_parameters"}) result["model"].erase(key);
  }
  const std::int64_t per_token = c.kv_bytes_per_token(2);
  result["kv_cache"] = {
      {"formula",
       fmt::format("2 (K and V) * {} layers * {} KV heads * {} head_dim * 2 bytes (f16) = {} bytes per token",
                   c.layers, c.kv_heads, c.head_dim, per_token)},
      {"bytes_per_token", per_token},
      {"bytes_at_full_context", per_token * c.context_length}};
  Json contexts = Json::array();
  for (std::int64_t tokens = 1024; tokens < c.context_length; tokens *= 4) {
    contexts.push_back({{"tokens", tokens}, {"bytes", per_token * tokens}});
  }
  contexts.push_back({{"tokens", c.context_length}, {"bytes", per_token * c.context_length}});
  result["kv_cache"]["contexts"] = contexts;
}

std::int64_t elements_of(const Json& tensor) {
  std::int64_t elements = 1;
  for (const Json& size : tensor["shape"]) elements *= size.get<std::int64_t>();
  return elements;
}

/// Each tensor's share of all bytes, and what each type takes together.
void add_sums(Json& result) {
  std::size_t bytes = 0;
  for (const Json& tensor : result["tensors"]) bytes += tensor["bytes"].get<std::size_t>();
  result["tensor_bytes"] = bytes;
  const auto share = [bytes](std::size_t part) {
    return bytes == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(bytes);
  };
  struct Sum {
    std::size_t tensors = 0, bytes = 0;
    std::int64_t elements = 0;
  };
  std::map<std::string, Sum> sums;
  for (Json& tensor : result["tensors"]) {
    tensor["share"] = share(tensor["bytes"].get<std::size_t>());
    Sum& sum = sums[tensor["type"].get<std::string>()];
    ++sum.tensors;
    sum.bytes += tensor["bytes"].get<std::size_t>();
    sum.elements += elements_of(tensor);
  }
  result["types"] = Json::array();
  for (const auto& [type, sum] : sums) {
    const double bits =
        sum.elements == 0 ? 0.0 : 8.0 * static_cast<double>(sum.bytes) / static_cast<double>(sum.elements);
    result["types"].push_back({{"type", type},
                               {"tensors", sum.tensors},
                               {"elements", sum.elements},
                               {"bytes", sum.bytes},
                               {"bits_per_weight", bits},
                               {"share", share(sum.bytes)}});
  }
}

/// Tensors that differ in nothing but the number of their layer are one line.
struct Line {
  std::string name, type, shape;
  std::size_t count = 0, bytes = 0;
  double share = 0;
};

/// The name with its first number between dots replaced by {}: blk.{}.attn_q.weight.
std::string pattern_of(const std::string& name) {
  for (std::size_t begin = name.find('.'); begin != std::string::npos; begin = name.find('.', begin + 1)) {
    const std::size_t end = name.find_first_not_of("0123456789", begin + 1);
    if (end != std::string::npos && end > begin + 1 && name[end] == '.') {
      return name.substr(0, begin + 1) + "{}" + name.substr(end);
    }
  }
  return name;
}

std::vector<Line> lines_of(const Json& tensors, bool all) {
  std::vector<Line> lines;
  for (const Json& t : tensors) {
    const std::string name = printable(t["name"].get<std::string>());
    Line line{all ? name : pattern_of(name), t["type"].get<std::string>(), dump_json(t["shape"], -1), 1,
              t["bytes"].get<std::size_t>(), t["share"].get<double>()};
    const auto same = std::find_if(lines.begin(), lines.end(), [&](const Line& other) {
      return other.name == line.name && other.type == line.type && other.shape == line.shape;
    });
    if (same == lines.end()) {
      lines.push_back(std::move(line));
    } else {
      ++same->count;
      same->bytes += line.bytes;
      same->share += line.share;
    }
  }
  return lines;
}

void print_tensors(const Json& r, bool all) {
  fmt::print("\nTensors ({})\n", r["tensors"].size());
  if (r["tensors"].empty()) return;
  const std::vector<Line> lines = lines_of(r["tensors"], all);
  std::size_t width = 4;
  for (const Line& line : lines) width = std::max(width, line.name.size());
  fmt::print("  {:<{}}  {:>5}  {:<8} {:>16} {:>15} {:>7}\n", "name", width, "count", "type", "shape", "bytes",
             "share");
  for (const Line& line : lines) {
    fmt::print("  {:<{}}  {:>5}  {:<8} {:>16} {:>15} {:>5.1f} %\n", line.name, width, line.count, line.type,
               line.shape, line.bytes, 100 * line.share);
  }
  fmt::print("\n  {:<8} {:>7} {:>15} {:>15} {:>7} {:>16}\n", "type", "tensors", "elements", "bytes", "share",
             "bits per weight");
  for (const Json& t : r["types"]) {
    fmt::print("  {:<8} {:>7} {:>15} {:>15} {:>5.1f} % {:>16.3f}\n", t["type"].get<std::string>(),
               t["tensors"].get<std::size_t>(), t["elements"].get<std::int64_t>(),
               t["bytes"].get<std::size_t>(), 100 * t["share"].get<double>(),
               t["bits_per_weight"].get<double>());
  }
}

void print_text(const Json& r, bool all) {
  fmt::print("{} ({}, {:.1f} MB)\n", r["path"].get<std::string>(), r["format"].get<std::string>(),
             r["tensor_bytes"].get<double>() * 1e-6);
  if (r.contains("model")) {
    fmt::print("\nModel\n");
    for (const auto& [key, value] : r["model"].items()) {
      fmt::print("  {:<18} {}\n", key,
                 value.is_string() ? printable(value.get<std::string>()) : dump_json(value, -1));
    }
    fmt::print("\nKV cache of one sequence\n  {}\n", r["kv_cache"]["formula"].get<std::string>());
    for (const Json& context : r["kv_cache"]["contexts"]) {
      fmt::print("  {:>9} tokens {:>12.1f} MB\n", context["tokens"].get<std::int64_t>(),
                 context["bytes"].get<double>() * 1e-6);
    }
  } else {
    fmt::print("\nNot a model that runs here: {}\n", printable(r["not_runnable"].get<std::string>()));
  }
  fmt::print("\nMetadata\n");
  for (const auto& [key, value] : r["metadata"].items()) {
    const auto text = value.get<std::string>();
    // A file may contain a whole tokenizer.json.
    constexpr std::size_t kMaxShown = 2000;
    if (all || text.size() <= kMaxShown) {
      fmt::print("  {:<44} {}\n", printable(key), printable(text));
    } else {
      fmt::print("  {:<44} {} ... ({} bytes; --all shows them)\n", printable(key),
                 printable(text.substr(0, utf8_valid_length(text.substr(0, 200), 0))), text.size());
    }
  }
  print_tensors(r, all);
}

}  // namespace

void add_inspect(Command& app, Program& program) {
  Command* command =
      add_command(app, program, "inspect", "metadata, tensors, sizes, and the formula of the KV cache");
  const auto model = std::make_shared<std::string>();
  const auto all = std::make_shared<bool>(false);
  command->add_flag("--all", *all,
                    "a line for every tensor, not one for a tensor of all layers; long texts as a whole");
  command->add_option("model,-m,--model", *model, "a GGUF file, a Hugging Face folder, or an embedded model");
  command->callback([&program, model, all] {
    program.threads = false;
    program.run = [&program, model, all] {
      const std::string path = resolve_model(*model);
      Json result = {{"path", path}, {"format", ""}};
      result["metadata"] = Json::object();
      result["tensors"] = Json::array();
      if (fs::is_directory(path)) {
        read_folder(path, result);
      } else {
        read_gguf(path, result);
      }
      add_sums(result);
      try {
        describe_model(load_model(path), result);
      } catch (const Error& error) {
        result["not_runnable"] = error.what();
      }
      if (program.json) {
        print_json(result);
      } else {
        print_text(result, *all);
      }
    };
  });
}

}  // namespace rung::cli
