// The kernel of the rung `bf16_dot`: panels of 16 rows times tiles of tokens, two columns at a time.
//
// Included by bf16_dot.cpp once per instruction set, hence no include guard; the namespace that includes it
// holds a struct Isa (bf16_dot_isa-*.h).
//
// The promise that everything here keeps: the sum of one (row, token) pair runs over the pairs of columns
// from left to right in one lane, the odd column of a pair before the even one, as the instruction does. A
// product of two bfloat16 numbers is exact in float32, so each addition rounds once. That order depends on
// nothing else: neither the batch nor the instruction set changes a bit. (The instruction takes numbers below
// 2^-126 for zeros; the others do not.)

using Floats = Isa::Floats;
constexpr int kParts = kPanelRows / Isa::kRows;  // vectors of one pair of a panel

// As in the rung `panels`: a tile's x stays in L1 while the panels pass by from L2.
constexpr std::int64_t kBlockPairs = 256;
constexpr std::int64_t kBlockTokens = 8 * Isa::kTokens;

/// sums[p][part][t] += the products of one step (Isa::weights) of P panels' pair with T tokens.
template <int kStep, int P, int T>
RUNG_INLINE void add_step(const std::uint32_t* const (&panel)[P], std::int64_t pair, const std::uint32_t* x,
                          Floats (&sums)[P][kParts][T]) {
  typename Isa::Weights w[P][kParts];
  RUNG_UNROLL
  for (int p = 0; p < P; ++p) {
    RUNG_UNROLL
    for (int v = 0; v < kParts; ++v) {
      w[p][v] = Isa::template weights<kStep>(panel[p] + pair * kPanelRows + v * Isa::kRows);
    }
  }
  RUNG_UNROLL
  for (int t = 0; t < T; ++t) {
    RUNG_UNROLL
    for (int p = 0; p < P; ++p) {
      RUNG_UNROLL
      for (int v = 0; v < kParts; ++v) {
        sums[p][v][t] = Isa::add(w[p][v], x + t * Isa::kSteps + kStep, sums[p][v][t]);
      }
    }
  }
}

/// Pairs [begin, begin + pairs) of P panels times a tile of T tokens; the sums lie in `memory` between two
/// calls, [T, rows of the task].
template <int P, int T>
RUNG_INLINE void add_tile(const Bf16Task& task, std::int64_t panel, std::int64_t token, std::int64_t begin,
                          std::int64_t pairs, float* memory) {
  const std::int64_t rows = (task.end - task.begin) * kPanelRows;
  const std::uint32_t* w[P];
  Floats sums[P][kParts][T];
  float* const place = memory + (panel - task.begin) * kPanelRows;
  const auto at = [&](int p, int v, int t) { return place + t * rows + p * kPanelRows + v * Isa::kRows; };
  RUNG_UNROLL
  for (int p = 0; p < P; ++p) {
    w[p] = task.panels + ((panel + p) * task.pairs + begin) * kPanelRows;
    RUNG_UNROLL
    for (int v = 0; v < kParts; ++v) {
      RUNG_UNROLL
      for (int t = 0; t < T; ++t) sums[p][v][t] = begin == 0 ? Isa::zero() : Isa::load(at(p, v, t));
    }
  }
  const std::uint32_t* x = task.x->words(token) + begin * T * Isa::kSteps;
  for (std::int64_t pair = 0; pair < pairs; ++pair, x += T * Isa::kSteps) {
    add_step<0, P, T>(w, pair, x, sums);
    if constexpr (Isa::kSteps == 2) add_step<1, P, T>(w, pair, x, sums);
  }
  RUNG_UNROLL
  for (int p = 0; p < P; ++p) {
    RUNG_UNROLL
    for (int v = 0; v < kParts; ++v) {
      RUNG_UNROLL
      for (int t = 0; t < T; ++t) Isa::store(sums[p][v][t], at(p, v, t));
    }
  }
}

/// All panels of the task times a tile of n tokens: tries T, T - 1, ... until it fits.
template <int T>
void add_tokens(const Bf16Task& task, std::int64_t token, std::int64_t n, std::int64_t begin,
                std::int64_t pairs, float* memory) {
  if constexpr (T > 0) {
    if (n < T) return add_tokens<T - 1>(task, token, n, begin, pairs, memory);
    constexpr int kTogether = T == 1 ? Isa::kPanelsForOne : Isa::kPanels;
    std::int64_t panel = task.begin;
    for (; panel + kTogether <= task.end; panel += kTogether) {
      add_tile<kTogether, T>(task, panel, token, begin, pairs, memory);
    }
    for (; panel < task.end; ++panel) add_tile<1, T>(task, panel, token, begin, pairs, memory);
  }
}

inline void run(const Bf16Task& task) {
  const std::int64_t panel_rows = (task.end - task.begin) * kPanelRows;
  const std::int64_t first_row = task.begin * kPanelRows;
  const std::int64_t rows = std::min(task.rows, task.end * kPanelRows) - first_row;
  float* const sums = task.sums;
  for (std::int64_t block = 0; block < task.x->tokens(); block += kBlockTokens) {
    const std::int64_t tokens = std::min(kBlockTokens, task.x->tokens() - block);
    for (std::int64_t begin = 0; begin < task.pairs; begin += kBlockPairs) {
      const std::int64_t pairs = std::min(kBlockPairs, task.pairs - begin);
      for (std::int64_t t = 0; t < tokens; t += Isa::kTokens) {
        add_tokens<Isa::kTokens>(task, block + t, std::min<std::int64_t>(Isa::kTokens, tokens - t), begin,
                                 pairs, sums + t * panel_rows);
      }
    }
    for (std::int64_t t = 0; t < tokens; ++t) {
      std::memcpy(task.y.ptr<float>(block + t) + first_row, sums + t * panel_rows,
                  static_cast<std::size_t>(rows) * sizeof(float));
    }
  }
}

inline constexpr Bf16Kernels kKernels{run, Isa::kTokens, Isa::kSteps, kBlockTokens};
