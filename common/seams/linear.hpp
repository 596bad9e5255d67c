#pragma once
// Seam `linear`: y = x W^T, the product that uses nearly all weights and nearly all time of a model.
//
// W is stored [out, in], row after row, in the format of the file. A rung is chosen for each weight.
// A row of y depends on its row of x alone, bitwise: `in` determines the order of the sum.
//
// A rung requests its scratch memory when it is built (LinearConfig::place), enough for max_tokens rows of x.
// It allocates no memory in a call. All Linears with the same Scratch share this memory, so its content does
// not survive the next product: the result of prepare() is valid until the next apply() or prepare() of any
// of these Linears.
//
// Thread safety: among the Linears that share a Scratch, only one apply() may run at a time. It uses
// `threads` threads inside.

#include <cstdint>
#include <limits>
#include <string_view>

#include "core/tensor.hpp"
#include "seams/linear_config.hpp"

namespace rung {

/// The number format of x in a rung's products.
enum class Activations {
  f32,   // x is not rounded
  bf16,  // x is rounded to bfloat16; for weights in bfloat16
  int8,  // x is rounded to 8 bits, with one scale per 32 columns; for quantized weights
};

/// Returns the most pieces of a weight that one thread takes in a row (parallel_for_stretches). A product of
/// few tokens waits for memory, which is fastest in long streams. With more tokens, a thread visits a piece
/// several times, so it takes a single piece, which stays in a near cache.
inline std::int64_t longest_stretch(std::int64_t tokens) {
  constexpr std::int64_t kFewTokens = 4;
  return tokens <= kFewTokens ? std::numeric_limits<std::int64_t>::max() : 1;
}

/// Rows of x in the layout of a rung's kernels. Opaque: each rung defines its own layout.
struct PreparedRows {
  virtual ~PreparedRows() = default;

 protected:
  PreparedRows() = default;
  PreparedRows(const PreparedRows&) = default;
  PreparedRows& operator=(const PreparedRows&) = default;
};

class Linear {
 public:
  static constexpr std::string_view kSeam = "linear";
  using Config = LinearConfig;

  virtual ~Linear() = default;

  /// x [tokens, in] f32, y [tokens, out] f32; rows of both may be strided. tokens may be 0. REQUIRES: tokens
  /// <= max_tokens.
  virtual void apply(const Tensor& x, const Tensor& y) = 0;

  // The same product in pieces, for callers that run several products, or a product and the operations after
  // it, in one loop of their threads (seams/fusion.hpp). A piece has piece_rows() rows of W; the last one has
  // the remaining rows. Consecutive pieces can also be computed as one.

  /// Rows of W in a piece; 0 if the rung has no pieces.
  virtual std::int64_t piece_rows() const { return 0; }
  /// Converts x, on all threads, into the form that all pieces read instead of x. Returns null if the pieces
  /// read x itself. The result is valid until the next apply() or prepare() of a Linear with the same
  /// Scratch, or of this Linear if it owns its memory. One thread calls prepare(), and pieces may be computed
  /// when it has returned. REQUIRES: tokens <= max_tokens.
  virtual const PreparedRows* prepare(const Tensor& /*x*/) { return nullptr; }
  /// Two Linears with the same number can read the same prepared rows.
  virtual int prepared_layout() const { return 0; }
  /// Computes columns [begin, begin + y.cols) of what apply() writes, bitwise the same, on the calling thread
  /// alone. The threads of one loop of core/parallel.hpp may call it at the same time, at most `threads` of
  /// them, because each thread uses its own part of the scratch memory. y [tokens, rows of the piece].
  /// REQUIRES: begin is a multiple of piece_rows(); `prepared` is the result of prepare(x).
  virtual void apply_piece(const Tensor& /*x*/, const PreparedRows* /*prepared*/, std::int64_t /*begin*/,
                           const Tensor& /*y*/) const {}

  virtual Activations activations() const { return Activations::f32; }

  /// Bytes of this rung's copy of the weight; 0 if it has none.
  virtual std::size_t packed_bytes() const { return 0; }
};

}  // namespace rung
