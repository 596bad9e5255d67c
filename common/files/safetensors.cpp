#include "files/safetensors.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>

#include "core/error.hpp"
#include "files/json_file.hpp"

namespace rung {
namespace {

using nlohmann::json;

// The limit of the reference implementation for one header.
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

struct SafeType {
  std::string_view name;
  std::uint64_t bytes;
  std::optional<DType> dtype;  // none: such tensors may be there but cannot be used
};

constexpr std::array<SafeType, 15> kTypes = {{
    {"F32", 4, DType::f32},
    {"F16", 2, DType::f16},
    {"BF16", 2, DType::bf16},
    {"F64", 8, {}},
    {"I64", 8, {}},
    {"U64", 8, {}},
    {"I32", 4, {}},
    {"U32", 4, {}},
    {"I16", 2, {}},
    {"U16", 2, {}},
    {"I8", 1, {}},
    {"U8", 1, {}},
    {"BOOL", 1, {}},
    {"F8_E4M3", 1, DType::f8_e4m3},
    {"F8_E5M2", 1, {}},
}};

/// A tensor's description in the header, with its bytes as [begin, end) of the data.
struct Entry {
  SafeTensor tensor;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Checks what the header says of a tensor against what is there.
Entry check_entry(const std::string& path, SafetensorsEntry&& said, std::uint64_t data_bytes) {
  const std::string where = fmt::format("{}: tensor '{}'", path, said.name);
  Entry entry;
  entry.tensor.name = std::move(said.name);
  entry.tensor.dtype_name = std::move(said.dtype);
  entry.tensor.shape = std::move(said.shape);
  const auto type = std::find_if(kTypes.begin(), kTypes.end(),
                                 [&](const SafeType& row) { return row.name == entry.tensor.dtype_name; });
  if (type == kTypes.end()) {
    fail("{}: unknown data type '{}'; supported for weights: F32, F16, BF16, F8_E4M3", where,
         entry.tensor.dtype_name);
  }

  std::uint64_t bytes = type->bytes;
  for (const std::int64_t size : entry.tensor.shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes)) {
      fail("{}: its shape overflows 64 bits", where);
    }
  }
  entry.begin = said.begin;
  entry.end = said.end;
  if (entry.begin > entry.end || entry.end > data_bytes) {
    fail(
        "{}: 'data_offsets' must be [begin, end] within the {} bytes of tensor data; the file is truncated "
        "or damaged",
        where, data_bytes);
  }
  if (entry.end - entry.begin != bytes) {
    fail("{}: its shape and type {} need {} bytes, 'data_offsets' give {}", where, entry.tensor.dtype_name,
         bytes, entry.end - entry.begin);
  }
  entry.tensor.bytes = bytes;
  if (type->dtype && bytes > 0) {
    const std::int64_t cols = entry.tensor.shape.empty() ? 1 : entry.tensor.shape.back();
    const auto elements = static_cast<std::int64_t>(bytes / type->bytes);
    entry.tensor.view = Tensor(nullptr, *type->dtype, elements / cols, cols);
  }
  return entry;
}

}  // namespace

std::shared_ptr<const SafeTensors> SafeTensors::open_file(const std::string& path,
                                                          const SafetensorsReader& reader,
                                                          const FileOpener& opener) {
  std::shared_ptr<SafeTensors> result(new SafeTensors(path, opener));
  result->read_file(path, reader);
  return result;
}

std::shared_ptr<const SafeTensors> SafeTensors::open_folder(const std::string& folder,
                                                            const SafetensorsReader& reader,
                                                            const FileOpener& opener) {
  const std::filesystem::path root(folder);
  const auto single = root / "model.safetensors";
  const auto index = root / "model.safetensors.index.json";
  std::shared_ptr<SafeTensors> result(new SafeTensors(folder, opener));
  std::error_code error;  // what cannot be looked at is as good as absent
  if (std::filesystem::exists(single, error)) {
    result->read_file(single.string(), reader);
  } else if (std::filesystem::exists(index, error)) {
    result->read_shards(folder, index.string(), reader);
  } else {
    fail(
        "{} has neither model.safetensors nor model.safetensors.index.json; other weight files (such as "
        "pytorch_model.bin) must be converted to safetensors first",
        folder);
  }
  return result;
}

const SafeTensor* SafeTensors::find(std::string_view name) const {
  const auto at = tensors_.find(name);
  return at == tensors_.end() ? nullptr : &at->second;
}

void SafeTensors::read_file(const std::string& path, const SafetensorsReader& reader) {
  files_.push_back(opener_(path));
  const auto bytes = files_.back()->bytes();
  std::uint64_t header_bytes = 0;
  if (bytes.size() < sizeof header_bytes) {
    fail("{} is no safetensors file: it has only {} bytes", path, bytes.size());
  }
  std::memcpy(&header_bytes, bytes.data(), sizeof header_bytes);
  const std::uint64_t most = std::min<std::uint64_t>(kMaxHeaderBytes, bytes.size() - sizeof header_bytes);
  if (header_bytes > most) {
    fail(
        "{}: the header claims {} bytes, at most {} are possible here; it is no safetensors file, or "
        "truncated",
        path, header_bytes, most);
  }
  const auto* text = reinterpret_cast<const char*>(bytes.data() + sizeof header_bytes);
  // The format wants the brace. A JSON parser may take a NUL for the end of its input, and what stands behind
  // it for nothing.
  if (header_bytes == 0 || *text != '{')
    fail("{}: the header must begin with '{{', as the format asks", path);
  if (std::memchr(text, 0, header_bytes) != nullptr) {
    fail("{}: the header has a byte of value 0, which no JSON text has", path);
  }
  const auto data = bytes.subspan(sizeof header_bytes + header_bytes);
  std::vector<SafetensorsEntry> said =
      reader.read({text, header_bytes}, fmt::format("the header of {}", path));
  std::vector<Entry> entries;
  entries.reserve(said.size());
  for (SafetensorsEntry& entry : said) entries.push_back(check_entry(path, std::move(entry), data.size()));
  // The format wants the tensors to cover the data exactly: what remains is an overlap, a hole or a tail.
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t covered = 0;
  for (Entry& entry : entries) {
    if (entry.begin != covered) {
      fail(
          "{}: tensor '{}' begins at byte {} of the data, but the one before it ends at {}; they must follow "
          "each "
          "other without overlap or hole",
          path, entry.tensor.name, entry.begin, covered);
    }
    covered = entry.end;
    if (entry.tensor.view.rows > 0) {
      // Tensors are views without const; the mapping itself is read-only, so a write would be caught.
      entry.tensor.view.data = const_cast<std::byte*>(data.data() + entry.begin);
    }
    std::string name = entry.tensor.name;
    if (!tensors_.emplace(name, std::move(entry.tensor)).second) {
      fail("{}: tensor '{}' is in more than one shard", path, name);
    }
  }
  if (covered != data.size()) {
    fail("{}: the tensors end at byte {} of the data, but there are {}", path, covered, data.size());
  }
}

void SafeTensors::read_shards(const std::string& folder, const std::string& index_path,
                              const SafetensorsReader& reader) {
  const json index = read_json_file(index_path, kMaxHeaderBytes);
  const auto weight_map = index.is_object() ? index.find("weight_map") : index.end();
  if (weight_map == index.end() || !weight_map->is_object()) {
    fail("{}: 'weight_map' is missing or no JSON object", index_path);
  }
  std::set<std::string> shards;
  for (const auto& [name, shard] : weight_map->items()) {
    if (!shard.is_string()) fail("{}: the shard of tensor '{}' is no string", index_path, name);
    const auto file = shard.get<std::string>();
    // A shard lies beside its index: an index must not make us read elsewhere.
    if (file.empty() || file == ".." || file.find('/') != std::string::npos ||
        file.find('\0') != std::string::npos) {
      fail("{}: the shard of tensor '{}' is '{}', expected a file name without folders", index_path, name,
           file);
    }
    shards.insert(file);
  }
  if (shards.empty()) fail("{}: 'weight_map' names no tensors", index_path);
  for (const std::string& shard : shards) {
    const auto path = std::filesystem::path(folder) / shard;
    std::error_code error;
    if (!std::filesystem::exists(path, error)) {
      fail("{}: the shard {} is missing beside it; fetch the whole model", index_path, shard);
    }
    read_file(path.string(), reader);
  }
  for (const auto& [name, shard] : weight_map->items()) {
    if (find(name) == nullptr)
      fail("{}: tensor '{}' is not in its shard {}", index_path, name, shard.get<std::string>());
  }
}

}  // namespace rung
