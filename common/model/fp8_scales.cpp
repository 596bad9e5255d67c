#include "model/fp8_scales.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "core/dtype.hpp"
#include "core/error.hpp"
#include "core/parallel.hpp"

namespace rung {
namespace {

// Of weight_scale_inv; config_hf.cpp refuses any other weight_block_size.
constexpr std::int64_t kBlock = 128;

std::int64_t blocks(std::int64_t n) { return (n + kBlock - 1) / kBlock; }

}  // namespace

std::optional<Fp8Scales> find_fp8_scales(const TensorSource& source, std::string_view name,
                                         const Tensor& weight) {
  Fp8Scales scales;
  SourceTensor found;
  const std::string in_blocks = fmt::format("[{}, {}]", blocks(weight.rows), blocks(weight.cols));
  const std::string per_row = fmt::format("[{}]", weight.rows),
                    per_row_2d = fmt::format("[{}, 1]", weight.rows);
  if (scales.name = fmt::format("{}_scale_inv", name); source.find(scales.name, found)) {
    if (found.shape != in_blocks) {
      fail("{}: tensor '{}' has shape {}, expected {}: one scale for every {} x {} numbers", source.path(),
           scales.name, found.shape, in_blocks, kBlock, kBlock);
    }
    scales.block_rows = scales.block_cols = kBlock;
  } else if (scales.name = fmt::format("{}_scale", name); source.find(scales.name, found)) {
    const bool one = found.shape == "[]" || found.shape == "[1]" || found.shape == "[1, 1]";
    if (!one && found.shape != per_row && found.shape != per_row_2d) {
      fail("{}: tensor '{}' has shape {}; [1] (one scale for all) and {} (one for each row) are supported",
           source.path(), scales.name, found.shape, per_row);
    }
    scales.block_rows = one ? weight.rows : 1;
    scales.block_cols = weight.cols;
  } else {
    return std::nullopt;
  }
  if (found.view.empty() || traits(found.view.dtype).block_elements != 1 ||
      traits(found.view.dtype).to_float == nullptr) {
    fail("{}: tensor '{}' is stored as {}, expected F32, F16 or BF16", source.path(), scales.name,
         found.dtype_name);
  }
  scales.values = found.view;
  return scales;
}

void apply_fp8_scales(const Tensor& weight, const Fp8Scales& scales, std::uint16_t* to) {
  std::vector<float> values(static_cast<std::size_t>(scales.values.size()));
  unaligned_to_f32(scales.values, values.data());
  const std::int64_t across = (weight.cols + scales.block_cols - 1) / scales.block_cols;
  parallel_for(default_threads(), weight.rows, [&](std::int64_t r) {
    const auto* from = static_cast<const std::byte*>(weight.row(r));
    const float* row_scales = values.data() + r / scales.block_rows * across;
    // A piece has one scale: block_cols is kBlock, or the whole row.
    std::array<float, kBlock> piece;
    for (std::int64_t begin = 0; begin < weight.cols; begin += kBlock) {
      const std::int64_t count = std::min(kBlock, weight.cols - begin);
      traits(weight.dtype).to_float(from + begin, piece.data(), count);
      const float scale = row_scales[begin / scales.block_cols];
      for (std::int64_t i = 0; i < count; ++i) piece[static_cast<std::size_t>(i)] *= scale;
      traits(DType::bf16).from_float(piece.data(), to + r * weight.cols + begin, count);
    }
  });
}

bool is_activation_scale(std::string_view name) {
  constexpr std::string_view kEnds[] = {".input_scale", ".activation_scale", ".q_scale", ".k_scale",
                                        ".v_scale"};
  return std::any_of(std::begin(kEnds), std::end(kEnds),
                     [&](std::string_view end) { return name.ends_with(end); });
}

}  // namespace rung
