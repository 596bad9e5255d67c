// Judges and times the two steps that go row by row: add and norm, RoPE and the write to the cache.

#include <cmath>
#include <utility>

#include "core/guarded_buffer.hpp"
#include "trials.hpp"

namespace rung::kernel_fusion {
namespace {

struct AddNormCase {
  std::string name;
  std::int64_t tokens, dim;
  float scale = 1;
  NormKind kind = NormKind::rms;
  bool norm = true;  // false: there is none at this place
  bool timed = false;
};

struct AddNormInputs {
  explicit AddNormInputs(const AddNormCase& c) : stride(c.dim + (c.timed ? 0 : 3)) {
    Rng rng(7, static_cast<std::uint64_t>(c.tokens * 100003 + c.dim));
    out = random_floats(rng, c.tokens * stride);
    x = random_floats(rng, c.tokens * c.dim, 3);
    x[static_cast<std::size_t>(c.dim) / 2] = 900;  // a massive activation
    weight = random_floats(rng, c.dim, 0.5);
    bias = random_floats(rng, c.dim);
    norm = {c.norm ? Tensor(weight.data(), DType::f32, 1, c.dim) : Tensor(),
            c.kind == NormKind::layer ? Tensor(bias.data(), DType::f32, 1, c.dim) : Tensor(), c.kind};
  }
  Tensor added(const AddNormCase& c) { return {out.data(), DType::f32, c.tokens, c.dim, stride}; }

  std::int64_t stride;
  std::vector<float> out, x, weight, bias;
  Norm norm;
};

FusionConfig config_of(const AddNormCase& c, int threads) {
  FusionConfig config;
  config.threads = threads;
  config.max_tokens = static_cast<int>(c.tokens);
  return config;
}

/// x after the add and its norm, in float64, and how far float32 may be from both.
struct Expected {
  std::vector<double> x, x_allowed, norm, norm_allowed;
};

Expected expected(const AddNormCase& c, const AddNormInputs& in) {
  Expected e;
  for (std::int64_t t = 0; t < c.tokens; ++t) {
    std::vector<double> row;
    double mean = 0, square = 0, largest = 0;
    for (std::int64_t i = 0; i < c.dim; ++i) {
      const double add = double{c.scale} * in.out[static_cast<std::size_t>(t * in.stride + i)];
      const double before = in.x[static_cast<std::size_t>(t * c.dim + i)];
      row.push_back(before + add);
      e.x.push_back(before + add);
      e.x_allowed.push_back(2 * kUnit * (std::fabs(before) + 2 * std::fabs(add)));
      largest = std::max(largest, std::fabs(before) + std::fabs(add));
      mean += row.back() / static_cast<double>(c.dim);
    }
    if (c.kind == NormKind::rms) mean = 0;
    for (const double v : row) square += (v - mean) * (v - mean) / static_cast<double>(c.dim);
    const double scale = 1 / std::sqrt(square + double{1e-5f});
    for (std::int64_t i = 0; i < c.dim; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const double bias = c.kind == NormKind::layer ? in.bias[at] : 0;
      e.norm.push_back((row[at] - mean) * scale * in.weight[at] + bias);
      // The rounding of x, then a few products; `largest` bounds what the row's own rounding does to the
      // scale.
      e.norm_allowed.push_back(
          8 * kUnit *
          (scale * std::fabs(in.weight[at]) * (largest + std::fabs(mean)) + std::fabs(e.norm.back())));
    }
  }
  return e;
}

Verdict judge(const Ladder<Fusion>& ladder, const AddNormCase& c, const std::string& rung, int threads) {
  AddNormInputs in(c);
  Made made(ladder, rung, config_of(c, threads));
  GuardedBuffer to(c.tokens, c.dim, c.dim + 5), x(c.tokens, c.dim, c.dim + 2);
  for (std::int64_t t = 0; t < c.tokens; ++t)
    std::copy_n(in.x.data() + t * c.dim, c.dim, x.tensor().ptr<float>(t));
  made.ops.add_norm(in.added(c), c.scale, x.tensor(), in.norm, to.tensor());
  to.check_guards();
  x.check_guards();
  const Expected e = expected(c, in);
  const Verdict added =
      compare(c.name + ": x", {{"token", c.tokens}, {"dim", c.dim}}, x.values(), e.x, e.x_allowed);
  if (added.status == Verdict::Status::failed || !c.norm) return added;
  return compare(c.name + ": norm", {{"token", c.tokens}, {"dim", c.dim}}, to.values(), e.norm,
                 e.norm_allowed);
}

struct RopeCase {
  std::string name;
  std::int64_t tokens;
  int heads, kv_heads, head_dim, rotary_dim;  // rotary_dim 0: a layer without RoPE
  RopePairs pairs = RopePairs::interleaved;
  DType dtype = DType::f32;  // of the cache
  bool timed = false;
};

struct RopeInputs {
  explicit RopeInputs(const RopeCase& c)
      : width(std::int64_t{c.heads + 2 * c.kv_heads} * c.head_dim),
        kv_width(std::int64_t{c.kv_heads} * c.head_dim) {
    Rng rng(9, static_cast<std::uint64_t>(c.tokens * 1009 + width));
    qkv = random_floats(rng, c.tokens * width);
    const std::int64_t half = c.rotary_dim / 2;
    for (int p = 0; p < kPositions; ++p) {
      for (std::int64_t i = 0; i < half; ++i) {
        const double angle = p * std::pow(500.0, -static_cast<double>(i) / static_cast<double>(half));
        cos.push_back(static_cast<float>(std::cos(angle)));
        sin.push_back(static_cast<float>(std::sin(angle)));
      }
    }
    for (std::int64_t t = 0; t < c.tokens; ++t) {
      positions.push_back(static_cast<std::int32_t>((3 * t + 5) % kPositions));
      slots.push_back(static_cast<std::int32_t>(c.tokens - t));  // backwards, the last slot free
    }
    tables = {c.head_dim,
              c.rotary_dim,
              c.pairs,
              {cos.data(), DType::f32, kPositions, half},
              {sin.data(), DType::f32, kPositions, half}};
    keys.resize(bytes_of(c.dtype, (c.tokens + 2) * kv_width));
    values.resize(keys.size());
  }
  Tensor columns(const RopeCase& c, std::vector<float>& from, std::int64_t begin, std::int64_t count) const {
    return Tensor(from.data(), DType::f32, c.tokens, width).col_slice(begin, count);
  }
  Tensor list(std::vector<std::int32_t>& of) const {
    return {of.data(), DType::i32, 1, static_cast<std::int64_t>(of.size())};
  }
  KvView view(const RopeCase& c) {
    KvView kv;
    kv.keys = {keys.data(), c.dtype, c.tokens + 2, kv_width};
    kv.values = {values.data(), c.dtype, c.tokens + 2, kv_width};
    return kv;
  }

  static constexpr int kPositions = 1024;
  std::int64_t width, kv_width;
  std::vector<float> qkv, cos, sin;
  std::vector<std::int32_t> positions, slots;
  RopeTables tables;
  std::vector<std::byte> keys, values;
};

void run(const RopeCase& c, const Ops& ops, RopeInputs& in, std::vector<float>& qkv) {
  const std::int64_t q_width = in.width - 2 * in.kv_width;
  ops.rope_store(in.columns(c, qkv, 0, q_width), in.columns(c, qkv, q_width, in.kv_width),
                 in.columns(c, qkv, q_width + in.kv_width, in.kv_width), in.list(in.positions),
                 c.rotary_dim > 0 ? &in.tables : nullptr, in.list(in.slots), in.view(c));
}

FusionConfig config_of(const RopeCase& c, int threads) {
  FusionConfig config;
  config.threads = threads;
  config.max_tokens = static_cast<int>(c.tokens);
  return config;
}

Verdict judge(const Ladder<Fusion>& ladder, const RopeCase& c, const std::string& rung, int threads) {
  RopeInputs in(c);
  Made made(ladder, rung, config_of(c, threads));
  std::vector<float> qkv = in.qkv;
  run(c, made.ops, in, qkv);

  std::vector<float> got;  // q, then k and v as the cache has them
  std::vector<double> expected, allowed;
  const KvView kv = in.view(c);
  const int all = c.heads + 2 * c.kv_heads, d = c.head_dim, half = c.rotary_dim / 2;
  const double coarse = c.dtype == DType::f16 ? 0x1p-11 : 0;  // what the cache's format rounds
  std::vector<float> row(static_cast<std::size_t>(in.kv_width));
  for (std::int64_t t = 0; t < c.tokens; ++t) {
    const auto at = static_cast<std::size_t>(t);
    for (int h = 0; h < all; ++h) {
      const float* from = in.qkv.data() + t * in.width + std::int64_t{h} * d;
      const float* stored = qkv.data() + t * in.width + std::int64_t{h} * d;
      const bool is_q = h < c.heads, is_v = h >= c.heads + c.kv_heads;
      if (!is_q) {
        const Tensor& cache = is_v ? kv.values : kv.keys;
        traits(c.dtype).to_float(cache.row(in.slots[at]), row.data(), in.kv_width);
        stored = row.data() + std::int64_t{h - c.heads - (is_v ? c.kv_heads : 0)} * d;
      }
      for (int i = 0; i < d; ++i) {
        double value = from[i], size = std::fabs(value);
        if (i < c.rotary_dim && !is_v) {
          const bool neighbors = c.pairs == RopePairs::interleaved;
          const int pair = neighbors ? i / 2 : i % half;
          const bool second = neighbors ? i % 2 == 1 : i >= half;
          const double partner = from[neighbors ? i ^ 1 : (i + half) % c.rotary_dim];
          const auto angle = static_cast<std::size_t>(in.positions[at] * half + pair);
          value = value * in.cos[angle] + (second ? partner : -partner) * in.sin[angle];
          size += std::fabs(partner);
        }
        got.push_back(stored[i]);
        expected.push_back(value);
        allowed.push_back(3 * kUnit * size + (is_q ? 0 : coarse * size));
      }
    }
  }
  return compare(c.name + ": q, k, v", {{"token", c.tokens}, {"head", all}, {"dim", d}}, got, expected,
                 allowed);
}

}  // namespace

void add_norm_trials(const Ladder<Fusion>& ladder, std::vector<Trial>& trials) {
  const std::vector<AddNormCase> cases = {
      {"add_norm, 1 x 7", 1, 7},
      {"add_norm, 3 x 64, scaled", 3, 64, 0.22f},
      {"add_norm, 20 x 35", 20, 35},
      {"add_norm, 9 x 1", 9, 1},
      {"add_norm, 10 x 40, layer norm", 10, 40, 1, NormKind::layer},
      {"add_norm, 10 x 40, no norm behind it", 10, 40, 0.5f, NormKind::rms, false},
      {"add_norm, TinyLlama 1.1B, 1 token", 1, 2048, 1, NormKind::rms, true, true},
      {"add_norm, TinyLlama 1.1B, 512 tokens", 512, 2048, 1, NormKind::rms, true, true},
  };
  for (const AddNormCase& c : cases) {
    Trial trial;
    trial.name = c.name;
    trial.timed = c.timed;
    // x, out in; x and its norm out.
    trial.work = {16.0 * static_cast<double>(c.tokens * c.dim), 6.0 * static_cast<double>(c.tokens * c.dim)};
    trial.judge = [&ladder, c](const std::string& rung, int threads) {
      if (c.timed && !one_of(rung, {"none", "add_norm", "mine"})) return unsupported();
      return judged([&] { return judge(ladder, c, rung, threads); });
    };
    trial.prepare = [&ladder, c](const std::string& rung, int threads) -> std::function<void()> {
      const auto in = std::make_shared<AddNormInputs>(c);
      const auto made = std::make_shared<Made>(ladder, rung, config_of(c, threads));
      const auto to = std::make_shared<std::vector<float>>(in->x.size());
      return [=] {
        const Tensor x(in->x.data(), DType::f32, c.tokens, c.dim), y(to->data(), DType::f32, c.tokens, c.dim);
        made->ops.add_norm(in->added(c), c.scale, x, in->norm, y);
      };
    };
    trials.push_back(std::move(trial));
  }
}

void rope_store_trials(const Ladder<Fusion>& ladder, std::vector<Trial>& trials) {
  const std::vector<RopeCase> cases = {
      {"rope_store, 1 token", 1, 3, 1, 10, 10},
      {"rope_store, 11 tokens, halves", 11, 6, 2, 8, 8, RopePairs::half},
      {"rope_store, 9 tokens, a part of the head, f16", 9, 4, 4, 10, 6, RopePairs::half, DType::f16},
      {"rope_store, 20 tokens, f16", 20, 4, 2, 16, 16, RopePairs::interleaved, DType::f16},
      {"rope_store, 10 tokens, no rope", 10, 2, 2, 6, 0},
      {"rope_store, TinyLlama 1.1B, 512 tokens", 512, 32, 4, 64, 64, RopePairs::interleaved, DType::f32,
       true},
  };
  for (const RopeCase& c : cases) {
    const double q = static_cast<double>(c.tokens) * c.heads * c.head_dim;
    const double k = static_cast<double>(c.tokens) * c.kv_heads * c.head_dim;
    Trial trial;
    trial.name = c.name;
    trial.timed = c.timed;
    trial.work = {8.0 * (q + 2 * k), 3.0 * (q + k)};
    trial.judge = [&ladder, c](const std::string& rung, int threads) {
      if (c.timed && !one_of(rung, {"none", "rope_store"})) return unsupported();
      return judged([&] { return judge(ladder, c, rung, threads); });
    };
    trial.prepare = [&ladder, c](const std::string& rung, int threads) -> std::function<void()> {
      const auto in = std::make_shared<RopeInputs>(c);
      const auto made = std::make_shared<Made>(ladder, rung, config_of(c, threads));
      return [=] { run(c, made->ops, *in, in->qkv); };
    };
    trials.push_back(std::move(trial));
  }
}

}  // namespace rung::kernel_fusion
