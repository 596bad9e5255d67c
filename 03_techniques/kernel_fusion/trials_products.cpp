// Judges and times the two steps that are products: q, k and v; gate, up and the activation.
//
// The products themselves are another topic's. In the program `rung` they are what the ladder `linear` picks;
// this topic's own test and benchmark have a plain one, which is enough to judge by, and both with and
// without pieces.

#include <cmath>
#include <utility>

#include "core/guarded_buffer.hpp"
#include "core/parallel.hpp"
#include "trials.hpp"

namespace rung::kernel_fusion {
namespace {

/// Float32 weights, one dot product after the other.
class PlainProduct final : public Linear {
 public:
  PlainProduct(const LinearConfig& config, bool pieces) : config_(config), pieces_(pieces) {}

  void apply(const Tensor& x, const Tensor& y) override {
    parallel_for(config_.threads, y.cols, [&](std::int64_t o) { multiply(x, o, y.col_slice(o, 1)); });
  }
  std::int64_t piece_rows() const override { return pieces_ ? 16 : 0; }
  void apply_piece(const Tensor& x, const PreparedRows* /*prepared*/, std::int64_t begin,
                   const Tensor& y) const override {
    for (std::int64_t i = 0; i < y.cols; ++i) multiply(x, begin + i, y.col_slice(i, 1));
  }

 private:
  void multiply(const Tensor& x, std::int64_t o, const Tensor& y) const {
    constexpr int kSums = 8;
    const float* w = config_.weight.ptr<float>(o);
    for (std::int64_t t = 0; t < x.rows; ++t) {
      float sums[kSums] = {}, total = 0;
      for (std::int64_t i = 0; i < x.cols; ++i) sums[i % kSums] += w[i] * x.ptr<float>(t)[i];
      for (const float sum : sums) total += sum;
      *y.ptr<float>(t) = total;
    }
  }

  LinearConfig config_;
  bool pieces_;
};

struct Case {
  std::string name;
  std::int64_t tokens, in;
  std::vector<std::int64_t> widths;  // of the parts
  bool activated = false;
  bool bias = false;
  bool pieces = true;
  Activation activation = Activation::silu;
  DType dtype = DType::f32;  // of the weights when timed with the products of `linear`
  int layers = 1;            // so many weights take turns when timed, as in a model
  bool timed = false;

  std::int64_t outputs() const {
    std::int64_t sum = 0;
    for (const std::int64_t width : widths) sum += width;
    return sum;
  }
};

/// The weights of one layer.
struct Weights {
  Weights(const Case& c, DType type, Rng& rng) {
    for (const std::int64_t width : c.widths) {
      const std::vector<float> values =
          random_floats(rng, width * c.in, 1 / std::sqrt(static_cast<double>(c.in)));
      storage.emplace_back(bytes_of(type, width * c.in));
      weights.emplace_back(storage.back().data(), type, width, c.in);
      traits(type).from_float(values.data(), storage.back().data(), width * c.in);
      biases.push_back(random_floats(rng, width));
    }
  }
  std::vector<ProductPart> parts(const Case& c, const Ladder<Linear>& linear, int threads) {
    std::vector<ProductPart> result;
    for (std::size_t p = 0; p < weights.size(); ++p) {
      const LinearConfig config{weights[p], threads, static_cast<int>(c.tokens)};
      ProductPart part;
      if (c.timed && !linear.rungs().empty()) {
        part.linear = linear.make("auto", config);
      } else {
        part.linear = std::make_unique<PlainProduct>(config, c.pieces);
      }
      part.width = weights[p].rows;
      if (c.bias) part.bias = {biases[p].data(), DType::f32, 1, part.width};
      result.push_back(std::move(part));
    }
    return result;
  }

  std::vector<std::vector<std::byte>> storage;
  std::vector<Tensor> weights;
  std::vector<std::vector<float>> biases;
};

FusionConfig config_of(const Case& c, int threads) {
  FusionConfig config;
  config.threads = threads;
  config.max_tokens = static_cast<int>(c.tokens);
  config.activation = c.activation;
  return config;
}

std::unique_ptr<Products> make(const Case& c, Fusion& fusion, std::vector<ProductPart> parts) {
  return c.activated ? fusion.activated(std::move(parts)) : fusion.side_by_side(std::move(parts));
}

double activation(Activation kind, double z) {
  switch (kind) {
    case Activation::silu:
      return z / (1 + std::exp(-z));
    case Activation::gelu_tanh:
      return 0.5 * z * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (z + 0.044715 * z * z * z)));
    case Activation::gelu_erf:
      return 0.5 * z * std::erfc(-z / std::sqrt(2.0));
  }
  return 0;
}

struct Inputs {
  explicit Inputs(const Case& c, Rng& rng) : x(random_floats(rng, c.tokens * c.in)) {
    x[static_cast<std::size_t>(c.in) - 1] = 20;  // the first that a ragged loop forgets
  }
  Tensor rows(const Case& c) { return {x.data(), DType::f32, c.tokens, c.in}; }
  std::vector<float> x;
};

/// What comes out in float64 and how far float32 may be from it: n u sum|x w| for a sum of n products (Higham
/// 2002, section 4.2), handed on through the activation by its slope, which is below 1.2.
void expect(const Case& c, const Weights& w, const Inputs& in, std::vector<double>& expected,
            std::vector<double>& allowed) {
  for (std::int64_t t = 0; t < c.tokens; ++t) {
    std::vector<double> values, errors;
    for (std::size_t p = 0; p < c.widths.size(); ++p) {
      for (std::int64_t o = 0; o < c.widths[p]; ++o) {
        double sum = 0, size = 0;
        for (std::int64_t i = 0; i < c.in; ++i) {
          const double product =
              double{in.x[static_cast<std::size_t>(t * c.in + i)]} * w.weights[p].ptr<float>(o)[i];
          sum += product;
          size += std::fabs(product);
        }
        const double bias = c.bias ? w.biases[p][static_cast<std::size_t>(o)] : 0;
        values.push_back(sum + bias);
        errors.push_back(kUnit * (static_cast<double>(c.in + 4) * size + 2 * std::fabs(sum + bias)));
      }
    }
    const auto ffn = static_cast<std::size_t>(c.widths[0]);
    for (std::size_t i = 0; i < (c.activated ? ffn : values.size()); ++i) {
      if (!c.activated) {
        expected.push_back(values[i]);
        allowed.push_back(errors[i]);
        continue;
      }
      const double gate = activation(c.activation, values[i]);
      const bool gated = c.widths.size() == 2;
      const double up = gated ? values[ffn + i] : 1, up_error = gated ? errors[ffn + i] : 0;
      expected.push_back(gate * up);
      // cpu_activate.hpp: 1e-6 |z| for the GELU by tanh.
      allowed.push_back((1.2 * errors[i] + 1e-6 * std::fabs(values[i])) * (std::fabs(up) + up_error) +
                        std::fabs(gate) * up_error + 8 * kUnit * std::fabs(gate * up));
    }
  }
}

Verdict judge(const Ladder<Fusion>& ladder, Case c, const std::string& rung, int threads) {
  if (c.timed) {  // the plain product, float32 weights, fewer rows and tokens: what runs around it is judged
    c.timed = false;
    c.tokens = std::min<std::int64_t>(c.tokens, 3);
    for (std::int64_t& width : c.widths) width = std::min<std::int64_t>(width, 133);
  }
  Rng rng(5, static_cast<std::uint64_t>(c.in * 31 + c.outputs()));
  Weights weights(c, DType::f32, rng);
  Inputs in(c, rng);
  Made made(ladder, rung, config_of(c, threads));
  const auto products = make(c, *made.fusion, weights.parts(c, Ladder<Linear>(), threads));
  const std::int64_t width = c.activated ? c.widths[0] : c.outputs();
  GuardedBuffer y(c.tokens, width, width + 3), wide(c.tokens, c.outputs());
  products->run(in.rows(c), products->needs_wide() ? wide.tensor() : Tensor(), y.tensor());
  y.check_guards();
  wide.check_guards();
  std::vector<double> expected, allowed;
  expect(c, weights, in, expected, allowed);
  return compare(c.name, {{"token", c.tokens}, {"out", width}}, y.values(), expected, allowed);
}

std::function<void()> prepare(const Ladder<Fusion>& ladder, const Ladder<Linear>& linear, const Case& c,
                              const std::string& rung, int threads) {
  struct State {
    State(const Ladder<Fusion>& fusions, const Case& shape, const std::string& name, int team)
        : made(fusions, name, config_of(shape, team)) {}
    Made made;
    std::vector<Weights> weights;
    std::vector<std::unique_ptr<Products>> layers;
    std::vector<float> y, wide;
    std::unique_ptr<Inputs> in;
    std::size_t turn = 0;
  };
  const auto state = std::make_shared<State>(ladder, c, rung, threads);
  Rng rng(5);
  const Weights first(c, linear.rungs().empty() ? DType::f32 : c.dtype, rng);
  state->weights.assign(static_cast<std::size_t>(c.layers), first);
  for (Weights& w : state->weights) {
    for (std::size_t p = 0; p < w.weights.size(); ++p) w.weights[p].data = w.storage[p].data();
    state->layers.push_back(make(c, *state->made.fusion, w.parts(c, linear, threads)));
  }
  state->in = std::make_unique<Inputs>(c, rng);
  state->wide.resize(static_cast<std::size_t>(c.tokens * c.outputs()));
  state->y.resize(state->wide.size());
  return [state, c] {
    const Tensor y(state->y.data(), DType::f32, c.tokens, c.activated ? c.widths[0] : c.outputs());
    const Tensor wide(state->wide.data(), DType::f32, c.tokens, c.outputs());
    state->layers[state->turn]->run(state->in->rows(c), wide, y);
    state->turn = (state->turn + 1) % state->layers.size();
  };
}

std::vector<Case> cases() {
  constexpr bool kActivated = true, kBias = true;
  std::vector<Case> all = {
      {"qkv, 1 token", 1, 40, {48, 16, 16}},
      {"qkv, 11 tokens, ragged, biases", 11, 33, {35, 7, 7}, false, kBias},
      {"qkv, 3 tokens, biases", 3, 64, {64, 20, 20}, false, kBias},
      {"qkv, 9 tokens, no pieces", 9, 24, {24, 8, 8}, false, kBias, false},
      {"gate_up, 1 token", 1, 40, {50, 50}, kActivated},
      {"gate_up, 11 tokens, ragged", 11, 33, {35, 35}, kActivated},
      {"gate_up, 20 tokens", 20, 32, {70, 70}, kActivated},
      {"gate_up, 9 tokens, no pieces", 9, 24, {30, 30}, kActivated, false, false},
      {"up alone, 10 tokens, biases", 10, 24, {37}, kActivated, kBias, true, Activation::gelu_tanh},
      {"gate_up, 4 tokens, erf", 4, 24, {18, 18}, kActivated, false, true, Activation::gelu_erf},
  };
  const auto timed = [&](Case c, DType dtype, int layers) {
    c.dtype = dtype;
    c.layers = layers;
    c.timed = true;
    all.push_back(std::move(c));
  };
  timed({"qkv, tiny f16, 1 token", 1, 256, {256, 64, 64}}, DType::f16, 6);
  timed({"qkv, TinyLlama 1.1B q8_0, 1 token", 1, 2048, {2048, 256, 256}}, DType::q8_0, 22);
  timed({"gate_up, tiny f16, 1 token", 1, 256, {768, 768}, kActivated}, DType::f16, 6);
  timed({"gate_up, tiny f16, 128 tokens", 128, 256, {768, 768}, kActivated}, DType::f16, 6);
  timed({"gate_up, TinyLlama 1.1B q8_0, 1 token", 1, 2048, {5632, 5632}, kActivated}, DType::q8_0, 12);
  timed({"gate_up, TinyLlama 1.1B q8_0, 128 tokens", 128, 2048, {5632, 5632}, kActivated}, DType::q8_0, 2);
  return all;
}

}  // namespace

void product_trials(const Ladder<Fusion>& ladder, const Ladder<Linear>& linear, std::vector<Trial>& trials) {
  for (const Case& c : cases()) {
    const DType dtype = linear.rungs().empty() ? DType::f32 : c.dtype;
    Trial trial;
    trial.name = c.name;
    trial.timed = c.timed;
    trial.work.bytes =
        static_cast<double>(bytes_of(dtype, c.outputs() * c.in)) +
        4.0 * static_cast<double>(c.tokens * (c.in + (c.activated ? c.widths[0] : c.outputs())));
    trial.work.flops = 2.0 * static_cast<double>(c.tokens * c.in * c.outputs());
    trial.judge = [&ladder, c](const std::string& rung, int threads) {
      if (c.timed && !one_of(rung, {"none", c.activated ? "gate_up" : "qkv"})) return unsupported();
      return judged([&] { return judge(ladder, c, rung, threads); });
    };
    trial.prepare = [&ladder, &linear, c](const std::string& rung, int threads) {
      return prepare(ladder, linear, c, rung, threads);
    };
    trials.push_back(std::move(trial));
  }
}

}  // namespace rung::kernel_fusion
