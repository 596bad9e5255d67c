// The kernels of the rung `panels`; panels.cpp says what they are for.
//
// Included once per instruction set, hence no include guard.
//
// The promise that everything here keeps: the sum of one (row, token) pair runs over the columns from left to
// right in one lane. That order depends on nothing else. A tile carries many such sums side by side, and a
// sum that is put down in memory between two blocks of columns is the same when it is taken up again.

HWY_BEFORE_NAMESPACE();
namespace rung::linear::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kPanelRows>;
using F = hn::Vec<Floats>;
constexpr int kLanes = hn::MaxLanes(Floats());
constexpr int kParts = kPanelRows / kLanes;  // vectors of one column of a panel

// A tile's sums, a column of its panels and one value of x must fit into the registers: 32 with AVX-512
// (2 * 12 + 2 + 1), 16 with AVX2 (2 * 6 + 2 + 1).
constexpr int kPanels = kLanes == 16 ? 2 : 1;
constexpr int kTokens = kLanes == 16 ? 12 : kLanes == 1 ? 2 : 6;
// One token has one sum per row: so many panels at a time hide the latency of an addition.
constexpr int kPanelsForOne = kLanes == 16 ? 8 : kLanes == 1 ? 1 : 4;

// A tile's x [512, 12] stays in L1 (24 KB) while the panels' columns pass by from L2.
constexpr std::int64_t kBlockColumns = 512;
constexpr std::int64_t kBlockTokens = 8 * kTokens;

HWY_INLINE F load_weights(const float* from) { return hn::LoadU(Floats(), from); }
template <class Half>
HWY_INLINE F load_weights(const Half* from) {
  return hn::PromoteTo(Floats(), hn::LoadU(hn::Rebind<Half, Floats>(), from));
}

/// sums[p][part][t] += W[p, rows of part, columns] * x[columns, t] for P panels and T tokens.
template <class Element, int P, int T>
HWY_INLINE void add_columns(const Element* const (&panel)[P], const float* x, std::int64_t columns,
                            F (&sums)[P][kParts][T]) {
  for (std::int64_t c = 0; c < columns; ++c, x += T) {
    F w[P][kParts];
    for (int p = 0; p < P; ++p) {
      for (int v = 0; v < kParts; ++v) w[p][v] = load_weights(panel[p] + c * kPanelRows + v * kLanes);
    }
    for (int t = 0; t < T; ++t) {
      const F value = hn::Set(Floats(), x[t]);
      for (int p = 0; p < P; ++p) {
        for (int v = 0; v < kParts; ++v) sums[p][v][t] = hn::MulAdd(w[p][v], value, sums[p][v][t]);
      }
    }
  }
}

/// Columns [begin, begin + columns) of P panels times a tile of T tokens; the sums lie in `memory` between
/// two calls, [T, rows of the task].
template <class Element, int P, int T>
HWY_INLINE void add_tile(const PanelTask& task, std::int64_t panel, std::int64_t token, std::int64_t begin,
                         std::int64_t columns, float* memory) {
  const std::int64_t rows = (task.end - task.begin) * kPanelRows;
  const Element* w[P];
  F sums[P][kParts][T];
  for (int p = 0; p < P; ++p) {
    w[p] = reinterpret_cast<const Element*>(task.panels) + ((panel + p) * task.cols + begin) * kPanelRows;
  }
  float* const place = memory + (panel - task.begin) * kPanelRows;
  for (int t = 0; t < T; ++t) {
    for (int p = 0; p < P; ++p) {
      for (int v = 0; v < kParts; ++v) {
        sums[p][v][t] = begin == 0 ? hn::Zero(Floats())
                                   : hn::LoadU(Floats(), place + t * rows + p * kPanelRows + v * kLanes);
      }
    }
  }
  add_columns<Element, P, T>(w, task.x->values(token) + begin * T, columns, sums);
  for (int t = 0; t < T; ++t) {
    for (int p = 0; p < P; ++p) {
      for (int v = 0; v < kParts; ++v) {
        hn::StoreU(sums[p][v][t], Floats(), place + t * rows + p * kPanelRows + v * kLanes);
      }
    }
  }
}

/// All panels of the task times a tile.
template <class Element, int T>
void add_panels(const PanelTask& task, std::int64_t token, std::int64_t begin, std::int64_t columns,
                float* memory) {
  constexpr int kTogether = T == 1 ? kPanelsForOne : kPanels;
  std::int64_t panel = task.begin;
  for (; panel + kTogether <= task.end; panel += kTogether) {
    add_tile<Element, kTogether, T>(task, panel, token, begin, columns, memory);
  }
  for (; panel < task.end; ++panel) add_tile<Element, 1, T>(task, panel, token, begin, columns, memory);
}

/// A tile of n tokens: tries T, T - 1, ... until it fits.
template <class Element, int T>
void add_tokens(const PanelTask& task, std::int64_t token, std::int64_t n, std::int64_t begin,
                std::int64_t columns, float* memory) {
  if constexpr (T > 0) {
    if (n == T) {
      add_panels<Element, T>(task, token, begin, columns, memory);
    } else {
      add_tokens<Element, T - 1>(task, token, n, begin, columns, memory);
    }
  }
}

template <class Element>
void multiply(const PanelTask& task) {
  const std::int64_t panel_rows = (task.end - task.begin) * kPanelRows;
  const std::int64_t first_row = task.begin * kPanelRows;
  const std::int64_t rows = std::min(task.rows, task.end * kPanelRows) - first_row;
  float* const sums = task.sums;
  for (std::int64_t block = 0; block < task.x->tokens(); block += kBlockTokens) {
    const std::int64_t tokens = std::min(kBlockTokens, task.x->tokens() - block);
    for (std::int64_t begin = 0; begin < task.cols; begin += kBlockColumns) {
      const std::int64_t columns = std::min(kBlockColumns, task.cols - begin);
      for (std::int64_t t = 0; t < tokens; t += kTokens) {
        add_tokens<Element, kTokens>(task, block + t, std::min<std::int64_t>(kTokens, tokens - t), begin,
                                     columns, sums + t * panel_rows);
      }
    }
    for (std::int64_t t = 0; t < tokens; ++t) {
      std::memcpy(task.y.ptr<float>(block + t) + first_row, sums + t * panel_rows,
                  static_cast<std::size_t>(rows) * sizeof(float));
    }
  }
}

}  // namespace rung::linear::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
