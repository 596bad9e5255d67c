// Plain versions of the operations between the products. They read each number once, so they take a few
// percent of a step. 03_techniques/kernel_fusion reduces this time.

#include "ops/cpu_ops.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/parallel.hpp"
#include "ops/composed_steps.hpp"
#include "ops/cpu_activate.hpp"
#include "ops/cpu_blocks.hpp"
#include "ops/cpu_rows.hpp"

namespace rung {
namespace {

void embed(int threads, const Tensor& table, const Tensor& tokens, const Tensor& y) {
  const auto to_float = traits(table.dtype).to_float;
  parallel_for(y.rows > 8 ? threads : 1, y.rows, [&](std::int64_t t) {
    to_float(table.row(tokens.ptr<std::int32_t>()[t]), y.ptr<float>(t), y.cols);
  });
}

void rmsnorm(int threads, const Tensor& x, const Tensor& weight, float eps, const Tensor& y) {
  const std::int64_t n = weight.cols;
  parallel_for(x.rows > 8 ? threads : 1, x.rows, [&](std::int64_t t) {
    for (std::int64_t begin = 0; begin < x.cols; begin += n)
      rmsnorm_row(x.ptr<float>(t) + begin, weight.ptr<float>(), n, eps, y.ptr<float>(t) + begin);
  });
}

void layernorm(int threads, const Tensor& x, const Tensor& weight, const Tensor& bias, float eps,
               const Tensor& y) {
  const float* w = weight.ptr<float>();
  const float* b = bias.empty() ? nullptr : bias.ptr<float>();
  const auto n = static_cast<double>(x.cols);
  parallel_for(x.rows > 8 ? threads : 1, x.rows, [&](std::int64_t t) {
    const float* in = x.ptr<float>(t);
    float* out = y.ptr<float>(t);
    const double mean = sum_of(x.cols, [in](std::int64_t i) { return static_cast<double>(in[i]); }) / n;
    const double square = sum_of(x.cols, [in, mean](std::int64_t i) {
      return (static_cast<double>(in[i]) - mean) * (static_cast<double>(in[i]) - mean);
    });
    const double scale = 1.0 / std::sqrt(square / n + eps);
    for (std::int64_t c = 0; c < x.cols; ++c) {
      const auto normed = static_cast<float>((static_cast<double>(in[c]) - mean) * scale);
      out[c] = normed * w[c] + (b != nullptr ? b[c] : 0.0f);
    }
  });
}

void rope(int threads, const Tensor& x, const Tensor& positions, const RopeTables& tables) {
  parallel_for(x.rows > 8 ? threads : 1, x.rows, [&](std::int64_t t) {
    rotate_row(tables, positions.ptr<std::int32_t>()[t], x.cols, x.ptr<float>(t));
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

/// x = f(x), number by number.
template <class Function>
void apply(int threads, const Tensor& x, const Function& f) {
  for_each_block(threads, x.rows, x.cols, [&](std::int64_t t, std::int64_t begin, std::int64_t end) {
    float* row = x.ptr<float>(t);
    for (std::int64_t c = begin; c < end; ++c) row[c] = f(row[c]);
  });
}

void add(int threads, const Tensor& y, float scale, const Tensor& x) {
  for_each_block(threads, x.rows, x.cols, [&](std::int64_t t, std::int64_t begin, std::int64_t end) {
    add_scaled(y.ptr<float>(t) + begin, scale, end - begin, x.ptr<float>(t) + begin);
  });
}

void add_row(int threads, const Tensor& bias, const Tensor& x) {
  for_each_block(threads, x.rows, x.cols, [&](std::int64_t t, std::int64_t begin, std::int64_t end) {
    const float* from = bias.ptr<float>();
    float* to = x.ptr<float>(t);
    for (std::int64_t c = begin; c < end; ++c) to[c] += from[c];
  });
}

void scale(int threads, float factor, const Tensor& x) {
  apply(threads, x, [factor](float v) { return v * factor; });
}

void softcap(int threads, float cap, const Tensor& x) {
  apply(threads, x, [cap](float v) { return cap * std::tanh(v / cap); });
}

void gather(const Tensor& x, const Tensor& rows, const Tensor& y) {
  for (std::int64_t i = 0; i < y.rows; ++i) {
    std::memcpy(y.row(i), x.row(rows.ptr<std::int32_t>()[i]), bytes_of(y.dtype, y.cols));
  }
}

void combine(int threads, const Tensor& x, const Tensor& rows, const Tensor& weights, const Tensor& y) {
  for_each_block(threads, y.rows, y.cols, [&](std::int64_t t, std::int64_t begin, std::int64_t end) {
    const std::int32_t* from = rows.ptr<std::int32_t>(t);
    const float* weight = weights.ptr<float>(t);
    float* out = y.ptr<float>(t);
    for (std::int64_t r = 0; r < rows.cols; ++r) {
      const float* in = x.ptr<float>(from[r]);
      for (std::int64_t c = begin; c < end; ++c) out[c] = (r == 0 ? 0.0f : out[c]) + weight[r] * in[c];
    }
  });
}

}  // namespace

Ops cpu_ops(int threads) {
  using namespace std::placeholders;
  Ops ops;
  ops.name = "cpu";
  ops.embed = std::bind(embed, threads, _1, _2, _3);
  ops.rmsnorm = std::bind(rmsnorm, threads, _1, _2, _3, _4);
  ops.layernorm = std::bind(layernorm, threads, _1, _2, _3, _4, _5);
  ops.rope = std::bind(rope, threads, _1, _2, _3);
  ops.store_kv = std::bind(store_kv, threads, _1, _2, _3, _4);
  ops.add = std::bind(add, threads, _1, _2, _3);
  ops.add_row = std::bind(add_row, threads, _1, _2);
  ops.scale = std::bind(scale, threads, _1, _2);
  ops.softcap = std::bind(softcap, threads, _1, _2);
  ops.activate = std::bind(cpu_activate, threads, _1, _2, _3);
  ops.gather = gather;
  ops.combine = std::bind(combine, threads, _1, _2, _3, _4);
  compose_steps(ops);
  return ops;
}

void rope_angles(const RopeFrequencies& frequencies, const Tensor& cos, const Tensor& sin) {
  for (std::int64_t i = 0; i < cos.cols; ++i) {
    const double radians = frequencies.radians[static_cast<std::size_t>(i)];
    for (std::int64_t position = 0; position < cos.rows; ++position) {
      const double angle = static_cast<double>(position) * radians;
      cos.ptr<float>(position)[i] = static_cast<float>(std::cos(angle) * frequencies.magnitude);
      sin.ptr<float>(position)[i] = static_cast<float>(std::sin(angle) * frequencies.magnitude);
    }
  }
}

}  // namespace rung
