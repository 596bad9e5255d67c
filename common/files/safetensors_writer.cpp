#include "files/safetensors_writer.hpp"

#include <cassert>

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

SafeTensorsWriter::SafeTensorsWriter(const std::string& path) : file_(path) {
  header_["__metadata__"] = {{"format", "pt"}};
}

void SafeTensorsWriter::declare_tensor(const std::string& name, std::span<const std::int64_t> shape,
                                       DType type) {
  assert(!header_written_);
  if (safetensors_type(type) == nullptr) {
    fail("{}: tensor '{}' cannot be stored as {}: safetensors has f32, f16, bf16 and f8_e4m3", file_.path(),
         name, traits(type).name);
  }
  std::int64_t count = 1;
  for (const std::int64_t n : shape) count *= n;
  const std::uint64_t end = next_ + bytes_of(type, count);
  header_[name] = {{"dtype", safetensors_type(type)}, {"shape", shape}, {"data_offsets", {next_, end}}};
  next_ = end;
}

void SafeTensorsWriter::write_header() {
  header_written_ = true;
  std::string text = header_.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // tensors begin on a multiple of 8
  const std::uint64_t length = text.size();
  file_.write(std::as_bytes(std::span(&length, 1)));
  file_.write(text);
}

void SafeTensorsWriter::append(std::span<const std::byte> bytes) {
  if (!header_written_) write_header();
  file_.write(bytes);
}

std::uint64_t SafeTensorsWriter::finish() {
  if (!header_written_) write_header();
  file_.commit();
  return file_.written();
}

}  // namespace rung
