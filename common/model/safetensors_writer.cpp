#include "model/safetensors_writer.hpp"

#include <cassert>
#include <filesystem>
#include <system_error>

#include "core/error.hpp"

namespace rung {

const char* safetensors_type(DType type) {
  switch (type) {
    case DType::f32:
      return "F32";
    case DType::f16:
      return "F16";
    case DType::bf16:
      return "BF16";
    case DType::f8_e4m3:
      return "F8_E4M3";
    default:
      return nullptr;
  }
}

SafeTensorsWriter::SafeTensorsWriter(const std::string& path)
    : path_(path),
      temporary_path_(path + ".part"),
      file_(temporary_path_, std::ios::binary | std::ios::trunc) {
  if (!file_) fail("{} cannot be written: {}", path, std::generic_category().message(errno));
  header_["__metadata__"] = {{"format", "pt"}};
}

SafeTensorsWriter::~SafeTensorsWriter() {
  if (temporary_path_.empty()) return;
  file_.close();
  std::error_code error;
  std::filesystem::remove(temporary_path_, error);
}

void SafeTensorsWriter::declare_tensor(const std::string& name, std::span<const std::int64_t> shape,
                                       DType type) {
  assert(!header_written_);
  if (safetensors_type(type) == nullptr) {
    fail("{}: tensor '{}' cannot be stored as {}: safetensors has f32, f16, bf16 and f8_e4m3", path_, name,
         traits(type).name);
  }
  std::int64_t count = 1;
  for (const std::int64_t n : shape) count *= n;
  const std::uint64_t end = next_ + bytes_of(type, count);
  header_[name] = {{"dtype", safetensors_type(type)}, {"shape", shape}, {"data_offsets", {next_, end}}};
  next_ = end;
}

void SafeTensorsWriter::write(const void* bytes, std::size_t count) {
  file_.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
  if (!file_) fail("{} cannot be written: {}", path_, std::generic_category().message(errno));
  written_ += count;
}

void SafeTensorsWriter::write_header() {
  header_written_ = true;
  std::string text = header_.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // tensors begin on a multiple of 8
  const std::uint64_t length = text.size();
  write(&length, sizeof length);
  write(text.data(), text.size());
}

void SafeTensorsWriter::append(std::span<const std::byte> bytes) {
  if (!header_written_) write_header();
  write(bytes.data(), bytes.size());
}

std::uint64_t SafeTensorsWriter::finish() {
  if (!header_written_) write_header();
  file_.close();
  if (!file_) fail("{} cannot be written: {}", path_, std::generic_category().message(errno));
  std::error_code error;
  std::filesystem::rename(temporary_path_, path_, error);
  if (error) fail("{} cannot be written: {}", path_, error.message());
  temporary_path_.clear();
  return written_;
}

}  // namespace rung
