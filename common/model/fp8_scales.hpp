#pragma once
// The scales that FP8 checkpoints of Hugging Face keep beside their matrices. A number w of a tensor X.weight
// means w * scale, and the scale is that of its block:
//
// - X.weight_scale_inv: one for every 128 x 128 numbers, as in DeepSeek-V3; despite its name it is multiplied
// - X.weight_scale: one for all, or one for each row (compressed-tensors, FBGEMM)

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/tensor.hpp"
#include "files/tensor_source.hpp"

namespace rung {

struct Fp8Scales {
  std::string name;             // of the tensor that holds them
  Tensor values;                // one per block, row by row of blocks; may be unaligned
  std::int64_t block_rows = 0;  // how many rows and columns of the matrix share a scale
  std::int64_t block_cols = 0;
};

/// The scales of `weight`, a tensor [rows, cols] named `name` (with .weight at its end); nothing when there
/// are none. Throws Error naming the tensor when their shape or format is none of the above.
std::optional<Fp8Scales> find_fp8_scales(const TensorSource& source, std::string_view name,
                                         const Tensor& weight);

/// Writes weight * scale to `to`, bf16 [rows, cols]: the product rounded to 8 significant bits, where E4M3
/// itself has 4.
void apply_fp8_scales(const Tensor& weight, const Fp8Scales& scales, std::uint16_t* to);

/// Whether a tensor holds scales of activations or of K and V. We keep those in floating point and need none.
bool is_activation_scale(std::string_view name);

}  // namespace rung
