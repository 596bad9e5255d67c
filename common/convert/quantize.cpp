#include "convert/quantize.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <filesystem>
#include <limits>
#include <mutex>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "files/gguf.hpp"

namespace rung {
namespace {

constexpr std::int64_t kPieceElements = std::int64_t{1} << 21;  // 8 MB as f32

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

  /// weights [slices, cols] or empty (Importance::weights).
  void convert(const Gguf& gguf, const GgufTensor& tensor, DType type, const RowQuantizer& quantizer,
               const std::vector<float>& weights) {
    const Tensor& from = tensor.view;
    const auto slices = static_cast<std::int64_t>(weights.size()) / from.cols;
    const auto weights_of = [&](std::int64_t row) {
      return weights.empty() ? nullptr : weights.data() + row / (from.rows / slices) * from.cols;
    };
    const std::int64_t piece_rows = std::clamp<std::int64_t>(kPieceElements / from.cols, 1, from.rows);
    for (std::int64_t begin = 0; begin < from.rows; begin += piece_rows) {
      const Tensor rows = from.row_slice(begin, std::min(piece_rows, from.rows - begin));
      if (from.dtype == type) {
        append({static_cast<const std::byte*>(rows.data), rows.bytes()});
      } else {
        convert_rows(rows, type, quantizer, [&](std::int64_t r) { return weights_of(begin + r); });
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

  template <class WeightsOf>
  void convert_rows(const Tensor& rows, DType type, const RowQuantizer& quantizer,
                    const WeightsOf& weights_of) {
    values_.resize(static_cast<std::size_t>(rows.size()));
    bytes_.resize(bytes_of(type, rows.size()));
    const float largest = largest_value(type);
    std::atomic<std::int64_t> bad_row{-1};
    std::exception_ptr error;  // none may leave the loop
    std::mutex writes_error;
    parallel_for(threads_, rows.rows, [&](std::int64_t r) {
      float* values = values_.data() + r * rows.cols;
      traits(rows.dtype).to_float(rows.row(r), values, rows.cols);
      // A converter may assume numbers that it can store.
      if (!std::all_of(values, values + rows.cols, [=](float v) { return std::fabs(v) <= largest; })) {
        bad_row = r;
        return;
      }
      std::byte* to = bytes_.data() + bytes_of(type, r * rows.cols);
      try {
        quantizer.run(values, weights_of(r), to, rows.cols);
      } catch (...) {
        const std::lock_guard lock(writes_error);
        error = std::current_exception();
      }
    });
    if (error) std::rethrow_exception(error);
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

void copy_metadata(const Gguf& gguf, const QuantizeTarget& target, const Importance* importance,
                   GgufWriter& writer) {
  constexpr std::string_view kFileType = "general.file_type";
  constexpr std::string_view kVersion = "general.quantization_version";
  for (const GgufEntry& entry : gguf.entries()) {
    if (entry.key.starts_with("split.")) continue;             // the result is one file
    if (entry.key.starts_with("quantize.imatrix.")) continue;  // of how the input was made
    if (entry.key == kFileType) {
      writer.add_u32(kFileType, target.file_type);
    } else {
      writer.add_entry(entry);
    }
  }
  if (!gguf.has(kFileType)) writer.add_u32(kFileType, target.file_type);
  // Other readers ask for the version of the block layouts; it has been 2 since GGUF exists.
  if (traits(target.type).block_elements > 1 && !gguf.has(kVersion)) writer.add_u32(kVersion, 2);
  if (importance != nullptr) {  // the keys that llama.cpp's quantizer writes
    writer.add_string("quantize.imatrix.dataset", importance->text);
    writer.add_u32("quantize.imatrix.entries_count",
                   static_cast<std::uint32_t>(importance->mean_squares.size()));
    writer.add_u32("quantize.imatrix.chunks_count", static_cast<std::uint32_t>(importance->windows));
  }
}

void check_not_itself(const Gguf& gguf, const std::string& in, const std::string& out) {
  std::error_code error;
  const std::string& first = gguf.path();  // of a model in several files another one than `in`
  if (in == out || std::filesystem::equivalent(in, out, error) ||
      std::filesystem::equivalent(first, out, error)) {
    fail_usage("the input and the output are the same file ({}); choose another name for the output", in);
  }
}

}  // namespace

QuantizeResult quantize(const std::string& in, const std::string& out, const QuantizeTarget& target,
                        int threads, const WriteProgress& progress, const Importance* importance,
                        const QuantizerChoice& choose) {
  const auto gguf = Gguf::open(in);
  check_not_itself(*gguf, in, out);
  const MixtureModel model = mixture_model(*gguf);
  QuantizeResult result;
  result.bytes_before = gguf->file_size();

  GgufWriter writer(out);
  copy_metadata(*gguf, target, importance, writer);
  std::vector<DType> types;
  for (const GgufTensor& tensor : gguf->tensors()) {
    const bool matrix = tensor.dims.size() >= 2;
    const DType meant = matrix ? type_for(target, model, tensor.name) : DType::f32;
    const DType stored = storable_type(meant, tensor.view.cols);
    types.push_back(stored);
    writer.declare_tensor(tensor.name, tensor.dims, stored);
    ++result.types[std::string(traits(stored).name)];
    if (stored != meant) {
      result.notes.push_back(fmt::format(
          "'{}' is stored as {}: its rows of {} are no multiple of {}'s blocks of {}", tensor.name,
          traits(stored).name, tensor.view.cols, traits(meant).name, traits(meant).block_elements));
    } else if (matrix) {
      ++result.converted;
    }
  }
  Converter converter(writer, threads, progress);
  for (std::size_t i = 0; i < types.size(); ++i) {
    const GgufTensor& tensor = gguf->tensors()[i];
    std::vector<float> weights;
    RowQuantizer quantizer;
    const bool blocks = traits(types[i]).block_elements > 1;
    if (blocks && importance != nullptr) weights = importance->weights(tensor.name, tensor.view.cols);
    if (!weights.empty()) quantizer = choose(types[i], true);
    if (!quantizer.run) {
      weights.clear();
      quantizer = blocks ? choose(types[i], false) : nearest_quantizer(types[i], false);
    }
    result.weighted += weights.empty() ? 0 : 1;
    if (blocks) ++result.rungs[quantizer.name];
    converter.convert(*gguf, tensor, types[i], quantizer, weights);
  }
  result.bytes_after = writer.finish();
  return result;
}

RowQuantizer nearest_quantizer(DType type, bool weighted) {
  if (weighted) return {};
  const auto from_float = traits(type).from_float;
  return {"nearest",
          [from_float](const float* x, const float*, void* to, std::int64_t n) { from_float(x, to, n); }};
}

QuantizeResult quantize(const std::string& in, const std::string& out, DType type, int threads,
                        const WriteProgress& progress) {
  return quantize(in, out, quantize_target(type), threads, progress);
}

}  // namespace rung
