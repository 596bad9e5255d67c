#include "files/gguf_writer.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "core/error.hpp"

namespace rung {
namespace {

constexpr std::uint32_t kVersion = 3;

template <class T>
void append_bytes(std::vector<std::byte>& to, const T* from, std::size_t bytes) {
  const auto* begin = reinterpret_cast<const std::byte*>(from);
  to.insert(to.end(), begin, begin + bytes);
}

std::uint64_t padded(std::uint64_t size, std::uint64_t alignment) {
  return (size + alignment - 1) / alignment * alignment;
}

}  // namespace

template <class T>
void GgufWriter::put(const T& value) {
  append_bytes(metadata_, &value, sizeof value);
}

void GgufWriter::put_string(std::string_view text) {
  put<std::uint64_t>(text.size());
  append_bytes(metadata_, text.data(), text.size());
}

void GgufWriter::put_key(std::string_view key, GgufType type) {
  assert(!header_written_);
  put_string(key);
  put(static_cast<std::uint32_t>(type));
  ++entry_count_;
}

void GgufWriter::put_array(std::string_view key, GgufType element, std::size_t count) {
  put_key(key, GgufType::array);
  put(static_cast<std::uint32_t>(element));
  put<std::uint64_t>(count);
}

void GgufWriter::add_u32(std::string_view key, std::uint32_t value) {
  put_key(key, GgufType::u32);
  put(value);
}

void GgufWriter::add_f32(std::string_view key, float value) {
  put_key(key, GgufType::f32);
  put(value);
}

void GgufWriter::add_bool(std::string_view key, bool value) {
  put_key(key, GgufType::boolean);
  put<std::uint8_t>(value ? 1 : 0);
}

void GgufWriter::add_string(std::string_view key, std::string_view value) {
  put_key(key, GgufType::string);
  put_string(value);
}

void GgufWriter::add_string_array(std::string_view key, std::span<const std::string> values) {
  put_array(key, GgufType::string, values.size());
  for (const std::string& value : values) put_string(value);
}

void GgufWriter::add_f32_array(std::string_view key, std::span<const float> values) {
  put_array(key, GgufType::f32, values.size());
  append_bytes(metadata_, values.data(), values.size_bytes());
}

void GgufWriter::add_i32_array(std::string_view key, std::span<const std::int32_t> values) {
  put_array(key, GgufType::i32, values.size());
  append_bytes(metadata_, values.data(), values.size_bytes());
}

void GgufWriter::add_entry(const GgufEntry& entry) {
  assert(tensor_sizes_.empty());  // their offsets depend on the alignment
  put_key(entry.key, entry.type);
  append_bytes(metadata_, entry.raw.data(), entry.raw.size());
  if (entry.key == "general.alignment" && entry.type == GgufType::u32) {
    std::uint32_t alignment = 0;
    std::memcpy(&alignment, entry.raw.data(), sizeof alignment);
    alignment_ = alignment;
  }
}

void GgufWriter::declare_tensor(std::string_view name, std::span<const std::int64_t> dims, DType type) {
  assert(!header_written_ && !dims.empty());
  std::int64_t elements = 1;
  for (const std::int64_t size : dims) elements *= size;
  const std::uint64_t bytes = bytes_of(type, elements);

  const std::uint64_t name_bytes = name.size();
  const auto dim_count = static_cast<std::uint32_t>(dims.size());
  const std::uint32_t type_id = ggml_type(type).id;
  append_bytes(tensor_list_, &name_bytes, sizeof name_bytes);
  append_bytes(tensor_list_, name.data(), name.size());
  append_bytes(tensor_list_, &dim_count, sizeof dim_count);
  append_bytes(tensor_list_, dims.data(), dims.size_bytes());
  append_bytes(tensor_list_, &type_id, sizeof type_id);
  append_bytes(tensor_list_, &next_offset_, sizeof next_offset_);

  tensor_sizes_.push_back(bytes);
  tensor_bytes_ += bytes;
  next_offset_ += padded(bytes, alignment_);
}

void GgufWriter::write(const void* bytes, std::size_t count) {
  file_.write({static_cast<const std::byte*>(bytes), count});
}

void GgufWriter::write_padding() {
  const std::vector<std::byte> zeros(padded(file_.written(), alignment_) - file_.written());
  write(zeros.data(), zeros.size());
}

void GgufWriter::write_header() {
  header_written_ = true;
  const std::uint64_t counts[2] = {tensor_sizes_.size(), entry_count_};
  write("GGUF", 4);
  write(&kVersion, sizeof kVersion);
  write(counts, sizeof counts);
  write(metadata_.data(), metadata_.size());
  write(tensor_list_.data(), tensor_list_.size());
  write_padding();
}

void GgufWriter::append(std::span<const std::byte> bytes) {
  if (!header_written_) write_header();
  while (!bytes.empty()) {
    assert(current_ < tensor_sizes_.size());
    const std::uint64_t missing = tensor_sizes_[current_] - current_done_;
    const auto piece = bytes.first(std::min<std::uint64_t>(missing, bytes.size()));
    write(piece.data(), piece.size());
    current_done_ += piece.size();
    bytes = bytes.subspan(piece.size());
    if (current_done_ == tensor_sizes_[current_]) {
      write_padding();
      ++current_;
      current_done_ = 0;
    }
  }
}

std::uint64_t GgufWriter::finish(const std::function<void(const std::string& path)>& check) {
  if (!header_written_) write_header();
  assert(current_ == tensor_sizes_.size());
  if (check && file_.is_regular()) check(file_.written_to());
  file_.commit();
  return file_.written();
}

}  // namespace rung
