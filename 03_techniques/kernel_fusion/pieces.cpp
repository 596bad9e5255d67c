// Several products of the same input in one loop of the threads, piece by piece (seams/linear.hpp), and what
// may follow a piece while it is in the cache of the thread that made it: a bias, the activation.

#include <algorithm>
#include <utility>

#include "core/parallel.hpp"
#include "kernel_fusion.hpp"

namespace rung::kernel_fusion {
namespace {

/// What both classes below share: one piece of one part, finished.
class InPieces : public Products {
 public:
  InPieces(std::vector<ProductPart> parts, const FusionConfig& config)
      : parts_(std::move(parts)), config_(config), piece_rows_(parts_.front().linear->piece_rows()) {}

  bool fused() const override { return true; }

 protected:
  /// Rows [begin, begin + y.cols) of `part` times x, with what follows; on the calling thread. y [tokens,
  /// rows]
  void multiply(const ProductPart& part, const Tensor& x, const PreparedRows* prepared, std::int64_t begin,
                const Tensor& y) const {
    part.linear->apply_piece(x, prepared, begin, y);
    if (!part.bias.empty()) config_.tile->add_row(part.bias.col_slice(begin, y.cols), y);
  }

  std::vector<ProductPart> parts_;
  FusionConfig config_;
  std::int64_t piece_rows_;
};

class SideBySide final : public InPieces {
 public:
  SideBySide(std::vector<ProductPart> parts, const FusionConfig& config)
      : InPieces(std::move(parts), config) {
    std::int64_t column = 0;
    for (const ProductPart& part : parts_) {
      for (std::int64_t begin = 0; begin < part.width; begin += piece_rows_)
        pieces_.push_back({&part, begin, std::min(begin + piece_rows_, part.width), column + begin});
      column += part.width;
    }
  }

  void run(const Tensor& x, const Tensor& /*wide*/, const Tensor& y) override {
    const PreparedRows* prepared = parts_.front().linear->prepare(x);
    parallel_for_stretches(config_.threads, static_cast<std::int64_t>(pieces_.size()),
                           longest_stretch(x.rows), [&](std::int64_t begin, std::int64_t end) {
                             for (std::int64_t i = begin; i < end;)
                               i = multiply_pieces(i, end, x, prepared, y);
                           });
  }

 private:
  struct Piece {
    const ProductPart* part;
    std::int64_t begin, end;  // rows of the part's W
    std::int64_t column;      // of y
  };

  /// Those from `first` on that belong to one part. Returns the first piece behind them, or `end`.
  std::int64_t multiply_pieces(std::int64_t first, std::int64_t end, const Tensor& x,
                               const PreparedRows* prepared, const Tensor& y) const {
    const Piece& piece = pieces_[static_cast<std::size_t>(first)];
    std::int64_t next = first, rows_end = piece.end;
    while (++next < end && pieces_[static_cast<std::size_t>(next)].part == piece.part) {
      rows_end = pieces_[static_cast<std::size_t>(next)].end;
    }
    multiply(*piece.part, x, prepared, piece.begin, y.col_slice(piece.column, rows_end - piece.begin));
    return next;
  }

  std::vector<Piece> pieces_;
};

class Activated final : public InPieces {
 public:
  Activated(std::vector<ProductPart> parts, const FusionConfig& config)
      : InPieces(std::move(parts), config),
        tiles_(config_.place, "gate and up tiles",
               static_cast<std::size_t>(config_.threads * config_.max_tokens * piece_rows_) * parts_.size() *
                   sizeof(float)) {}

  void run(const Tensor& x, const Tensor& /*wide*/, const Tensor& y) override {
    const PreparedRows* prepared = parts_.front().linear->prepare(x);
    const auto parts = static_cast<std::int64_t>(parts_.size());
    const std::int64_t width = parts_.front().width;
    // A thread's memory holds one piece of max_tokens rows, or that many pieces of one row.
    const std::int64_t longest =
        std::min(longest_stretch(x.rows), config_.max_tokens / std::max<std::int64_t>(x.rows, 1));
    parallel_for_stretches(
        config_.threads, (width + piece_rows_ - 1) / piece_rows_, longest,
        [&](std::int64_t first, std::int64_t last) {
          const std::int64_t begin = first * piece_rows_, rows = std::min(last * piece_rows_, width) - begin;
          float* memory =
              static_cast<float*>(tiles_.data()) + thread_index() * config_.max_tokens * piece_rows_ * parts;
          const Tensor tile(memory, DType::f32, x.rows, parts * rows);  // gate's columns, then up's
          for (std::int64_t p = 0; p < parts; ++p) {
            multiply(parts_[static_cast<std::size_t>(p)], x, prepared, begin, tile.col_slice(p * rows, rows));
          }
          config_.tile->activate(tile, config_.activation, y.col_slice(begin, rows));
        });
  }

 private:
  ScratchMemory tiles_;  // [threads, max_tokens, parts * piece_rows_] f32 at least
};

}  // namespace

bool share_a_loop(const std::vector<ProductPart>& parts) {
  const Linear& first = *parts.front().linear;
  return first.piece_rows() > 0 && std::all_of(parts.begin(), parts.end(), [&](const ProductPart& part) {
           return part.linear->piece_rows() == first.piece_rows() &&
                  part.linear->prepared_layout() == first.prepared_layout();
         });
}

std::unique_ptr<Products> products_in_pieces(std::vector<ProductPart> parts, const FusionConfig& config) {
  return std::make_unique<SideBySide>(std::move(parts), config);
}

std::unique_ptr<Products> activated_in_pieces(std::vector<ProductPart> parts, const FusionConfig& config) {
  return std::make_unique<Activated>(std::move(parts), config);
}

}  // namespace rung::kernel_fusion
