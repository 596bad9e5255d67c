#pragma once
// Seam `linear`: y = x W^T, the product that takes nearly all of a model's weights and time.
//
// W is stored [out, in], row after row, in whatever format the file has; a rung is chosen per weight.
// A row of y depends on its row of x alone, bitwise: the order of the sum is fixed by `in`.
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

/// What a rung multiplies the weights with.
enum class Activations {
  f32,   // x as it is
  bf16,  // x rounded to bfloat16: for weights that are
  int8,  // x rounded to 8 bits with one scale for 32 columns: for quantised weights, which are coarser
};

/// The longest stretch of a weight's pieces for one thread (parallel_for_stretches). So few tokens wait for
/// memory, which is fastest in long streams; more of them find a single piece in a near cache, token by
/// token.
inline std::int64_t longest_stretch(std::int64_t tokens) {
  constexpr std::int64_t kFewTokens = 4;
  return tokens <= kFewTokens ? std::numeric_limits<std::int64_t>::max() : 1;
}

/// x as the kernels of a rung want it; what it holds is the rung's own business.
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

  // The same product in pieces, for callers that put several products, or what follows them, into one loop of
  // their threads (seams/fusion.hpp). A piece is piece_rows() rows of W, the last one what is left of them,
  // or several of these that follow each other.

  /// 0: this rung has no pieces, only apply().
  virtual std::int64_t piece_rows() const { return 0; }
  /// Converts x, on all threads, into the form that all pieces read instead of x. Returns null if the pieces
  /// read x itself. The result is valid until the next apply() or prepare() of a Linear with the same
  /// Scratch, or of this Linear if it owns its memory. One thread calls prepare(), and pieces may be computed
  /// when it has returned. REQUIRES: tokens <= max_tokens.
  virtual const PreparedRows* prepare(const Tensor& /*x*/) { return nullptr; }
  /// Linears with the same number read the same prepared rows.
  virtual int prepared_layout() const { return 0; }
  /// Computes columns [begin, begin + y.cols) of what apply() writes, bitwise the same, on the calling thread
  /// alone. The threads of one loop of core/parallel.hpp may call it at the same time, at most `threads` of
  /// them, because each thread uses its own part of the scratch memory. y [tokens, rows of the piece].
  /// REQUIRES: begin is a multiple of piece_rows(); `prepared` is the result of prepare(x).
  virtual void apply_piece(const Tensor& /*x*/, const PreparedRows* /*prepared*/, std::int64_t /*begin*/,
                           const Tensor& /*y*/) const {}

  virtual Activations activations() const { return Activations::f32; }

  /// Bytes of this rung's copy of the weight in another layout.
  virtual std::size_t packed_bytes() const { return 0; }
};

}  // namespace rung
