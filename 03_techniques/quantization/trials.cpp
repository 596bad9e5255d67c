// What judges the rungs of `quantizer`. A block says which levels it has (grid_of reads them in double);
// every element must be at the nearest of them. What a block loses is compared with two yardsticks: the rule
// of absmax, and for formats with one scale a scan of 1,200 scales in double.

#include <cmath>
#include <cstring>
#include <functional>
#include <memory>

#include "core/dtype_codebook.hpp"
#include "core/dtype_k.hpp"
#include "core/dtype_legacy.hpp"
#include "core/rng.hpp"
#include "core/trial.hpp"
#include "quantization.hpp"

namespace rung::quantization {
namespace {

constexpr std::byte kPoison{0xff};  // a scale of these is a NaN
constexpr std::byte kGuard{0xa5};
constexpr std::size_t kGuardBytes = 64;

struct Case {
  std::string name;
  QuantizerConfig config;
  std::vector<float> x, weights;  // weights: empty, or as many
  bool timed = false;

  double weight(std::size_t i) const { return weights.empty() ? 1.0 : static_cast<double>(weights[i]); }
};

/// The levels that element `i` of a block may take, as real numbers.
std::vector<double> grid_of(DType type, const std::byte* block, std::size_t i) {
  std::vector<double> levels;
  const auto half = [](std::uint16_t bits) { return static_cast<double>(f16_to_f32(bits)); };
  const auto even = [&](double scale, double offset, int low, int high) {
    for (int q = low; q <= high; ++q) levels.push_back(scale * q + offset);
  };
  const auto read = [&]<class Block>(Block out) {
    std::memcpy(&out, block, sizeof out);
    return out;
  };
  const auto k_even = [&]<class Block>(Block, std::size_t sub, int low, int high) {
    KIntegers k;
    formats::unpack(read(Block{}), k);
    const std::size_t j = i / sub;
    even(half(k.d) * k.scales[j], -half(k.d_min) * k.minima[j], low, high);
  };
  switch (type) {
    case DType::q8_0:
      even(half(read(BlockQ8_0{}).scale), 0, -127, 127);
      break;
    case DType::q4_0:
      even(half(read(BlockQ4_0{}).scale), 0, -8, 7);
      break;
    case DType::q5_0:
      even(half(read(BlockQ5_0{}).scale), 0, -16, 15);
      break;
    case DType::q4_1:
      even(half(read(BlockQ4_1{}).scale), half(read(BlockQ4_1{}).minimum), 0, 15);
      break;
    case DType::q5_1:
      even(half(read(BlockQ5_1{}).scale), half(read(BlockQ5_1{}).minimum), 0, 31);
      break;
    case DType::q2_k:
      k_even(BlockQ2K{}, 16, 0, 3);
      break;
    case DType::q3_k:
      k_even(BlockQ3K{}, 16, -4, 3);
      break;
    case DType::q4_k:
      k_even(BlockQ4K{}, 32, 0, 15);
      break;
    case DType::q5_k:
      k_even(BlockQ5K{}, 32, 0, 31);
      break;
    case DType::q6_k:
      k_even(BlockQ6K{}, 16, -32, 31);
      break;
    case DType::iq4_nl:
      for (const std::int8_t value : kIq4NlValues) levels.push_back(half(read(BlockIq4Nl{}).scale) * value);
      break;
    case DType::mxfp4:
      for (const std::int8_t value : kMxfp4Values)
        levels.push_back(std::ldexp(value, read(BlockMxfp4{}).exponent - 128));
      break;
    default:
      fail("{} has no blocks", traits(type).name);
  }
  return levels;
}

double distance(const std::vector<double>& levels, double x) {
  double nearest = HUGE_VAL;
  for (const double level : levels) nearest = std::min(nearest, std::fabs(level - x));
  return nearest;
}

/// The smallest weighted sum of squared errors over a scan of scales; negative if the format has more to
/// choose than one scale.
double scanned_error(const Case& c, std::size_t begin) {
  std::vector<double> levels;
  const auto even = [&](int low, int high) {
    for (int q = low; q <= high; ++q) levels.push_back(q);
  };
  if (c.config.type == DType::q4_0) even(-8, 7);
  if (c.config.type == DType::q5_0) even(-16, 15);
  if (c.config.type == DType::iq4_nl) levels.assign(kIq4NlValues.begin(), kIq4NlValues.end());
  if (levels.empty()) return -1;
  double largest = 0;
  for (std::size_t i = begin; i < begin + 32; ++i) largest = std::max(largest, std::fabs(double{c.x[i]}));
  double best = HUGE_VAL;
  constexpr int kSteps = 600;
  for (int step = -kSteps; step <= kSteps; ++step) {
    // Up to twice the scale at which the largest element gets the lowest level, of either sign.
    const double scale = 2.0 * largest / -levels.front() * step / kSteps;
    double error = 0;
    for (std::size_t i = begin; i < begin + 32; ++i) {
      double nearest = HUGE_VAL;
      for (const double level : levels)
        nearest = std::min(nearest, std::fabs(scale * level - double{c.x[i]}));
      error += c.weight(i) * nearest * nearest;
    }
    best = std::min(best, error);
  }
  return best;
}

/// Half a step of a (sub-)block's scale, as a part of the largest one.
double scale_rounding(DType type) {
  switch (type) {
    case DType::q2_k:
      return 0.5 / 15;
    case DType::q3_k:
      return 0.5 / 31;
    case DType::q4_k:
    case DType::q5_k:
      return 0.5 / 63;
    case DType::q6_k:
      return 0.5 / 127;
    default:
      return 0x1p-11;
  }
}

struct Judge {
  const Case& c;
  std::string rung;
  std::size_t block, blocks;
  std::vector<std::byte> bytes;  // what the rung wrote

  Verdict failed(const std::string& index, const std::string& expected, const std::string& got) const {
    return Verdict().fail(
        mismatch(c.name, fmt::format("{} blocks, {}", blocks, block), index, expected, got));
  }

  /// Rounded to nearest once the scale was stored? absmax rounds with the scale before that, as GGML does.
  Verdict levels() const {
    std::vector<float> back(c.x.size());
    traits(c.config.type).to_float(bytes.data(), back.data(), static_cast<std::int64_t>(back.size()));
    for (std::size_t i = 0; i < back.size(); ++i) {
      const std::size_t b = i / block;
      const double x = c.x[i], got = back[i];
      const std::vector<double> grid =
          grid_of(c.config.type, bytes.data() + b * traits(c.config.type).block_bytes, i % block);
      const double nearest = distance(grid, x), reach = std::fabs(grid.back() - grid.front());
      const double stored = rung == "absmax" ? 0x1p-10 * (std::fabs(x) + reach) + 0x1p-24 * 127 : 0;
      const double allowed = nearest + stored + 1e-6 * (reach + std::fabs(x));
      if (std::fabs(got - x) <= allowed) continue;
      return failed(
          fmt::format("block {}, element {}", b, i % block),
          fmt::format("{:.7g} rounded to the nearest level of its block, off by {:.4g}", x, nearest),
          fmt::format("{:.7g}, off by {:.4g}", got, std::fabs(got - x)));
    }
    return {};
  }

  double error_of(const std::vector<std::byte>& encoded, std::size_t b) const {
    std::vector<float> back(block);
    traits(c.config.type)
        .to_float(encoded.data() + b * traits(c.config.type).block_bytes, back.data(),
                  static_cast<std::int64_t>(block));
    double error = 0;
    for (std::size_t i = 0; i < block; ++i) {
      const double difference = static_cast<double>(back[i]) - double{c.x[b * block + i]};
      error += c.weight(b * block + i) * difference * difference;
    }
    return error;
  }

  Verdict errors() const {
    std::vector<std::byte> plain(bytes.size());
    traits(c.config.type).from_float(c.x.data(), plain.data(), static_cast<std::int64_t>(c.x.size()));
    Verdict worst;
    for (std::size_t b = 0; b < blocks; ++b) {
      double squares = 0, weights = 0;
      for (std::size_t i = b * block; i < (b + 1) * block; ++i) {
        squares += c.weight(i) * double{c.x[i]} * double{c.x[i]};
        weights += c.weight(i);
      }
      // What storing a scale may add: half a step of it. In binary16 that is 2^-11, or half of the smallest
      // subnormal.
      const double stored = std::pow(scale_rounding(c.config.type), 2) * squares + weights * 0x1p-36;
      const double got = error_of(bytes, b);
      double allowed = error_of(plain, b) * 1.0001 + stored;
      std::string whose = "what absmax makes";
      if (const double scanned = rung == "exact" ? scanned_error(c, b * block) : -1; scanned >= 0) {
        allowed = std::min(allowed, scanned * 1.0001 + stored);
        whose = "the best of 1,200 scales";
      }
      if (got <= allowed) {
        if (got * worst.tolerance >= worst.error * allowed)
          worst = {Verdict::Status::passed, got, allowed, ""};
        continue;
      }
      return failed(
          fmt::format("block {}", b),
          fmt::format("a sum of squared errors of at most {:.6g} ({} and what rounding the scale adds)",
                      allowed, whose),
          fmt::format("{:.6g}", got));
    }
    return worst;
  }
};

Verdict judge(const Ladder<Quantizer>& ladder, const std::string& rung, const Case& c) {
  if (!ladder.supports(rung, c.config)) return Verdict::unsupported(c.config.describe());
  const auto n = static_cast<std::int64_t>(c.x.size());
  const std::size_t size = bytes_of(c.config.type, n);
  std::vector<std::byte> memory(size + 2 * kGuardBytes, kGuard);
  std::fill_n(memory.begin() + kGuardBytes, size, kPoison);
  ladder.make(rung, c.config)
      ->quantize(c.x.data(), c.weights.empty() ? nullptr : c.weights.data(), memory.data() + kGuardBytes, n);
  Judge judge{c, rung, static_cast<std::size_t>(traits(c.config.type).block_elements), 0, {}};
  judge.blocks = c.x.size() / judge.block;
  judge.bytes.assign(memory.begin() + kGuardBytes, memory.end() - kGuardBytes);
  for (std::size_t i = 0; i < kGuardBytes; ++i) {
    if (memory[i] == kGuard && memory[memory.size() - 1 - i] == kGuard) continue;
    return judge.failed("outside", fmt::format("{} bytes written", size), "a byte beside them changed");
  }
  const Verdict levels = judge.levels();
  return levels.status == Verdict::Status::passed ? judge.errors() : levels;
}

/// Inputs that bring a quantizer into trouble, and those that it will meet most.
using Fill = std::function<float(std::size_t i, Rng& rng)>;
std::vector<std::pair<const char*, Fill>> fills() {
  const auto normal = [](Rng& rng) { return static_cast<float>(rng.normal()); };
  return {
      {"normal", [=](std::size_t, Rng& rng) { return 0.02f * normal(rng); }},
      {"one outlier per block",
       [=](std::size_t i, Rng& rng) { return i % 32 == 9 ? (i % 64 == 9 ? 12.0f : -12.0f) : normal(rng); }},
      {"all above zero", [=](std::size_t, Rng& rng) { return 3.0f + normal(rng); }},
      {"largest magnitude negative",
       [=](std::size_t i, Rng& rng) { return i % 32 == 0 ? -3.5f : std::min(normal(rng), 2.5f); }},
      {"blocks of zeros", [=](std::size_t i, Rng& rng) { return i / 32 % 2 == 0 ? 0.0f : normal(rng); }},
      {"one number in a block of zeros", [](std::size_t i, Rng&) { return i % 32 == 31 ? 0.7f : 0.0f; }},
      {"constants", [](std::size_t i, Rng&) { return i / 256 % 2 == 0 ? 0.3f : -0.3f; }},
      {"subnormal numbers", [=](std::size_t, Rng& rng) { return 1e-40f * normal(rng); }},
      {"the largest numbers",
       [](std::size_t, Rng& rng) { return rng.below(2) == 0 ? 65504.0f : -65504.0f; }}};
}

std::vector<Case> cases() {
  constexpr std::size_t kCount = 512;  // a multiple of every block
  std::vector<Case> cases;
  const auto add = [&](DType type, bool weighted, const char* name, const Fill& fill, std::size_t count,
                       bool timed) {
    Case c{fmt::format("{}, {}{}", traits(type).name, name, weighted ? ", weighted" : ""),
           {type, weighted},
           {},
           {},
           timed};
    Rng rng(17 + cases.size());
    for (std::size_t i = 0; i < count; ++i) c.x.push_back(fill(i, rng));
    for (std::size_t i = 0; weighted && i < count; ++i)
      c.weights.push_back(static_cast<float>(std::exp(1.5 * rng.normal())));
    cases.push_back(std::move(c));
  };
  for (const DType type : {DType::q4_0, DType::q8_0, DType::q4_1, DType::q5_0, DType::q5_1, DType::iq4_nl,
                           DType::q2_k, DType::q3_k, DType::q4_k, DType::q5_k, DType::q6_k, DType::mxfp4}) {
    for (const auto& [name, fill] : fills()) {
      add(type, false, name, fill, kCount, false);
      if (type != DType::mxfp4) add(type, true, name, fill, kCount, false);
    }
  }
  constexpr std::size_t kTimed = 1 << 16;
  for (const DType type : {DType::q4_0, DType::q4_k}) {
    const auto [name, fill] = fills().front();
    add(type, false, "65,536 numbers", fill, kTimed, true);
    add(type, true, "65,536 numbers", fill, kTimed, true);
  }
  return cases;
}

}  // namespace

std::vector<Trial> trials(const Ladder<Quantizer>& ladder) {
  const auto judge_one = [&ladder](const std::string& rung, int /*threads*/, const Case& c) {
    return judge(ladder, rung, c);
  };
  return trials_of(cases(), judge_one, [&ladder](Trial& trial, std::shared_ptr<const Case> c) {
    const auto n = static_cast<std::int64_t>(c->x.size());
    trial.work.bytes = 4.0 * static_cast<double>(n) + static_cast<double>(bytes_of(c->config.type, n));
    trial.work.flops = 2.0 * static_cast<double>(n);  // times the inverse scale, plus a half
    trial.prepare = [c, n, &ladder](const std::string& rung, int) -> std::function<void()> {
      const std::shared_ptr<Quantizer> quantizer = ladder.make(rung, c->config);
      const auto bytes = std::make_shared<std::vector<std::byte>>(bytes_of(c->config.type, n));
      return [c, n, quantizer, bytes] {
        quantizer->quantize(c->x.data(), c->weights.empty() ? nullptr : c->weights.data(), bytes->data(), n);
      };
    };
  });
}

}  // namespace rung::quantization
