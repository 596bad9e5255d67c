#pragma once
// The scales that FP8 checkpoints of Hugging Face store next to their matrices. A number w of a tensor
// X.weight means w * scale, where the scale belongs to a block of the tensor:
//
// - X.weight_scale_inv: one scale for every 128 x 128 numbers, as in DeepSeek-V3; a factor, despite its name
// - X.weight_scale: one scale for all numbers, or one for each row (compressed-tensors, FBGEMM)

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/tensor.hpp"
#include "files/tensor_source.hpp"

namespace rung {

struct Fp8Scales {
  std::string name;             // name of the tensor with the scales
  Tensor values;                // one scale per block, in row-major order of the blocks; can be unaligned
  std::int64_t block_rows = 0;  // numbers of rows and columns of the matrix that share a scale
  std::int64_t block_cols = 0;
};

/// Returns the scales of `weight`, a tensor [rows, cols] whose `name` ends in .weight, or nothing if there
/// are none. Throws Error, which names the tensor, if their shape or format is none of the above.
std::optional<Fp8Scales> find_fp8_scales(const TensorSource& source, std::string_view name,
                                         const Tensor& weight);

/// Writes weight * scale to `to`, bf16 [rows, cols]. The product is rounded to 8 significant bits, while E4M3
/// itself has 4.
void apply_fp8_scales(const Tensor& weight, const Fp8Scales& scales, std::uint16_t* to);

/// Returns whether a tensor contains scales of activations or of K and V. Rung keeps those in floating point
/// and does not need these scales.
bool is_activation_scale(std::string_view name);

}  // namespace rung
