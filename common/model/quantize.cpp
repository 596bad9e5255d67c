#include "model/quantize.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <limits>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "model/gguf.hpp"

namespace rung {
namespace {

constexpr std::int64_t kPieceElements = std::int64_t{1} << 21;  // 8 MB as f32

/// The format in which a tensor will be stored.
DType target_type(const GgufTensor& tensor, DType wanted) {
  if (tensor.dims.size() < 2) return DType::f32;
  return tensor.view.cols % traits(wanted).block_elements == 0 ? wanted : DType::f16;
}

/// The largest magnitude that `type` can store. Blocks have a binary16 scale and quants of at least 1.
float largest_value(DType type) {
  if (type == DType::f32) return std::numeric_limits<float>::max();
  if (type == DType::bf16) return 0x1.FEp127f;
  return 65504.0f;
}

class Converter {
 public:
  Converter(GgufWriter& writer, int threads, const WriteProgress& progress)
      : writer_(writer), threads_(threads), progress_(progress) {}

  void convert(const Gguf& gguf, const GgufTensor& tensor, DType type) {
    const Tensor& from = tensor.view;
    const std::int64_t piece_rows = std::clamp<std::int64_t>(kPieceElements / from.cols, 1, from.rows);
    for (std::int64_t begin = 0; begin < from.rows; begin += piece_rows) {
      const Tensor rows = from.row_slice(begin, std::min(piece_rows, from.rows - begin));
      if (from.dtype == type) {
        append({static_cast<const std::byte*>(rows.data), rows.bytes()});
      } else {
        convert_rows(rows, type);
        if (bad_row_ >= 0) {
          fail(
              "{}: row {} of tensor '{}' has a value that is infinite, no number, or too large for {} (at "
              "most {})",
              gguf.path(), begin + bad_row_, tensor.name, traits(type).name, largest_value(type));
        }
        append({bytes_.data(), bytes_of(type, rows.size())});
      }
    }
  }

 private:
  void append(std::span<const std::byte> bytes) {
    writer_.append(bytes);
    done_ += bytes.size();
    if (progress_) progress_(done_, writer_.tensor_bytes());
  }

  void convert_rows(const Tensor& rows, DType type) {
    values_.resize(static_cast<std::size_t>(rows.size()));
    bytes_.resize(bytes_of(type, rows.size()));
    const float largest = largest_value(type);
    std::atomic<std::int64_t> bad_row{-1};
    parallel_for(threads_, rows.rows, [&](std::int64_t r) {
      float* values = values_.data() + r * rows.cols;
      traits(rows.dtype).to_float(rows.row(r), values, rows.cols);
      // A converter may assume numbers that it can store.
      if (!std::all_of(values, values + rows.cols, [=](float v) { return std::fabs(v) <= largest; })) {
        bad_row = r;
        return;
      }
      traits(type).from_float(values, bytes_.data() + bytes_of(type, r * rows.cols), rows.cols);
    });
    bad_row_ = bad_row;
  }

  GgufWriter& writer_;
  int threads_;
  const WriteProgress& progress_;
  std::vector<float> values_;
  std::vector<std::byte> bytes_;
  std::int64_t bad_row_ = -1;
  std::uint64_t done_ = 0;
};

void copy_metadata(const Gguf& gguf, DType type, GgufWriter& writer) {
  constexpr std::string_view kFileType = "general.file_type";
  constexpr std::string_view kVersion = "general.quantization_version";
  for (const GgufEntry& entry : gguf.entries()) {
    if (entry.key == kFileType) {
      writer.add_u32(kFileType, ggml_type(type).file_type);
    } else {
      writer.add_entry(entry);
    }
  }
  if (!gguf.has(kFileType)) writer.add_u32(kFileType, ggml_type(type).file_type);
  // Other readers ask for the version of the block layouts; it has been 2 since GGUF exists.
  if (traits(type).block_elements > 1 && !gguf.has(kVersion)) writer.add_u32(kVersion, 2);
}

}  // namespace

QuantizeResult quantize(const std::string& in, const std::string& out, DType type, int threads,
                        const WriteProgress& progress) {
  ggml_type(type);  // refuses formats that cannot be written, before anything is done
  std::error_code error;
  if (in == out || std::filesystem::equivalent(in, out, error)) {
    fail_usage("the input and the output are the same file ({}); choose another name for the output", in);
  }
  const auto gguf = Gguf::open(in);
  QuantizeResult result;
  result.bytes_before = gguf->file_size();

  GgufWriter writer(out);
  copy_metadata(*gguf, type, writer);
  for (const GgufTensor& tensor : gguf->tensors()) {
    const DType to = target_type(tensor, type);
    writer.declare_tensor(tensor.name, tensor.dims, to);
    if (to == type && tensor.dims.size() >= 2) ++result.converted;
    if (to != type && tensor.dims.size() >= 2) {
      result.notes.push_back(fmt::format(
          "'{}' is stored as {}: its rows of {} are no multiple of {}'s blocks of {}", tensor.name,
          traits(to).name, tensor.view.cols, traits(type).name, traits(type).block_elements));
    }
  }
  Converter converter(writer, threads, progress);
  for (const GgufTensor& tensor : gguf->tensors()) {
    converter.convert(*gguf, tensor, target_type(tensor, type));
  }
  result.bytes_after = writer.finish();
  return result;
}

}  // namespace rung
