// The kernels of the rung `simd`; simd.cpp says what they are for.
//
// Included once per instruction set, hence no include guard.
//
// The promise that everything here keeps: the sum of one (row, token) pair runs over one vector
// accumulator from left to right, then the odd columns, then the lanes. That order depends on `in`
// alone. A tile only carries several such pairs side by side, and a sum that is put down in memory
// between two blocks of columns is the same when it is taken up again.

HWY_BEFORE_NAMESPACE();
namespace rung::linear::HWY_NAMESPACE {

// A tile's sums, one vector of W per row and one of x must fit into the registers: 32 with AVX-512
// (4 * 6 + 4 + 1), else 16. Eight sums or more also hide the latency of an addition.
constexpr std::int64_t kTileRows = 4;
constexpr std::int64_t kTileTokens = kLanes == 16 ? 6 : 2;

// What many tokens are cut into, so that each piece is read from a near cache as often as it can be:
// a tile's x [6, 512] stays in L1 (12 KB) while W's [64, 512] passes by from L2 (128 KB).
constexpr std::int64_t kBlockColumns = 512;  // a multiple of every format's block
constexpr std::int64_t kBlockTokens = 128;

template <int R, int T>
using Sums = F[R][T];

/// sum[r][t] += w[r] . x[t] over kColumns columns.
template <class Format, int R, int T>
HWY_INLINE void add_step(const std::byte* const (&w)[R], const float* const (&x)[T], Sums<R, T>& sum) {
  constexpr std::int64_t kVectors = Format::kColumns / kLanes;
  F weights[R][kVectors];
  for (int r = 0; r < R; ++r) Format::load(w[r], weights[r]);
  for (std::int64_t v = 0; v < kVectors; ++v) {
    for (int t = 0; t < T; ++t) {
      const F xv = hn::LoadU(Floats(), x[t] + v * kLanes);
      for (int r = 0; r < R; ++r) sum[r][t] = hn::MulAdd(weights[r][v], xv, sum[r][t]);
    }
  }
}

/// The odd columns: one more step, filled up with zeros. Formats of whole blocks never come here.
template <class Format, int R, int T>
HWY_INLINE void add_rest(const std::byte* const (&w)[R], const float* const (&x)[T], std::int64_t columns,
                         Sums<R, T>& sum) {
  typename Format::Element w_rest[R][Format::kColumns] = {};
  float x_rest[T][Format::kColumns] = {};
  const std::byte* w_pointers[R];
  const float* x_pointers[T];
  const auto count = static_cast<std::size_t>(columns);
  for (int r = 0; r < R; ++r) {
    std::memcpy(w_rest[r], w[r], count * sizeof(typename Format::Element));
    w_pointers[r] = reinterpret_cast<const std::byte*>(w_rest[r]);
  }
  for (int t = 0; t < T; ++t) {
    std::memcpy(x_rest[t], x[t], count * sizeof(float));
    x_pointers[t] = x_rest[t];
  }
  add_step<Format, R, T>(w_pointers, x_pointers, sum);
}

/// sum[r][t] += W[r] . x[t] over `columns` columns, for R rows and T tokens.
template <class Format, int R, int T>
HWY_INLINE void add_columns(const std::byte* const (&w)[R], const float* const (&x)[T], std::int64_t columns,
                            Sums<R, T>& sum) {
  // Rows of a few KB end before the processor's own prefetcher has caught on. So the walk for one token
  // asks for the same place R rows further down, where the next tile will look; past the end of W that
  // has no effect.
  const std::ptrdiff_t ahead = R * (w[R > 1 ? 1 : 0] - w[0]);
  const std::int64_t steps = columns / Format::kColumns;
  const std::byte* w_at[R];
  const float* x_at[T];
  const auto move_to = [&](std::int64_t step) HWY_ATTR {
    for (int r = 0; r < R; ++r) w_at[r] = Format::address(w[r], step);
    for (int t = 0; t < T; ++t) x_at[t] = x[t] + step * Format::kColumns;
  };
  for (std::int64_t step = 0; step < steps; ++step) {
    move_to(step);
    add_step<Format, R, T>(w_at, x_at, sum);
    if constexpr (T == 1 && R > 1) {
      for (int r = 0; r < R; ++r) hwy::Prefetch(w_at[r] + ahead);
    }
  }
  if (columns % Format::kColumns != 0) {
    move_to(steps);
    add_rest<Format, R, T>(w_at, x_at, columns % Format::kColumns, sum);
  }
}

HWY_INLINE float total(F sum) { return hn::GetLane(hn::SumOfLanes(Floats(), sum)); }

/// R rows from `row` on times the only token.
template <class Format, int R>
HWY_INLINE void multiply_vector(const SimdTask& task, std::int64_t row) {
  const std::byte* w[R];
  const float* x[1] = {task.x.ptr<float>()};
  Sums<R, 1> sum;
  for (int r = 0; r < R; ++r) {
    w[r] = static_cast<const std::byte*>(task.weight.row(row + r));
    sum[r][0] = hn::Zero(Floats());
  }
  add_columns<Format, R, 1>(w, x, task.weight.cols, sum);
  for (int r = 0; r < R; ++r) task.y.ptr<float>()[row + r] = total(sum[r][0]);
}

/// One token: W streams from memory once and is converted in registers.
template <class Format>
void multiply_one_token(const SimdTask& task) {
  std::int64_t row = task.begin;
  for (; row + kTileRows <= task.end; row += kTileRows) multiply_vector<Format, kTileRows>(task, row);
  for (; row < task.end; ++row) multiply_vector<Format, 1>(task, row);
}

/// The same for formats that are converted in memory: as many rows as a tile has, then those as float32.
template <>
void multiply_one_token<Converted>(const SimdTask& task) {
  const std::int64_t in = task.weight.cols;
  float* const values = task.memory;
  for (std::int64_t row = task.begin; row < task.end; row += kTileRows) {
    const std::int64_t rows = std::min(kTileRows, task.end - row);
    for (std::int64_t r = 0; r < rows; ++r) read_row(task.weight, row + r, values + r * in);
    const Tensor weight(values, DType::f32, rows, in);
    multiply_one_token<ReadF32>({weight, task.x, task.y.col_slice(row, rows), 0, rows, nullptr});
  }
}

/// `columns` columns of a row of W as float32: the numbers that Format::load makes of them in registers.
template <class Format>
void convert(const void* from, DType dtype, std::int64_t columns, float* to) {
  constexpr std::int64_t kVectors = Format::kColumns / kLanes;
  for (; columns >= Format::kColumns; columns -= Format::kColumns) {
    F weights[kVectors];
    Format::load(from, weights);
    for (std::int64_t v = 0; v < kVectors; ++v) hn::StoreU(weights[v], Floats(), to + v * kLanes);
    from = Format::address(from, 1);
    to += Format::kColumns;
  }
  traits(dtype).to_float(from, to, columns);
}

template <>
void convert<Converted>(const void* from, DType dtype, std::int64_t columns, float* to) {
  traits(dtype).to_float(from, to, columns);
}

/// One block of columns of x and of converted W, and the sums that the blocks before it have left.
struct Block {
  const float* w;  // [rows, kBlockColumns]
  Tensor x;        // [tokens, columns]
  float* sums;     // [tokens, rows] vectors of kLanes
  std::int64_t rows;
};

template <int R, int T>
HWY_INLINE void add_tile(const Block& block, std::int64_t row, std::int64_t token) {
  const std::byte* w[R];
  const float* x[T];
  Sums<R, T> sum;
  float* const sums = block.sums + (token * block.rows + row) * kLanes;
  const std::int64_t stride = block.rows * kLanes;  // from one token's sums to the next's
  for (int t = 0; t < T; ++t) x[t] = block.x.ptr<float>(token + t);
  for (int r = 0; r < R; ++r) {
    w[r] = reinterpret_cast<const std::byte*>(block.w + (row + r) * kBlockColumns);
    for (int t = 0; t < T; ++t) sum[r][t] = hn::LoadU(Floats(), sums + t * stride + r * kLanes);
  }
  add_columns<ReadF32, R, T>(w, x, block.x.cols, sum);
  for (int r = 0; r < R; ++r) {
    for (int t = 0; t < T; ++t) hn::StoreU(sum[r][t], Floats(), sums + t * stride + r * kLanes);
  }
}

/// T tokens times all rows of the block: x stays in L1, W passes by.
template <int T>
HWY_INLINE void add_rows(const Block& block, std::int64_t token) {
  std::int64_t row = 0;
  for (; row + kTileRows <= block.rows; row += kTileRows) add_tile<kTileRows, T>(block, row, token);
  for (; row < block.rows; ++row) add_tile<1, T>(block, row, token);
}

/// The tokens that do not fill a tile: tries T, T - 1, ... until it fits.
template <int T>
HWY_INLINE void add_last_tokens(const Block& block, std::int64_t token) {
  if constexpr (T > 0) {
    if (block.x.rows - token == T) {
      add_rows<T>(block, token);
    } else {
      add_last_tokens<T - 1>(block, token);
    }
  }
}

void add_block(const Block& block) {
  std::int64_t token = 0;
  for (; token + kTileTokens <= block.x.rows; token += kTileTokens) add_rows<kTileTokens>(block, token);
  add_last_tokens<kTileTokens - 1>(block, token);
}

/// Many tokens: each weight is converted once for kBlockTokens of them.
template <class Format>
void multiply_many_tokens(const SimdTask& task) {
  const std::int64_t rows = task.end - task.begin;
  const std::int64_t in = task.weight.cols;
  float* w = task.memory;
  float* sums = w + rows * kBlockColumns;
  for (std::int64_t token = 0; token < task.x.rows; token += kBlockTokens) {
    const std::int64_t tokens = std::min(kBlockTokens, task.x.rows - token);
    std::fill_n(sums, tokens * rows * kLanes, 0.0f);
    for (std::int64_t column = 0; column < in; column += kBlockColumns) {
      const std::int64_t columns = std::min(kBlockColumns, in - column);
      const Tensor part = task.weight.col_slice(column, columns);
      for (std::int64_t r = 0; r < rows; ++r) {
        convert<Format>(part.row(task.begin + r), part.dtype, columns, w + r * kBlockColumns);
      }
      add_block({w, task.x.row_slice(token, tokens).col_slice(column, columns), sums, rows});
    }
    for (std::int64_t t = 0; t < tokens; ++t) {
      float* y = task.y.ptr<float>(token + t) + task.begin;
      for (std::int64_t r = 0; r < rows; ++r)
        y[r] = total(hn::LoadU(Floats(), sums + (t * rows + r) * kLanes));
    }
  }
}

/// Floats that the two functions above compute in, for up to `tokens` tokens.
std::int64_t memory_for(std::int64_t in, std::int64_t tokens) {
  const std::int64_t many = kSimdRows * (kBlockColumns + std::min(kBlockTokens, tokens) * kLanes);
  return std::max(kTileRows * in, tokens > 1 ? many : 0);
}

template <class Format>
void multiply(const SimdTask& task) {
  if (task.x.rows == 1) {
    multiply_one_token<Format>(task);
  } else {
    multiply_many_tokens<Format>(task);
  }
}

}  // namespace rung::linear::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
