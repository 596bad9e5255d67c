// Opens a GGUF file, by reading its header once in the order of the format.

#include "files/gguf.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

#include "core/error.hpp"

namespace rung {

static_assert(std::endian::native == std::endian::little,
              "GGUF files are little-endian, and so is this code");

namespace {

// The numbers are ggml.h's (enum ggml_type) and llama.h's (enum llama_ftype). A K format alone is the file
// type that llama.cpp calls _S; mixtures with _M have numbers of their own (convert/quantize.hpp).
constexpr std::array<GgmlType, 15> kGgmlTypes = {{
    {0, DType::f32, 0},
    {1, DType::f16, 1},
    {2, DType::q4_0, 2},
    {3, DType::q4_1, 3},
    {6, DType::q5_0, 8},
    {7, DType::q5_1, 9},
    {8, DType::q8_0, 7},
    {10, DType::q2_k, 21},
    {11, DType::q3_k, 11},
    {12, DType::q4_k, 14},
    {13, DType::q5_k, 16},
    {14, DType::q6_k, 18},
    {20, DType::iq4_nl, 25},
    {30, DType::bf16, 32},
    {39, DType::mxfp4, 38},
}};

// Limits of the format and of good sense. None is near what real files have.
constexpr std::uint64_t kMaxKeyBytes = 65535;
constexpr std::uint64_t kMaxTensorNameBytes = 1024;
constexpr std::uint64_t kMaxAlignment = 1 << 20;
constexpr std::uint32_t kMaxDims = 4;
constexpr int kMaxNesting = 4;
// The least bytes that one entry can take: name length, type, one byte / name length, one dim, type, offset.
constexpr std::uint64_t kLeastEntryBytes = 8 + 4 + 1;
constexpr std::uint64_t kLeastTensorBytes = 8 + 4 + 8 + 4 + 8;

/// Bytes of a value of fixed size; 0 for strings and arrays.
std::uint64_t fixed_size(GgufType type) {
  switch (type) {
    case GgufType::u8:
    case GgufType::i8:
    case GgufType::boolean:
      return 1;
    case GgufType::u16:
    case GgufType::i16:
      return 2;
    case GgufType::u32:
    case GgufType::i32:
    case GgufType::f32:
      return 4;
    case GgufType::u64:
    case GgufType::i64:
    case GgufType::f64:
      return 8;
    case GgufType::string:
    case GgufType::array:
      break;
  }
  return 0;
}

std::string supported_types() {
  std::string text;
  for (const GgmlType& row : kGgmlTypes) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", traits(row.dtype).name, row.id);
  }
  return text;
}

}  // namespace

std::span<const GgmlType> ggml_types() { return kGgmlTypes; }

const GgmlType& ggml_type(DType type) {
  for (const GgmlType& row : kGgmlTypes) {
    if (row.dtype == type) return row;
  }
  fail_usage("GGUF files cannot hold tensors in {}; supported: {}", traits(type).name, supported_types());
}

std::string_view gguf_type_name(GgufType type) {
  constexpr std::array<std::string_view, 13> kNames = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                       "bool", "string", "array", "u64", "i64", "f64"};
  return kNames[static_cast<std::size_t>(type)];
}

/// A place in the header that only moves on after checking that the bytes are there.
class GgufCursor {
 public:
  explicit GgufCursor(const FileBytes& file) : path_(file.path()), bytes_(file.bytes()) {}

  const std::string& path() const { return path_; }
  std::uint64_t position() const { return position_; }
  std::uint64_t left() const { return bytes_.size() - position_; }
  std::span<const std::byte> since(std::uint64_t begin) const {
    return bytes_.subspan(begin, position_ - begin);
  }

  /// The next `count` bytes. `what` names them in the sentence.
  const std::byte* take(std::uint64_t count, std::string_view what) {
    if (count > left()) {
      fail("{}: the file ends inside {}: {} bytes needed at byte {}, {} left; it is truncated or damaged",
           path_, what, count, position_, left());
    }
    const std::byte* at = bytes_.data() + position_;
    position_ += count;
    return at;
  }

  template <class T>
  T number(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof value, what), sizeof value);
    return value;
  }

  std::string_view string(std::string_view what) {
    const auto length = number<std::uint64_t>(what);
    return {reinterpret_cast<const char*>(take(length, what)), static_cast<std::size_t>(length)};
  }

  GgufType type(std::string_view key) {
    const auto number_of_type = number<std::uint32_t>("the type of a metadata value");
    if (number_of_type > static_cast<std::uint32_t>(GgufType::f64)) {
      fail("{}: metadata '{}' has the unknown type {}; it must be from 0 to 12", path_, key, number_of_type);
    }
    return static_cast<GgufType>(number_of_type);
  }

  /// Steps over one value and checks it.
  void skip_value(GgufType type, std::string_view key) {
    if (type == GgufType::string) {
      string("a metadata string");
    } else if (type == GgufType::array) {
      skip_array(key, 1, nullptr);
    } else {
      const std::byte* at = take(fixed_size(type), "a metadata value");
      if (type == GgufType::boolean) check_bool(at, key);
    }
  }

  /// Steps over an array; its outermost element type and length go to `entry`.
  void skip_array(std::string_view key, int depth, GgufEntry* entry) {
    if (depth > kMaxNesting) {
      fail("{}: metadata '{}' nests arrays more than {} deep", path_, key, kMaxNesting);
    }
    const GgufType element = type(key);
    const auto count = number<std::uint64_t>("the length of a metadata array");
    // An element takes at least 1 byte, a string 8 (its length), an array 12: so a length can be
    // refused before anything is done with it.
    const std::uint64_t least = element == GgufType::string  ? 8
                                : element == GgufType::array ? 12
                                                             : fixed_size(element);
    if (count > left() / least) {
      fail(
          "{}: metadata '{}' claims {} elements of type {}, but only {} bytes are left; it is truncated or "
          "damaged",
          path_, key, count, gguf_type_name(element), left());
    }
    if (entry != nullptr) {
      entry->element_type = element;
      entry->count = count;
    }
    if (element == GgufType::array) {
      for (std::uint64_t i = 0; i < count; ++i) skip_array(key, depth + 1, nullptr);
    } else if (element == GgufType::string) {
      for (std::uint64_t i = 0; i < count; ++i) string("an array of strings");
    } else {
      const std::byte* at = take(count * fixed_size(element), "a metadata array");
      for (std::uint64_t i = 0; element == GgufType::boolean && i < count; ++i) check_bool(at + i, key);
    }
  }

 private:
  void check_bool(const std::byte* at, std::string_view key) const {
    const auto value = std::to_integer<unsigned>(*at);
    if (value > 1)
      fail("{}: metadata '{}' is a bool with the value {}; only 0 and 1 exist", path_, key, value);
  }

  const std::string& path_;
  std::span<const std::byte> bytes_;
  std::uint64_t position_ = 0;
};

namespace {

/// Name, shape and type of one tensor; its view and offset are filled in when all have been read.
GgufTensor read_tensor_info(GgufCursor& cursor) {
  GgufTensor tensor;
  const std::string& path = cursor.path();
  const std::string_view name = cursor.string("a tensor's name");
  if (name.empty() || name.size() > kMaxTensorNameBytes) {
    fail("{}: a tensor's name has {} bytes; 1 to {} are allowed", path, name.size(), kMaxTensorNameBytes);
  }
  tensor.name = name;
  const auto dims = cursor.number<std::uint32_t>("a tensor's number of dimensions");
  if (dims < 1 || dims > kMaxDims) {
    fail("{}: tensor '{}' has {} dimensions; 1 to {} are allowed", path, name, dims, kMaxDims);
  }
  // A quarter of the range of int64 leaves room for the bytes of any format.
  constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 61;
  std::uint64_t elements = 1;
  for (std::uint32_t d = 0; d < dims; ++d) {
    const auto size = cursor.number<std::uint64_t>("a tensor's dimensions");
    if (size == 0) fail("{}: dimension {} of tensor '{}' is 0", path, d, name);
    if (__builtin_mul_overflow(elements, size, &elements) || elements > kMaxElements) {
      fail("{}: the dimensions of tensor '{}' multiply to more than 2^61 elements", path, name);
    }
    tensor.dims.push_back(static_cast<std::int64_t>(size));
  }
  const auto type = cursor.number<std::uint32_t>("a tensor's type");
  const auto row = std::find_if(kGgmlTypes.begin(), kGgmlTypes.end(),
                                [type](const GgmlType& candidate) { return candidate.id == type; });
  if (row == kGgmlTypes.end()) {
    fail("{}: tensor '{}' has GGML type {}, which is not supported; supported: {}", path, name, type,
         supported_types());
  }
  const std::int64_t cols = tensor.dims[0];
  const int block = traits(row->dtype).block_elements;
  if (cols % block != 0) {
    fail("{}: tensor '{}' is {} with rows of {} elements, which is no multiple of its blocks of {}", path,
         name, traits(row->dtype).name, cols, block);
  }
  tensor.view = Tensor(nullptr, row->dtype, static_cast<std::int64_t>(elements) / cols, cols);
  tensor.offset = cursor.number<std::uint64_t>("a tensor's offset");
  return tensor;
}

/// Fails when two tensors share bytes.
void check_overlap(const std::string& path, std::span<const GgufTensor> tensors) {
  std::vector<const GgufTensor*> by_offset;
  for (const GgufTensor& tensor : tensors) by_offset.push_back(&tensor);
  std::sort(by_offset.begin(), by_offset.end(),
            [](const GgufTensor* a, const GgufTensor* b) { return a->offset < b->offset; });
  for (std::size_t i = 1; i < by_offset.size(); ++i) {
    const GgufTensor& before = *by_offset[i - 1];
    if (before.offset + before.view.bytes() > by_offset[i]->offset) {
      fail("{}: tensors '{}' and '{}' overlap at byte {}", path, before.name, by_offset[i]->name,
           by_offset[i]->offset);
    }
  }
}

}  // namespace

std::shared_ptr<Gguf> Gguf::open_one(const std::string& path, const FileOpener& opener) {
  return std::shared_ptr<Gguf>(new Gguf(opener(path)));
}

Gguf::Gguf(std::shared_ptr<const FileBytes> file) : file_(std::move(file)) {
  const std::string& path = file_->path();
  GgufCursor cursor(*file_);
  if (file_size() < 4 || std::memcmp(cursor.take(4, "its first four bytes"), "GGUF", 4) != 0) {
    fail("{} is no GGUF file: it does not start with the letters GGUF", path);
  }
  version_ = cursor.number<std::uint32_t>("its version");
  if (version_ != 0 && (version_ & 0xffffu) == 0) {
    fail(
        "{}: this GGUF file is big-endian; only little-endian ones are read: convert it with the gguf "
        "package's "
        "gguf-convert-endian",
        path);
  }
  if (version_ == 1) {
    fail(
        "{}: GGUF version 1 is not supported, its lengths have 32 bits; versions 2 and 3 are: convert the "
        "model "
        "again, or requantize it with an old llama.cpp",
        path);
  }
  if (version_ != 2 && version_ != 3) {
    fail("{}: GGUF version {} is not supported; versions 2 and 3 are", path, version_);
  }
  const auto tensor_count = cursor.number<std::uint64_t>("the number of tensors");
  const auto entry_count = cursor.number<std::uint64_t>("the number of metadata entries");
  if (tensor_count > cursor.left() / kLeastTensorBytes || entry_count > cursor.left() / kLeastEntryBytes) {
    fail("{}: the header claims {} tensors and {} metadata entries, more than its {} bytes can hold", path,
         tensor_count, entry_count, file_size());
  }
  for (std::uint64_t i = 0; i < entry_count; ++i) {
    GgufEntry entry;
    entry.key = cursor.string("a metadata key");
    if (entry.key.empty() || entry.key.size() > kMaxKeyBytes) {
      fail("{}: metadata entry {} has a key of {} bytes; 1 to {} are allowed", path, i, entry.key.size(),
           kMaxKeyBytes);
    }
    entry.type = cursor.type(entry.key);
    const std::uint64_t begin = cursor.position();
    entry.count = 1;
    if (entry.type == GgufType::array) {
      cursor.skip_array(entry.key, 1, &entry);
    } else {
      cursor.skip_value(entry.type, entry.key);
    }
    entry.raw = cursor.since(begin);
    if (!entry_by_key_.emplace(entry.key, entries_.size()).second) {
      fail("{}: metadata key '{}' appears twice", path, entry.key);
    }
    entries_.push_back(entry);
  }
  read_tensors(cursor, tensor_count);
}

void Gguf::read_tensors(GgufCursor& cursor, std::uint64_t count) {
  const std::uint64_t alignment = get_u64("general.alignment", 32);
  if (has("general.alignment") && find("general.alignment")->type != GgufType::u32) {
    fail("{}: metadata 'general.alignment' is {}, expected u32", path(),
         gguf_type_name(find("general.alignment")->type));
  }
  if (alignment < 8 || alignment > kMaxAlignment || !std::has_single_bit(alignment)) {
    fail("{}: general.alignment is {}; a power of two from 8 to {} is allowed", path(), alignment,
         kMaxAlignment);
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    tensors_.push_back(read_tensor_info(cursor));
    if (!tensor_by_name_.emplace(tensors_.back().name, tensors_.size() - 1).second) {
      fail("{}: tensor '{}' appears twice", path(), tensors_.back().name);
    }
  }
  const std::uint64_t data_begin = (cursor.position() + alignment - 1) / alignment * alignment;
  const std::uint64_t data_bytes = file_size() > data_begin ? file_size() - data_begin : 0;
  for (GgufTensor& tensor : tensors_) {
    if (tensor.offset % alignment != 0) {
      fail("{}: tensor '{}' has offset {}, which is no multiple of the alignment {}", path(), tensor.name,
           tensor.offset, alignment);
    }
    if (tensor.offset > data_bytes || tensor.view.bytes() > data_bytes - tensor.offset) {
      fail(
          "{}: tensor '{}' ({} bytes at offset {}) reaches beyond the {} bytes of tensor data; the file is "
          "truncated or "
          "damaged",
          path(), tensor.name, tensor.view.bytes(), tensor.offset, data_bytes);
    }
    tensor.offset += data_begin;
    // Tensors are views without const; the mapping itself is read-only, so a write would be caught.
    tensor.view.data = const_cast<std::byte*>(file_->bytes().data() + tensor.offset);
  }
  check_overlap(path(), tensors_);
}

}  // namespace rung
