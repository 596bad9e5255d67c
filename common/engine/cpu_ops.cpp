// The operations between the products, plainly. They touch each number once, so they are a few
// percent of a step; 03_techniques/kernel_fusion is about the rest of it.

#include "engine/cpu_ops.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/parallel.hpp"

namespace rung {
namespace {

/// A row of at least this many numbers is worth splitting between threads.
constexpr std::int64_t kColumnBlock = 512;

/// Calls body(row, first column, last column) over all of [rows, cols] in column blocks.
template <class Body>
void for_each_block(int threads, std::int64_t rows, std::int64_t cols, const Body& body) {
  const std::int64_t blocks = (cols + kColumnBlock - 1) / kColumnBlock;
  // A thread team costs about a microsecond: too much for the few numbers of a small model's step.
  const int team = rows * cols < 4 * kColumnBlock ? 1 : threads;
  parallel_for(team, rows * blocks, [&](std::int64_t i) {
    const std::int64_t begin = i % blocks * kColumnBlock;
    body(i / blocks, begin, std::min(begin + kColumnBlock, cols));
  });
}

void embed(int threads, const Tensor& table, const Tensor& tokens, const Tensor& y) {
  const auto to_float = traits(table.dtype).to_float;
  parallel_for(y.rows > 8 ? threads : 1, y.rows, [&](std::int64_t t) {
    to_float(table.row(tokens.ptr<std::int32_t>()[t]), y.ptr<float>(t), y.cols);
  });
}

void rmsnorm(int threads, const Tensor& x, const Tensor& weight, float eps, const Tensor& y) {
  parallel_for(x.rows > 8 ? threads : 1, x.rows, [&](std::int64_t t) {
    const float* in = x.ptr<float>(t);
    const float* w = weight.ptr<float>();
    float* out = y.ptr<float>(t);
    // Eight running sums: independent of each other, so that the compiler may use vectors.
    constexpr std::int64_t kLanes = 8;
    double sums[kLanes] = {};
    std::int64_t i = 0;
    for (; i + kLanes <= x.cols; i += kLanes) {
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        sums[lane] += static_cast<double>(in[i + lane]) * static_cast<double>(in[i + lane]);
      }
    }
    double square = 0;
    for (; i < x.cols; ++i) square += static_cast<double>(in[i]) * static_cast<double>(in[i]);
    for (const double sum : sums) square += sum;
    const auto scale = static_cast<float>(1.0 / std::sqrt(square / static_cast<double>(x.cols) + eps));
    for (std::int64_t c = 0; c < x.cols; ++c) out[c] = in[c] * scale * w[c];
  });
}

void rope(int threads, const Tensor& x, const Tensor& positions, const RopeTables& tables) {
  const std::int64_t half = tables.rotary_dim / 2;
  // Where the two members of pair i lie within a head.
  const std::int64_t stride = tables.pairs == RopePairs::interleaved ? 2 : 1;
  const std::int64_t distance = tables.pairs == RopePairs::interleaved ? 1 : half;
  parallel_for(x.rows > 8 ? threads : 1, x.rows, [&](std::int64_t t) {
    const std::int32_t position = positions.ptr<std::int32_t>()[t];
    const float* cos = tables.cos.ptr<float>(position);
    const float* sin = tables.sin.ptr<float>(position);
    for (float* head = x.ptr<float>(t); head < x.ptr<float>(t) + x.cols; head += tables.head_dim) {
      for (std::int64_t i = 0; i < half; ++i) {
        float& first = head[i * stride];
        float& second = head[i * stride + distance];
        const float a = first, b = second;
        first = a * cos[i] - b * sin[i];
        second = a * sin[i] + b * cos[i];
      }
    }
  });
}

void store_kv(int threads, const Tensor& k, const Tensor& v, const Tensor& slots, const KvView& kv) {
  const auto from_float = traits(kv.keys.dtype).from_float;
  parallel_for(k.rows > 8 ? threads : 1, k.rows, [&](std::int64_t t) {
    const std::int32_t slot = slots.ptr<std::int32_t>()[t];
    from_float(k.ptr<float>(t), kv.keys.row(slot), k.cols);
    from_float(v.ptr<float>(t), kv.values.row(slot), v.cols);
  });
}

void add(int threads, const Tensor& y, const Tensor& x) {
  for_each_block(threads, x.rows, x.cols, [&](std::int64_t t, std::int64_t begin, std::int64_t end) {
    const float* from = y.ptr<float>(t);
    float* to = x.ptr<float>(t);
    for (std::int64_t c = begin; c < end; ++c) to[c] += from[c];
  });
}

void silu_mul(int threads, const Tensor& gate_up, const Tensor& h) {
  for_each_block(threads, h.rows, h.cols, [&](std::int64_t t, std::int64_t begin, std::int64_t end) {
    const float* gate = gate_up.ptr<float>(t);
    const float* up = gate + h.cols;
    float* out = h.ptr<float>(t);
    for (std::int64_t c = begin; c < end; ++c) out[c] = gate[c] / (1.0f + std::exp(-gate[c])) * up[c];
  });
}

void gather(const Tensor& x, const Tensor& rows, const Tensor& y) {
  for (std::int64_t i = 0; i < y.rows; ++i) {
    std::memcpy(y.row(i), x.row(rows.ptr<std::int32_t>()[i]), bytes_of(y.dtype, y.cols));
  }
}

}  // namespace

Ops cpu_ops(int threads) {
  using namespace std::placeholders;
  Ops ops;
  ops.name = "cpu";
  ops.embed = std::bind(embed, threads, _1, _2, _3);
  ops.rmsnorm = std::bind(rmsnorm, threads, _1, _2, _3, _4);
  ops.rope = std::bind(rope, threads, _1, _2, _3);
  ops.store_kv = std::bind(store_kv, threads, _1, _2, _3, _4);
  ops.add = std::bind(add, threads, _1, _2);
  ops.silu_mul = std::bind(silu_mul, threads, _1, _2);
  ops.gather = gather;
  return ops;
}

void rope_angles(float theta, int rotary_dim, const Tensor& cos, const Tensor& sin) {
  for (std::int64_t i = 0; i < rotary_dim / 2; ++i) {
    const double frequency = std::pow(static_cast<double>(theta), -2.0 * static_cast<double>(i) / rotary_dim);
    for (std::int64_t position = 0; position < cos.rows; ++position) {
      const double angle = static_cast<double>(position) * frequency;
      cos.ptr<float>(position)[i] = static_cast<float>(std::cos(angle));
      sin.ptr<float>(position)[i] = static_cast<float>(std::sin(angle));
    }
  }
}

}  // namespace rung
