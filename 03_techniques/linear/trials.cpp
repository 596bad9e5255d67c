// The workloads of `linear`: aligned and ragged shapes in every format, and the timed ones.
//
// Inputs come from fixed seeds and are made when a trial runs. The oracle sums in float64, with the
// weights as the number format's own conversion gives them. A sum of n rounded products, in whatever
// order, is off by at most about n u sum|x_i w_i| with u = 2^-24 (Higham, Accuracy and Stability of
// Numerical Algorithms, 2002, section 4.2): that is the tolerance. A rung that rounds x to 8 bits is judged
// with x rounded here, by its definition (Activations): whatever else it does to x is an error. How much that
// rounding costs is another question, and packed_test.cpp asks it.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "core/guarded_buffer.hpp"
#include "core/rng.hpp"
#include "integers.hpp"
#include "linear.hpp"

namespace rung::linear {
namespace {

struct Shape {
  DType dtype;
  std::int64_t tokens, in, out;
  bool strided = false;  // rows of x and y have gaps between them
  bool timed = false;
  bool cached = false;  // timed with one weight that stays in the second-level cache: the arithmetic alone
  bool operator==(const Shape&) const = default;
};
constexpr bool kStrided = true, kTimed = true, kCached = true;

constexpr std::int64_t kJudgedRows = 133;  // of W, in timed trials: enough for every tile and edge

/// The weight and the input of one trial; both live as long as this.
struct Inputs {
  std::vector<std::byte> weight_storage;
  std::vector<float> x_storage;
  Tensor weight, x;
};

Inputs make_inputs(const Shape& s) {
  Inputs inputs;
  Rng rng(2024, static_cast<std::uint64_t>(s.in * 1000003 + s.out));
  const auto uniform = [&rng] { return static_cast<float>(rng.uniform() * 2.0 - 1.0); };
  std::vector<float> row(static_cast<std::size_t>(s.in));
  inputs.weight_storage.resize(bytes_of(s.dtype, s.in * s.out));
  inputs.weight = Tensor(inputs.weight_storage.data(), s.dtype, s.out, s.in);
  for (std::int64_t o = 0; o < s.out; ++o) {
    for (float& w : row) w = 0.05f * uniform();
    traits(s.dtype).from_float(row.data(), inputs.weight.row(o), s.in);
  }
  const std::int64_t stride = s.in + (s.strided ? 24 : 0);
  inputs.x_storage.resize(static_cast<std::size_t>(s.tokens * stride));
  inputs.x = Tensor(inputs.x_storage.data(), DType::f32, s.tokens, s.in, stride);
  // What stands between the rows of x is not a number: whoever reads it has it in the result.
  std::fill(inputs.x_storage.begin(), inputs.x_storage.end(), std::nanf(""));
  for (std::int64_t t = 0; t < s.tokens; ++t) {
    float* x = inputs.x.ptr<float>(t);
    for (std::int64_t i = 0; i < s.in; ++i) x[i] = uniform();
    // Hidden states of language models have a few channels many times larger than the rest; one of
    // ours is the last column, which is the first that a ragged loop forgets.
    x[s.in / 3] *= 30.0f;
    x[s.in - 1] = 20.0f + x[s.in - 1];
  }
  return inputs;
}

/// x as a rung sees it that multiplies whole numbers: 32 columns share the scale max|x| / 127.
std::vector<float> rounded_to_int8(const Tensor& x) {
  std::vector<float> rounded;
  for (std::int64_t t = 0; t < x.rows; ++t) {
    const float* row = x.ptr<float>(t);
    for (std::int64_t b = 0; b < x.cols; b += kIntegerBlock) {
      float extreme = 0.0f;
      for (int i = 0; i < kIntegerBlock; ++i) extreme = std::max(extreme, std::fabs(row[b + i]));
      const float scale = extreme / 127.0f, inverse = 127.0f / extreme;
      for (int i = 0; i < kIntegerBlock; ++i) rounded.push_back(scale * std::nearbyint(row[b + i] * inverse));
    }
  }
  return rounded;
}

/// x as a rung sees it that multiplies bfloat16 numbers.
std::vector<float> rounded_to_bf16(const Tensor& x) {
  std::vector<float> rounded(static_cast<std::size_t>(x.size()));
  std::vector<std::uint16_t> halves(static_cast<std::size_t>(x.cols));
  for (std::int64_t t = 0; t < x.rows; ++t) {
    traits(DType::bf16).from_float(x.ptr<float>(t), halves.data(), x.cols);
    traits(DType::bf16).to_float(halves.data(), rounded.data() + t * x.cols, x.cols);
  }
  return rounded;
}

/// The product in float64, and how far a float32 sum may be from it.
struct Oracle {
  std::vector<double> expected, tolerance;  // [tokens, out]
};

Oracle multiply_exactly(const Tensor& x, const Tensor& weight) {
  Oracle oracle;
  oracle.expected.resize(static_cast<std::size_t>(x.rows * weight.rows));
  oracle.tolerance.resize(oracle.expected.size());
  const auto cols = static_cast<std::size_t>(weight.cols);
  std::vector<float> row(cols);
  // Rungs may sum the minima of a row on their own: two products per column, which may cancel.
  std::vector<float> minimum(cols, 0.0f);
  std::vector<IntegerBlock> blocks(cols / kIntegerBlock);
  for (std::int64_t o = 0; o < weight.rows; ++o) {
    read_row(weight, o, row.data());
    if (has_minimum(weight.dtype)) {
      read_integers(weight.dtype, weight.row(o), weight.cols, blocks.data());
      for (std::size_t i = 0; i < cols; ++i)
        minimum[i] = blocks[i / kIntegerBlock].minimum[i % kIntegerBlock / 16];
    }
    for (std::int64_t t = 0; t < x.rows; ++t) {
      const float* xt = x.ptr<float>(t);
      double sum = 0, magnitude = 0;
      for (std::size_t i = 0; i < cols; ++i) {
        const double product = static_cast<double>(xt[i]) * row[i];
        sum += product;
        magnitude += std::fabs(product) + 2 * std::fabs(static_cast<double>(xt[i]) * minimum[i]);
      }
      const auto at = static_cast<std::size_t>(t * weight.rows + o);
      oracle.expected[at] = sum;
      oracle.tolerance[at] = 0x1p-24 * static_cast<double>(weight.cols + 2) * magnitude;
    }
  }
  return oracle;
}

/// What a trial gives to its rungs, and what they should make of it: made when first asked for. Quantizing to
/// a K format and summing in float64 take longer than all that is measured or judged.
class Problem {
 public:
  explicit Problem(const Shape& s) : inputs_(make_inputs(s)) {}

  const Inputs& inputs() const { return inputs_; }

  /// For a rung that takes x as `activations` says.
  const Oracle& oracle(Activations activations) {
    std::optional<Oracle>& kept = oracles_[static_cast<std::size_t>(activations)];
    if (!kept) {
      Tensor x = inputs_.x;
      std::vector<float> rounded;
      if (activations != Activations::f32) {
        rounded = activations == Activations::int8 ? rounded_to_int8(x) : rounded_to_bf16(x);
        x = Tensor(rounded.data(), DType::f32, x.rows, x.cols);
      }
      kept = multiply_exactly(x, inputs_.weight);
    }
    return *kept;
  }

 private:
  Inputs inputs_;
  std::optional<Oracle> oracles_[3];
};

/// The latest is kept: a trial's rungs follow each other.
std::shared_ptr<Problem> problem_of(const Shape& s) {
  static std::pair<Shape, std::shared_ptr<Problem>> latest;
  if (!latest.second || latest.first != s) latest = {s, std::make_shared<Problem>(s)};
  return latest.second;
}

Verdict judge(const Ladder<Linear>& ladder, const std::string& name, Shape s, const std::string& rung,
              int threads) {
  if (s.timed) s.out = kJudgedRows;  // the same inputs as when timed, the first rows of W
  const std::shared_ptr<Problem> problem = problem_of(s);
  const Inputs& inputs = problem->inputs();
  const LinearConfig config{inputs.weight, threads, static_cast<int>(s.tokens)};
  if (!ladder.supports(rung, config)) {
    Verdict declined;
    declined.status = Verdict::Status::unsupported;
    return declined;
  }
  GuardedBuffer y(s.tokens, s.out, s.out + (s.strided ? 5 : 0));
  const std::unique_ptr<Linear> linear = ladder.make(rung, config);
  linear->apply(inputs.x, y.tensor());
  y.check_guards();
  const Oracle& oracle = problem->oracle(linear->activations());
  return compare(name, {{"token", s.tokens}, {"out", s.out}}, y.values(), oracle.expected, oracle.tolerance);
}

/// One call on the next of several equal weights. A model's weights do not fit into the caches: by the
/// time a layer's turn comes again, all the others have passed. With a single weight we would measure L3.
std::function<void()> prepare(const Ladder<Linear>& ladder, const Shape& s, const std::string& rung,
                              int threads) {
  struct State {
    std::shared_ptr<Problem> problem;
    std::vector<std::vector<std::byte>> copies;
    std::vector<std::unique_ptr<Linear>> linears;
    std::vector<float> y;
    std::size_t turn = 0;
  };
  const auto state = std::make_shared<State>();
  state->problem = problem_of(s);
  const Inputs& inputs = state->problem->inputs();
  const Tensor& weight = inputs.weight;
  const std::size_t count = s.tokens <= 16 && !s.cached ? kRotatedBytes / weight.bytes() + 1 : 1;
  for (std::size_t c = 0; c < count; ++c) {
    Tensor copy = weight;
    if (c > 0 && state->linears.front()->packed_bytes() == 0) {  // else each has its own already
      state->copies.push_back(inputs.weight_storage);
      copy.data = state->copies.back().data();
    }
    state->linears.push_back(ladder.make(rung, {copy, threads, static_cast<int>(s.tokens)}));
  }
  state->y.resize(static_cast<std::size_t>(s.tokens * s.out));
  return [state, s] {
    const Tensor y(state->y.data(), DType::f32, s.tokens, s.out);
    state->linears[state->turn]->apply(state->problem->inputs().x, y);
    state->turn = (state->turn + 1) % state->linears.size();
  };
}

Trial make_trial(const Ladder<Linear>& ladder, const Shape& s) {
  Trial trial;
  trial.name =
      fmt::format("{}{}, {} token{}, {} -> {}{}{}", s.timed ? (s.tokens <= 16 ? "decode " : "prefill ") : "",
                  traits(s.dtype).name, s.tokens, s.tokens == 1 ? "" : "s", s.in, s.out,
                  s.strided ? ", strided" : "", s.cached ? ", in the cache" : "");
  trial.timed = s.timed;
  trial.work.bytes = static_cast<double>(bytes_of(s.dtype, s.in * s.out)) +
                     4.0 * static_cast<double>(s.tokens * (s.in + s.out));
  trial.work.flops = 2.0 * static_cast<double>(s.tokens * s.in * s.out);
  trial.judge = [&ladder, s, name = trial.name](const std::string& rung, int threads) {
    return judged([&] { return judge(ladder, name, s, rung, threads); });
  };
  trial.prepare = [&ladder, s](const std::string& rung, int threads) {
    return prepare(ladder, s, rung, threads);
  };
  return trial;
}

}  // namespace

std::vector<Trial> make_trials(const Ladder<Linear>& ladder) {
  std::vector<Trial> trials;
  // Formats of blocks have whole blocks only.
  const auto add = [&](const Shape& shape) {
    if (shape.in % traits(shape.dtype).block_elements == 0) trials.push_back(make_trial(ladder, shape));
  };
  for (int d = 0; d < kDTypeCount; ++d) {
    const auto dtype = static_cast<DType>(d);
    if (traits(dtype).from_float == nullptr) continue;
    add({dtype, 1, 32, 1});
    add({dtype, 1, 2048, 517});
    add({dtype, 2, 64, 7});
    add({dtype, 3, 96, 64});
    add({dtype, 8, 64, 64});
    add({dtype, 8, 64, 64, kStrided});
    add({dtype, 10, 32, 1});
    add({dtype, 10, 96, 517, kStrided});
    add({dtype, 35, 96, 8});
    add({dtype, 35, 2048, 7});
    add({dtype, 1, 256, 5});
    add({dtype, 9, 768, 70, kStrided});
    add({dtype, 1, 5, 3});
    add({dtype, 1, 172, 8});
    add({dtype, 3, 172, 7});
    add({dtype, 10, 172, 517, kStrided});
  }
  // TinyLlama 1.1B's feed-forward, as in `rung synth --shape tinyllama-1.1b`, in the formats that files have
  // most often.
  for (const DType dtype :
       {DType::f32, DType::f16, DType::bf16, DType::q8_0, DType::q4_0, DType::q4_1, DType::q4_k, DType::q5_k,
        DType::q6_k, DType::iq4_nl, DType::q2_k, DType::q3_k, DType::mxfp4}) {
    add({dtype, 1, 2048, 5632, !kStrided, kTimed});
    add({dtype, 128, 2048, 5632, !kStrided, kTimed});
  }
  for (const DType dtype : {DType::q8_0, DType::q4_0, DType::q4_k}) {
    add({dtype, 16, 2048, 5632, !kStrided, kTimed});
    add({dtype, 1, 2048, 512, !kStrided, kTimed, kCached});
  }
  return trials;
}

}  // namespace rung::linear
