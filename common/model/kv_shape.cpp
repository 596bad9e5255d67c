// KvShape: its arithmetic, and the choice of the reader for a path. kv_shape_config.cpp reads config.json.

#include "model/kv_shape.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>

#include "core/error.hpp"
#include "files/gguf.hpp"
#include "files/json_file.hpp"
#include "files/mapped_file.hpp"

namespace rung {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxLayers = 1 << 14;
constexpr int kMaxNumber = 1 << 24;  // of any field; their products stay far below 2^63
constexpr std::uint64_t kMaxIndexBytes = 100'000'000;

/// Metadata of one architecture, with the sentences for values that cannot be.
struct ShapeKeys {
  const Gguf& gguf;
  std::string prefix;

  std::string name(std::string_view key) const { return fmt::format("{}.{}", prefix, key); }
  bool has(std::string_view key) const { return gguf.has(name(key)); }
  int number(std::string_view key) const {
    const std::uint64_t value = gguf.get_u64(name(key));
    if (value > kMaxNumber) {
      fail("{}: metadata '{}' is {}; at most {} is possible", gguf.path(), name(key), value, kMaxNumber);
    }
    return static_cast<int>(value);
  }
  int number(std::string_view key, int otherwise) const { return has(key) ? number(key) : otherwise; }

  /// A number for all layers, or one per layer.
  std::vector<int> per_layer(std::string_view key, int layers, int otherwise) const {
    const GgufEntry* entry = gguf.find(name(key));
    if (entry == nullptr || entry->type != GgufType::array) {
      return std::vector<int>(static_cast<std::size_t>(layers), number(key, otherwise));
    }
    std::vector<int> result;
    for (const std::int64_t value : gguf.int_array(name(key))) {
      if (value < 0 || value > kMaxNumber) {
        fail("{}: metadata '{}' has an element of {}; 0 to {} are possible", gguf.path(), name(key), value,
             kMaxNumber);
      }
      result.push_back(static_cast<int>(value));
    }
    if (result.size() != static_cast<std::size_t>(layers)) {
      fail("{}: metadata '{}' has {} elements for {} layers", gguf.path(), name(key), result.size(), layers);
    }
    return result;
  }
};

/// How many layers form a period whose last one looks at everything: where llama.cpp's readers know it from
/// the architecture. 1: every layer has the window.
int window_period(std::string_view architecture) {
  if (architecture == "gemma2" || architecture == "gpt-oss") return 2;
  if (architecture == "cohere2" || architecture == "olmo2" || architecture == "exaone4") return 4;
  if (architecture == "gemma3n") return 5;
  if (architecture == "gemma3") return 6;
  return 1;
}

void read_windows(const ShapeKeys& keys, KvShape& shape) {
  const int window = keys.number("attention.sliding_window", 0);
  if (window == 0) return;
  const std::string pattern = "attention.sliding_window_pattern";
  const GgufEntry* entry = keys.gguf.find(keys.name(pattern));
  if (entry != nullptr && entry->type == GgufType::array) {  // one flag per layer
    const std::vector<int> flags = keys.per_layer(pattern, static_cast<int>(shape.layers.size()), 0);
    for (std::size_t i = 0; i < flags.size(); ++i) shape.layers[i].window = flags[i] != 0 ? window : 0;
    return;
  }
  const auto period =
      static_cast<std::size_t>(std::max(1, keys.number(pattern, window_period(shape.architecture))));
  for (std::size_t i = 0; i < shape.layers.size(); ++i) {
    if (period == 1 || i % period != period - 1) shape.layers[i].window = window;
  }
}

/// Layers with heads of another size where they have a window (Gemma 4), without attention (Qwen3-Next), or
/// without keys and values of their own, which they read from a layer before them (Gemma 3n).
void read_exceptions(const ShapeKeys& keys, KvShape& shape) {
  if (keys.number("attention.indexer.key_length", 0) > 0) {
    fail("{}: metadata '{}' asks for keys of an index beside the cache; the formula does not have them",
         keys.gguf.path(), keys.name("attention.indexer.key_length"));
  }
  for (KvLayer& layer : shape.layers) {
    if (layer.window == 0 || layer.latent > 0) continue;
    layer.key_dim = keys.number("attention.key_length_swa", layer.key_dim);
    layer.value_dim = keys.number("attention.value_length_swa", layer.value_dim);
  }
  const int known = shape.architecture == "qwen3next" ? 4 : 0;  // what llama.cpp takes if the file is silent
  const auto interval = static_cast<std::size_t>(keys.number("full_attention_interval", known));
  for (std::size_t i = 0; interval > 0 && i < shape.layers.size(); ++i) {
    if (i % interval != interval - 1) shape.layers[i] = KvLayer{};
  }
  const auto shared = static_cast<std::size_t>(keys.number("attention.shared_kv_layers", 0));
  for (std::size_t i = shape.layers.size() - std::min(shared, shape.layers.size()); i < shape.layers.size();
       ++i) {
    shape.layers[i] = KvLayer{};
  }
}

KvShape from_gguf(const Gguf& gguf) {
  KvShape shape;
  shape.architecture = gguf.get_string("general.architecture");
  shape.name = gguf.get_string("general.name", "");
  const ShapeKeys keys{gguf, shape.architecture};
  const int layers = keys.number("block_count");
  if (layers < 1 || layers > kMaxLayers) {
    fail("{}: metadata '{}' is {}; 1 to {} are possible", gguf.path(), keys.name("block_count"), layers,
         kMaxLayers);
  }
  // Heads may differ from layer to layer; what matters is the number of KV heads.
  const std::vector<int> heads = keys.per_layer("attention.head_count", layers, 0);
  shape.heads = *std::max_element(heads.begin(), heads.end());
  const int dim = keys.number("embedding_length", 0);
  const int head_dim = shape.heads > 0 ? dim / shape.heads : 0;
  const int latent = keys.number("attention.kv_lora_rank", 0);
  const std::vector<int> kv_heads = keys.per_layer("attention.head_count_kv", layers, -1);
  for (int i = 0; i < layers; ++i) {
    const auto at = static_cast<std::size_t>(i);
    KvLayer layer;
    if (latent > 0) {
      layer.latent = latent;
      layer.rotary_key = keys.number("rope.dimension_count");
    } else {
      layer.kv_heads = kv_heads[at] >= 0 ? kv_heads[at] : heads[at];
      layer.key_dim = keys.number("attention.key_length", head_dim);
      layer.value_dim = keys.number("attention.value_length", head_dim);
    }
    shape.layers.push_back(layer);
  }
  read_windows(keys, shape);
  read_exceptions(keys, shape);
  shape.context_length = keys.number("context_length", 0);
  for (const GgufTensor& tensor : gguf.tensors()) shape.weight_bytes += tensor.view.bytes();
  return shape;
}

/// Bytes of the weights of a folder: the sizes of its files, which end in headers of a few kilobytes.
std::uint64_t folder_bytes(const fs::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".safetensors") bytes += entry.file_size(error);
  }
  if (bytes > 0) return bytes;
  // Only the index was fetched: it says how large the shards are.
  const fs::path index = folder / "model.safetensors.index.json";
  if (!fs::exists(index, error) || fs::file_size(index, error) > kMaxIndexBytes) return 0;
  const nlohmann::json json = read_json_file(index.string(), kMaxIndexBytes);
  const auto total = json.value(nlohmann::json::json_pointer("/metadata/total_size"), nlohmann::json());
  return total.is_number_unsigned() ? total.get<std::uint64_t>() : 0;
}

KvShape from_config(const fs::path& path) {
  const MappedFile file(path.string());
  const auto bytes = file.bytes();
  if (bytes.size() > kMaxConfigBytes) {
    fail("{} has {} bytes; at most {} are read from a file of this kind", path.string(), bytes.size(),
         kMaxConfigBytes);
  }
  return kv_shape_from_config({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

}  // namespace

std::int64_t KvShape::elements_per_token() const {
  std::int64_t sum = 0;
  for (const KvLayer& layer : layers) sum += layer.elements();
  return sum;
}

bool KvShape::uniform() const {
  return std::all_of(layers.begin(), layers.end(), [&](const KvLayer& l) { return l == layers.front(); });
}

std::string_view KvShape::kind() const {
  std::string_view found;
  for (const KvLayer& layer : layers) {
    if (layer.elements() == 0) continue;
    std::string_view kind = "GQA";
    if (layer.latent > 0) {
      kind = "MLA";
    } else if (heads > 0 && layer.kv_heads == heads) {
      kind = "MHA";
    } else if (layer.kv_heads == 1) {
      kind = "MQA";
    }
    if (!found.empty() && found != kind) return "mixed";
    found = kind;
  }
  return found;
}

void KvShape::validate() const {
  const auto where = name.empty() ? std::string("the model") : name;
  if (layers.empty() || layers.size() > static_cast<std::size_t>(kMaxLayers)) {
    fail("{}: {} layers cannot be; 1 to {} are possible", where, layers.size(), kMaxLayers);
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const KvLayer& l = layers[i];
    for (const auto& [what, value] : {std::pair{"KV heads", l.kv_heads},
                                      {"numbers per key", l.key_dim},
                                      {"numbers per value", l.value_dim},
                                      {"numbers per latent", l.latent},
                                      {"numbers per rotated key", l.rotary_key},
                                      {"window", l.window}}) {
      if (value < 0 || value > kMaxNumber) {
        fail("{}: layer {} has {} {}; 0 to {} are possible", where, i, value, what, kMaxNumber);
      }
    }
    if (l.latent == 0 && l.kv_heads > 0 && (l.key_dim == 0 || l.value_dim == 0)) {
      fail("{}: layer {} has {} KV heads of unknown size; its head_dim is missing", where, i, l.kv_heads);
    }
    if (l.elements() > kMaxNumber) {
      fail("{}: layer {} would keep {} numbers per token; at most {} are possible", where, i, l.elements(),
           kMaxNumber);
    }
  }
  if (elements_per_token() == 0) fail("{}: no layer keeps keys or values; there is nothing to plan", where);
}

KvShape read_kv_shape(const std::string& path) {
  std::error_code error;
  KvShape shape;
  if (fs::is_directory(path, error)) {
    const fs::path config = fs::path(path) / "config.json";
    if (!fs::exists(config, error)) {
      fail("the folder '{}' has no config.json; give a Hugging Face folder, a config.json or a GGUF file",
           path);
    }
    shape = from_config(config);
    shape.weight_bytes = folder_bytes(path);
  } else if (fs::path(path).extension() == ".json") {
    shape = from_config(path);
  } else {
    shape = from_gguf(*Gguf::open(path));
  }
  try {
    shape.validate();
  } catch (const Error& wrong) {
    fail("{}: {}", path, wrong.what());
  }
  if (shape.name.empty()) shape.name = fs::path(path).filename().string();
  return shape;
}

}  // namespace rung
