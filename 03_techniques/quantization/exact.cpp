// Rung 3: every scale at which anything changes, in order, so that the best of all is among them.
//
// What changes against search: no grid. As the inverse scale grows from 0, one element after another moves on
// to its next level: 32 elements of a 4-bit block do so 240 times, and as often with the scale's other sign.
// Sorted, each move changes two sums by one term, and the least-squares scale of every constellation costs
// two operations. The best scale's own constellation is one of them, so none is missed (a sweep like that of
// llama.cpp pull request 12557). For formats with one scale per block; with a minimum it would take a plane
// of moves.

#include <algorithm>
#include <vector>

#include "blocks.hpp"
#include "core/error.hpp"
#include "quantization.hpp"

namespace rung::quantization {
namespace {

struct Move {
  float inverse;  // the inverse scale at which `element` leaves level `from` for `to`
  int element, from, to;
};

/// The scale that makes the sum of w (x - scale * nearest level)^2 smallest. `levels` rise, and include
/// numbers below and above zero.
template <class Weights>
float best_scale(const float* x, Weights weights, int n, const std::vector<float>& levels) {
  const auto level = [&](int place) { return levels[static_cast<std::size_t>(place)]; };
  const auto middle = [&](int place) { return (level(place) + level(place + 1)) / 2; };
  const int last = static_cast<int>(levels.size()) - 1;
  int zero = 0;  // the level nearest to 0, where all elements start
  while (zero < last && middle(zero) < 0) ++zero;

  thread_local std::vector<Move> moves;
  // xv^2 / vv: how much of the sum of squares a scale explains. One that explains more by rounding alone does
  // not count: it may have the other sign, and the sub-blocks of a K block had better agree on one.
  constexpr double kMore = 1 + 1e-9;
  double best_gain = 0;
  float best = 0;
  for (const float sign : {1.0f, -1.0f}) {
    moves.clear();
    double xv = 0, vv = 0;
    for (int i = 0; i < n; ++i) {
      const float y = sign * x[i];
      xv += static_cast<double>(weights[i]) * static_cast<double>(y * level(zero));
      vv += static_cast<double>(weights[i]) * static_cast<double>(level(zero) * level(zero));
      for (int p = zero; y > 0 && p < last; ++p) moves.push_back({middle(p) / y, i, p, p + 1});
      for (int p = zero; y < 0 && p > 0; --p) moves.push_back({middle(p - 1) / y, i, p, p - 1});
    }
    std::sort(moves.begin(), moves.end(), [](const Move& a, const Move& b) {
      return a.inverse != b.inverse ? a.inverse < b.inverse : a.element < b.element;
    });
    for (const Move& move : moves) {
      const double w = static_cast<double>(weights[move.element]);
      const double from = static_cast<double>(level(move.from)), to = static_cast<double>(level(move.to));
      xv += w * static_cast<double>(sign * x[move.element]) * (to - from);
      vv += w * (to * to - from * from);
      if (xv > 0 && vv > 0 && xv * xv > kMore * best_gain * vv) {
        best_gain = xv * xv / vv;
        best = sign * static_cast<float>(xv / vv);
      }
    }
  }
  return best;
}

struct Sweep {
  template <int N, class Weights>
  float scale(const float* x, Weights weights, int low, int high) const {
    thread_local std::vector<float> levels;
    levels.clear();
    for (int q = low; q <= high; ++q) levels.push_back(static_cast<float>(q));
    return best_scale(x, weights, N, levels);
  }
  template <class Weights>
  float iq4_nl(const float* x, Weights weights) const {
    static const std::vector<float> levels(kIq4NlValues.begin(), kIq4NlValues.end());
    return best_scale(x, weights, kBlock, levels);
  }
};

}  // namespace

bool exact_supports(const QuantizerConfig& config) {
  const DType type = config.type;
  return type == DType::q4_0 || type == DType::q5_0 || type == DType::iq4_nl || type == DType::q3_k ||
         type == DType::q6_k;
}

void exact(DType type, const float* x, const float* weights, void* to, std::int64_t n) {
  const bool known = weights == nullptr ? encode_scaled(Sweep(), type, x, formats::Equally(), to, n)
                                        : encode_scaled(Sweep(), type, x, formats::Weighted(weights), to, n);
  if (!known) fail("{} has more than one number to find per block", traits(type).name);
}

}  // namespace rung::quantization
