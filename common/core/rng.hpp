#pragma once
// Random numbers that depend only on a seed and an index.
//
// A counter-based generator has no state to save: number i of seed s is a hash of both. Therefore the random
// numbers of a sequence do not depend on the other sequences of its batch, on threads, or on the position
// where it resumed. The hash is SplitMix64 (Steele, Lea, Flood 2014), applied twice.

#include <cmath>
#include <cstdint>

namespace rung {

class Rng {
 public:
  explicit Rng(std::uint64_t seed, std::uint64_t index = 0) : seed_(mix(seed + kStep)), index_(index) {}

  /// Returns 64 random bits and advances the index by 1.
  std::uint64_t next() { return mix(seed_ + mix(++index_ * kStep)); }

  /// Returns a number that is uniformly distributed in [0, 1), with 53 random bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  /// Returns an integer that is uniformly distributed in [0, n), with a bias below n / 2^64. REQUIRES: n > 0.
  std::uint64_t below(std::uint64_t n) { return next() % n; }

  /// Returns a number with the standard normal distribution (Box and Muller).
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

 private:
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15ull;
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }

  std::uint64_t seed_;
  std::uint64_t index_;
};

}  // namespace rung
