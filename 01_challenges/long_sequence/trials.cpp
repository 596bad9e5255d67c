// The trials of `rope`. The rungs linear and yarn are compared with the frequencies of model/rope.cpp, which
// other tests compare with the logits of transformers. The rungs ntk and plain are compared with their
// formulas in long double. A learner's rung is judged by properties that every stretch must have.

#include <cmath>
#include <memory>

#include "core/trial.hpp"
#include "long_sequence.hpp"

namespace rung::long_sequence {
namespace {

struct Case {
  std::string name;
  RopeStretchConfig config;
  bool timed = false;
};

RopeStretchConfig config_of(float theta, int rotary_dim, int trained, int context) {
  RopeStretchConfig config;
  config.rope.theta = theta;
  config.rotary_dim = rotary_dim;
  config.trained_context = trained;
  config.context = context;
  return config;
}

std::vector<Case> cases() {
  RopeStretchConfig llama31 = config_of(500000, 128, 131072, 131072);
  llama31.rope.scaling = RopeScaling::llama3;
  llama31.rope.factor = 8;
  llama31.rope.original_context = 8192;
  return {{"tiny, twice as long", config_of(10000, 32, 1024, 2048)},
          {"tiny, four times as long", config_of(10000, 32, 1024, 4096)},
          {"tiny, no longer than trained", config_of(10000, 32, 1024, 1000)},
          {"Llama 2, 8 times", config_of(10000, 128, 4096, 32768), true},
          {"Qwen2.5, 4 times", config_of(1000000, 128, 32768, 131072), true},
          {"a part of the head, 3 numbers in 2", config_of(10000, 24, 2048, 3072)},
          {"two pairs", config_of(10000, 4, 512, 2048)},
          {"one pair", config_of(100, 2, 64, 128)},
          {"64 times", config_of(10000, 64, 1024, 65536)},
          {"Llama 3.1, which stretches itself", llama31}};
}

/// radians of `rung` as they should be; empty for a rung whose formula is not known here.
std::vector<double> expected(const std::string& rung, const RopeStretchConfig& c, double& magnitude) {
  magnitude = 1;
  RopeConfig rope = c.rope;
  rope.factor = static_cast<float>(c.factor());
  rope.original_context = c.trained_context;
  if (rung == "model" || rung == "linear" || rung == "yarn") {
    if (rung == "linear") rope.scaling = RopeScaling::linear;
    if (rung == "yarn") {
      rope.scaling = RopeScaling::yarn;
      rope.attention_factor = default_attention_factor(RopeScaling::yarn, c.factor(), c.trained_context);
    }
    const RopeFrequencies f = rope_frequencies(rung == "model" ? c.rope : rope, c.rotary_dim, c.context);
    magnitude = f.magnitude;
    return f.radians;
  }
  if (rung != "plain" && rung != "ntk") return {};
  std::vector<double> radians;
  for (int i = 0; i < c.rotary_dim / 2; ++i) {
    const long double d = c.rotary_dim;
    const long double plain = std::pow(static_cast<long double>(c.rope.theta), -2 * i / d);
    // The base's factor s^(d / (d - 2)) to the power -2i / d.
    const long double stretch =
        rung == "ntk" ? std::pow(static_cast<long double>(c.factor()), -2 * i / (d - 2)) : 1.0L;
    radians.push_back(static_cast<double>(plain * stretch));
  }
  return radians;
}

/// Returns what is wrong with a stretch whose formula is not known. Empty if nothing is.
std::string fault(const std::string& name, const RopeStretchConfig& c, const std::vector<double>& radians) {
  const auto wrong = [&](std::size_t pair, const std::string& expected, double got) {
    return mismatch(name, fmt::format("{} pairs", radians.size()), fmt::format("pair {}", pair), expected,
                    fmt::format("{:.9g}", got));
  };
  for (std::size_t i = 0; i < radians.size(); ++i) {
    const double before = pair_radians(c.rope.theta, static_cast<int>(i), c.rotary_dim);
    if (c.factor() == 1 && !(std::fabs(radians[i] - before) <= 1e-12 * before))
      return wrong(i, fmt::format("{:.9g}, because the context is no longer than trained", before),
                   radians[i]);
    if (!(radians[i] > 0 && radians[i] <= before * (1 + 1e-12)))
      return wrong(i, fmt::format("more than 0 and at most {:.9g}", before), radians[i]);
    if (i > 0 && !(radians[i] <= radians[i - 1]))
      return wrong(i, fmt::format("no more than the pair before it, {:.9g}", radians[i - 1]), radians[i]);
  }
  const double slowest = pair_radians(c.rope.theta, c.rotary_dim / 2 - 1, c.rotary_dim) * c.trained_context;
  if (!(radians.back() * c.context <= slowest * (1 + 1e-9) || c.factor() == 1)) {
    return wrong(radians.size() - 1,
                 fmt::format("at most {:.6g} radians within {} tokens, as trained", slowest, c.context),
                 radians.back() * c.context);
  }
  if (radians.size() > 1 && !(radians.front() >= 0.5))
    return wrong(0, "at least 0.5 radians per position, so that adjacent tokens stay apart", radians.front());
  return "";
}

Verdict judge(const Ladder<RopeStretch>& ladder, const std::string& rung, const Case& c) {
  if (!ladder.supports(rung, c.config)) return Verdict::unsupported(c.config.describe());
  const RopeFrequencies got = ladder.make(rung, c.config)->frequencies();
  const auto pairs = static_cast<std::size_t>(c.config.rotary_dim / 2);
  if (got.radians.size() != pairs) {
    return Verdict().fail(mismatch(c.name, fmt::format("{} pairs", pairs), "all",
                                   fmt::format("{} angles, one per pair", pairs),
                                   fmt::format("{} angles", got.radians.size())));
  }
  double magnitude = 1;
  const std::vector<double> right = expected(rung, c.config, magnitude);
  if (right.empty()) {
    const std::string what = fault(c.name, c.config, got.radians);
    return what.empty() ? Verdict() : Verdict().fail(what);
  }
  for (std::size_t i = 0; i <= pairs; ++i) {
    const double a = i < pairs ? got.radians[i] : got.magnitude, b = i < pairs ? right[i] : magnitude;
    // Factors reach the reference as float32.
    const double allowed = 1e-7 * std::fabs(b);
    if (std::fabs(a - b) <= allowed) continue;
    Verdict wrong;
    wrong.error = std::fabs(a - b);
    wrong.tolerance = allowed;
    return wrong.fail(mismatch(c.name, fmt::format("{} pairs", pairs),
                               i < pairs ? fmt::format("pair {}", i) : "magnitude", fmt::format("{:.12g}", b),
                               fmt::format("{:.12g}", a)));
  }
  return {};
}

}  // namespace

std::vector<Trial> trials(const Ladder<RopeStretch>& ladder) {
  const auto judge_one = [&ladder](const std::string& rung, int /*threads*/, const Case& c) {
    return judge(ladder, rung, c);
  };
  return trials_of(cases(), judge_one, [&ladder](Trial& trial, std::shared_ptr<const Case> c) {
    trial.work.bytes = 8.0 * c->config.rotary_dim / 2;
    trial.work.flops = 20.0 * c->config.rotary_dim / 2;  // a power is about so many
    trial.prepare = [c, &ladder](const std::string& rung, int) -> std::function<void()> {
      const std::shared_ptr<RopeStretch> rope = ladder.make(rung, c->config);
      return [c, rope] { rope->frequencies(); };
    };
  });
}

}  // namespace rung::long_sequence
