// The graded steps of the exercise: what to write, hints, and checks with known answers.

#include <cmath>
#include <cstring>
#include <utility>

#include "core/dtype_legacy.hpp"
#include "core/rng.hpp"
#include "exercise.hpp"

namespace rung::quantization {
namespace {

constexpr std::size_t kBlock = BlockQ4_0::kElements;

using Numbers = std::vector<float>;

/// A block that begins with `first` and continues with zeros.
Numbers block_of(Numbers first) {
  first.resize(kBlock);
  return first;
}

/// A block that repeats `some`.
Numbers repeated(const Numbers& some) {
  Numbers block;
  for (std::size_t i = 0; i < kBlock; ++i) block.push_back(some[i % some.size()]);
  return block;
}

Numbers random_block(std::uint64_t seed, double magnitude) {
  Rng rng(seed);
  Numbers block;
  for (std::size_t i = 0; i < kBlock; ++i) block.push_back(static_cast<float>(magnitude * rng.normal()));
  return block;
}

/// -8 .. 7, and in the second half 7 .. -8.
Numbers integers() {
  Numbers block;
  for (int i = -8; i < 8; ++i) block.push_back(static_cast<float>(i));
  for (int i = 7; i >= -8; --i) block.push_back(static_cast<float>(i));
  return block;
}

std::string text(double number) { return fmt::format("{:.9g}", number); }

Trial scale_check(const std::string& name, const Numbers& x, double expected) {
  return step_check(name, [=](const std::string&) {
    const double got = double{my_scale(x.data())};
    const double allowed = 1e-6 * std::fabs(expected);
    if (std::fabs(got - expected) <= allowed) return Verdict{};
    return Verdict().fail(rung::mismatch(name, "32 weights", "the scale", text(expected), text(got)));
  });
}

std::vector<Trial> scale_checks() {
  Numbers random = random_block(1, 0.02);
  random[17] = -0.1F;
  return {
      scale_check("1, 2, 4 and zeros: the scale is 4 / -8", block_of({1, 2, 4}), -0.5),
      scale_check("-6, 2, 4 and zeros: -6 has the largest magnitude", block_of({-6, 2, 4}), 0.75),
      scale_check("-0.5, -2, -1: no weight is above zero", repeated({-0.5F, -2, -1}), 0.25),
      scale_check(
          "the last weight is the largest one",
          [] {
            Numbers x = block_of({1, -2});
            x.back() = 16;
            return x;
          }(),
          -2),
      scale_check("3 and -3: the first one of the same magnitude counts", repeated({3, -3}), -0.375),
      scale_check("zeros", block_of({}), 0),
      scale_check("one weight of 65504", block_of({3, 65504}), -8188),
      scale_check("random weights, of which number 17 is -0.1", random, double{-0.1F} / -8),
  };
}

/// The four lines for a weight that is not at its nearest level; passed if all 32 are.
Verdict nearest(const std::string& name, const std::string& shape, const float* x, float scale,
                const std::uint8_t* levels) {
  for (std::size_t i = 0; i < kBlock; ++i) {
    const double number = double{x[i]}, step = double{scale};
    const auto place = fmt::format("weight {}, which is {}", i, text(number));
    const auto value = [&](int level) { return step * (level - 8); };
    const auto described = [&](int level) {
      return fmt::format("level {}, which stands for {}", level, text(value(level)));
    };
    int best = 8;
    for (int level = 0; level < 16; ++level) {
      if (std::fabs(value(level) - number) < std::fabs(value(best) - number)) best = level;
    }
    const int got = levels[i];
    // In the middle between two levels, where float arithmetic may round either way, both are right.
    const double allowed = std::fabs(value(best) - number) + 8e-6 * std::fabs(step);
    const bool is_right = step != 0 ? std::fabs(value(got) - number) <= allowed : got == 8;
    if (got <= 15 && is_right) continue;
    return Verdict().fail(
        mismatch(name, shape, place, described(best),
                 got > 15 ? fmt::format("level {}; levels are 0 to 15", got) : described(got)));
  }
  return {};
}

Trial round_check(const std::string& name, const Numbers& x, float scale) {
  return step_check(name, [=](const std::string&) {
    constexpr std::uint8_t kGuard = 0xa5;
    std::vector<std::uint8_t> levels(kBlock + 8, kGuard);
    std::fill_n(levels.begin(), kBlock, std::uint8_t{0xff});
    my_round(x.data(), scale, levels.data());
    const std::string shape = fmt::format("32 weights, scale {}", scale);
    for (std::size_t i = kBlock; i < levels.size(); ++i) {
      if (levels[i] == kGuard) continue;
      return Verdict().fail(rung::mismatch(name, shape, fmt::format("levels[{}]", i),
                                           "no byte after the last level written", "a byte there changed"));
    }
    return nearest(name, shape, x.data(), scale, levels.data());
  });
}

std::vector<Trial> round_checks() {
  const Numbers random = random_block(2, 1);
  const Numbers quarters = [] {
    Numbers x;
    for (int i = 0; i < 32; ++i) x.push_back(4 - static_cast<float>(i) / 4);
    return x;
  }();
  return {
      round_check("scale 1: -8 .. 7 have the levels 0 .. 15", integers(), 1),
      round_check("scale 1: the nearest level, not the next one towards zero",
                  repeated({-0.6F, -0.4F, 0.4F, 0.6F, 2.7F, -2.7F}), 1),
      round_check("scale -0.5: the largest weight has level 0", quarters, -0.5F),
      round_check("scale 1: weights beyond the outermost levels",
                  repeated({7.4F, 7.6F, 9, 1000, -8.4F, -8.6F, -9}), 1),
      round_check("scale 0", block_of({1e-9F, -1e-9F}), 0),
      round_check("a scale that is far too small", repeated({1e4F, -1e4F, 0}), 0x1p-24F),
      round_check("random weights", random, 0.3F),
      round_check("random weights and a negative scale", random, -0.2F),
  };
}

/// The blocks of a row, and one more, which mine() must not write.
std::vector<BlockQ4_0> quantized(const Numbers& x) {
  std::vector<BlockQ4_0> blocks(x.size() / kBlock + 1);
  std::memset(blocks.data(), 0xff, blocks.size() * sizeof(BlockQ4_0));
  mine(DType::q4_0, x.data(), nullptr, blocks.data(), static_cast<std::int64_t>(x.size()));
  return blocks;
}

/// A row that Q4_0 can store without an error.
Trial exact_check(const std::string& name, const Numbers& x) {
  return step_check(name, [=](const std::string&) {
    const std::vector<BlockQ4_0> blocks = quantized(x);
    const auto n = static_cast<std::int64_t>(x.size()), count = n / BlockQ4_0::kElements;
    BlockQ4_0 unwritten;
    std::memset(&unwritten, 0xff, sizeof unwritten);
    if (std::memcmp(&blocks.back(), &unwritten, sizeof unwritten) != 0) {
      return Verdict().fail(rung::mismatch(name, fmt::format("{} block", count),
                                           fmt::format("block {}", count),
                                           "no byte after the last block written", "a byte there changed"));
    }
    Numbers back(x.size());
    traits(DType::q4_0).to_float(blocks.data(), back.data(), n);
    const std::vector<double> expected(x.begin(), x.end()), tolerance(1, 1e-6);
    return compare(name, {{"block", count}, {"weight", 32}}, back, expected, tolerance);
  });
}

/// A block whose levels depend on whether it was rounded with the stored scale.
Trial stored_scale_check(const std::string& name, const Numbers& x) {
  return step_check(name, [=](const std::string&) {
    const BlockQ4_0 block = quantized(x).front();
    std::uint8_t levels[kBlock];
    for (std::size_t i = 0; i < kBlock; ++i) {
      levels[i] = static_cast<std::uint8_t>(i < 16 ? block.quants[i] & 15 : block.quants[i - 16] >> 4);
    }
    const float scale = f16_to_f32(block.scale);
    return nearest(name, fmt::format("32 weights, stored scale {}", scale), x.data(), scale, levels);
  });
}

std::vector<Trial> row_checks() {
  Numbers two = integers();
  for (const float x : integers()) two.push_back(x / -4);
  return {
      exact_check("one block: the integers -8 .. 7, and then 7 .. -8", integers()),
      exact_check("two blocks with the scales 1 and -0.25", two),
      stored_scale_check("scale 0.1, which binary16 stores as 0.09998", block_of({-0.8F, 0.6499F, -0.6499F})),
  };
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(3);
  list[0] = {
      "scale",
      "Write `my_scale()`: the weight of the largest magnitude, divided by -8.",
      5,
      {"Eight levels lie below zero and seven above. Which side should the largest weight use?",
       "Compare magnitudes, std::fabs(x[i]), but keep the weight with its sign.",
       "float extreme = 0; in a loop: if (std::fabs(x[i]) > std::fabs(extreme)) extreme = x[i]. Return "
       "extreme / -8."},
      scale_checks};
  list[1] = {
      "round",
      "Write `my_round()`: the nearest of the 16 levels for each of 32 weights.",
      4,
      {"x[i] / scale is a number between two integers. Which one is nearer, and what if it is below -8 "
       "or above 7?",
       "std::round() rounds to the nearest integer, and std::clamp() limits it. Limit the float before "
       "you convert it: an int cannot hold 1e11.",
       "q = scale != 0 ? std::round(x[i] / scale) : 0.0f; levels[i] = "
       "static_cast<std::uint8_t>(std::clamp(q, -8.0f, 7.0f) + 8)."},
      round_checks};
  list[2] = {
      "quantize a row",
      "Write `mine()`: store the scale of every block, round with the stored scale, and pack the levels.",
      9,
      {"binary16 has 11 significant bits. Which scale will a reader of the file multiply with?",
       "auto* blocks = static_cast<BlockQ4_0*>(to) is the array to fill. Block b has the weights "
       "x[32 * b] to x[32 * b + 31].",
       "blocks[b].scale = f32_to_f16(my_scale(x)); my_round(x, f16_to_f32(blocks[b].scale), levels); "
       "then quants[i] = levels[i] | levels[i + 16] << 4 for i = 0 .. 15, or formats::pack_nibbles()."},
      row_checks,
      true};
  return list;
}

}  // namespace rung::quantization
