// Rung 5 of `linear`: the numbers of `int8`, from weights that were laid out anew when the model was loaded.
//
// Panels of 16 interleaved rows (packed_layout.hpp): 16 sums lie in one register, x is broadcast, and nothing
// is added across lanes. A tile of a panel and a few tokens unpacks each weight once for all of them. The
// price is a copy of the weights, and the time to write it.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "core/dtype_codebook.hpp"
#include "core/parallel.hpp"
#include "core/simd.hpp"
#include "kernel_macros.hpp"
#include "linear.hpp"
#include "packed.hpp"
#include "panel_loop.hpp"
#include "panel_memory.hpp"

namespace rung::linear {
namespace {

const PackedKernels& kernels_of_machine() {
  if (dot_instructions().avx512_vnni && packed_vnni() != nullptr) return *packed_vnni();
  if (simd_level() >= Simd::avx2 && packed_avx2() != nullptr) return *packed_avx2();
  return packed_plain();
}

class Packed final : public Linear {
 public:
  explicit Packed(const LinearConfig& config)
      : dtype_(config.weight.dtype),
        rows_(config.weight.rows),
        cols_(config.weight.cols),
        threads_(config.threads),
        vectors_(kernels_of_machine()),
        tiles_(tile_kernels()),
        x_(config, packed_format(dtype_).halves) {
    const PackedFormat format = packed_format(dtype_);
    if (tiles_ != nullptr && config.max_tokens >= kTokensForTiles) {
      memory_ = ThreadMemory(config, kChunkPanels * tiles_->thread_floats(cols_, format) * sizeof(float));
    }
    const std::int64_t panels = panel_count(rows_);
    panel_bytes_ = linear::packed_bytes(format, kPanelRows, cols_);
    const auto write = [&](std::byte* to) {
      parallel_for(threads_, panels,
                   [&](std::int64_t p) { pack_panel(config.weight, p, to + p * panel_bytes_); });
    };
    panels_ =
        Panels(config, "packed", kLayoutVersion, static_cast<std::size_t>(panels * panel_bytes_), write);
  }

  Activations activations() const override { return Activations::int8; }
  std::size_t packed_bytes() const override { return panels_.bytes(); }

  void apply(const Tensor& x, const Tensor& y) override {
    if (x.rows == 0) return;
    round(x);
    for_panels(threads_, panel_count(rows_), kChunkPanels, x.rows,
               [&](std::int64_t begin, std::int64_t end) { run(panels_.data(), rows_, x_, y, begin, end); });
  }

  std::int64_t piece_rows() const override { return kChunkPanels * kPanelRows; }
  const PreparedRows* prepare(const Tensor& x) override {
    round(x);
    return &x_;
  }
  int prepared_layout() const override {
    const RowLayout layout = vectors_.row_layout(packed_format(dtype_));  // those of the tiles differ less
    return 16 + 2 * layout.offset + layout.halves;                        // 1 is that of `panels`
  }
  void apply_piece(const Tensor& /*x*/, const PreparedRows* prepared, std::int64_t begin,
                   const Tensor& y) const override {
    const std::byte* panels = panels_.data() + begin / kPanelRows * panel_bytes_;
    run(panels, y.cols, static_cast<const QuantizedRows&>(*prepared), y, 0, panel_count(y.cols));
  }

 private:
  // Panels handed to a thread at a time: small enough that all finish together when one is held up.
  static constexpr std::int64_t kChunkPanels = 4;
  // Of packed_layout.hpp. A stored copy belongs to one format, so a format that is added does not change it.
  static constexpr int kLayoutVersion = 1;
  // Fewer do not make up for unpacking the panel first (tiles.md).
  static constexpr std::int64_t kTokensForTiles = 8;

  const PackedKernels& kernels_for(std::int64_t tokens) const {
    return tiles_ != nullptr && tokens >= kTokensForTiles ? *tiles_ : vectors_;
  }

  void round(const Tensor& x) {
    x_.assign(x, kernels_for(x.rows).row_layout(packed_format(dtype_)), threads_);
  }

  /// Panels [begin, end) of W [rows, cols] times x, on the calling thread.
  void run(const std::byte* panels, std::int64_t rows, const QuantizedRows& x, const Tensor& y,
           std::int64_t begin, std::int64_t end) const {
    const PackedKernels& kernels = kernels_for(x.tokens());
    if (kernels.thread_floats == nullptr) {
      kernels.run({dtype_, panels, rows, cols_, &x, y, begin, end});
      return;
    }
    auto* const memory = memory_.of_this_thread<float>();
    for (std::int64_t first = begin; first < end; first += kChunkPanels) {
      kernels.run({dtype_, panels, rows, cols_, &x, y, first, std::min(first + kChunkPanels, end), memory});
    }
  }

  DType dtype_;
  std::int64_t rows_, cols_;
  int threads_;
  const PackedKernels& vectors_;
  const PackedKernels* tiles_;  // null: none here
  QuantizedRows x_;
  ThreadMemory memory_;  // of tiles_: unpacked panels
  Panels panels_;
  std::int64_t panel_bytes_ = 0;
};

}  // namespace

bool can_be_packed(DType dtype) { return packed_format(dtype).bits != 0; }

std::unique_ptr<Linear> make_packed(const LinearConfig& config) { return std::make_unique<Packed>(config); }

}  // namespace rung::linear
