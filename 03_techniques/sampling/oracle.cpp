// See oracle.hpp. Slow on purpose: every filter computes the whole softmax anew.

#include "oracle.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace rung::sampling {
namespace {

constexpr double kMasked = -HUGE_VAL;

std::vector<double> softmax(const std::vector<double>& x) {
  const double largest = *std::max_element(x.begin(), x.end());
  std::vector<double> p(x.size());
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += p[i] = std::exp(x[i] - largest);
  for (double& value : p) value /= sum;
  return p;
}

/// Ids of the unmasked tokens in ascending order of key(id), lower ids first among equals.
template <class Key>
std::vector<std::size_t> order_by(const std::vector<double>& x, Key key) {
  std::vector<std::size_t> ids;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] != kMasked) ids.push_back(i);
  }
  std::stable_sort(ids.begin(), ids.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  return ids;
}

/// Masks every token after the first of `ids` at which the cumulated probability reaches p.
void cut(std::vector<double>& x, const std::vector<std::size_t>& ids, const std::vector<double>& p,
         double reach) {
  double sum = 0;
  for (const std::size_t id : ids) {
    if (sum >= reach) x[id] = kMasked;
    sum += p[id];
  }
}

}  // namespace

std::int32_t Distribution::at(double u) const {
  double sum = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < probability.size(); ++i) {
    if (probability[i] == 0) continue;
    sum += probability[i];
    last = i;
    if (u < sum) break;
  }
  return static_cast<std::int32_t>(last);
}

bool Distribution::accepts(std::int32_t token, double u) const {
  if (token < 0 || static_cast<std::size_t>(token) >= probability.size()) return false;
  const auto i = static_cast<std::size_t>(token);
  if (probability[i] == 0) return false;
  double below = 0;
  for (std::size_t j = 0; j < i; ++j) below += probability[j];
  return u >= below - tolerance && u < below + probability[i] + tolerance;
}

Distribution oracle(std::span<const float> logits, std::span<const std::int32_t> prompt,
                    std::span<const std::int32_t> generated, const SamplingParams& params) {
  std::vector<double> x(logits.begin(), logits.end());
  for (const auto& [token, bias] : params.logit_bias)
    x[static_cast<std::size_t>(token)] += static_cast<double>(bias);
  std::set<std::int32_t> seen(prompt.begin(), prompt.end());
  seen.insert(generated.begin(), generated.end());
  for (const std::int32_t token : seen) {
    double& value = x[static_cast<std::size_t>(token)];
    const auto penalty = static_cast<double>(params.repetition_penalty);
    value = value > 0 ? value / penalty : value * penalty;
  }
  std::map<std::int32_t, int> counts;
  for (const std::int32_t token : generated) ++counts[token];
  for (const auto& [token, count] : counts) {
    x[static_cast<std::size_t>(token)] -=
        static_cast<double>(params.presence_penalty) + static_cast<double>(params.frequency_penalty) * count;
  }

  Distribution result;
  if (params.temperature == 0) {
    result.probability.assign(x.size(), 0.0);
    result.probability[static_cast<std::size_t>(std::max_element(x.begin(), x.end()) - x.begin())] = 1.0;
    return result;
  }
  const auto temperature = static_cast<double>(params.temperature);
  double largest = 0;
  for (double& value : x) {
    value /= temperature;
    if (std::isfinite(value)) largest = std::max(largest, std::fabs(value));
  }
  // Rungs may keep adjusted logits in float32: each of the five adjustments moves x by at most eps/2 * |x|,
  // and a sum of probabilities moves by at most twice what the logits move.
  result.tolerance = 5 * static_cast<double>(std::numeric_limits<float>::epsilon()) * std::max(1.0, largest);

  if (params.top_k > 0) {
    const auto ids = order_by(x, [&](std::size_t i) { return -x[i]; });
    for (std::size_t i = static_cast<std::size_t>(params.top_k); i < ids.size(); ++i) x[ids[i]] = kMasked;
  }
  if (params.top_p < 1) {
    const auto ids = order_by(x, [&](std::size_t i) { return -x[i]; });
    cut(x, ids, softmax(x), static_cast<double>(params.top_p));
  }
  if (params.min_p > 0) {
    const auto p = softmax(x);
    const double least = static_cast<double>(params.min_p) * *std::max_element(p.begin(), p.end());
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (p[i] < least) x[i] = kMasked;
    }
  }
  if (params.typical_p < 1) {
    const auto p = softmax(x);
    double entropy = 0;
    for (const double value : p) entropy -= value > 0 ? value * std::log(value) : 0.0;
    const auto ids = order_by(x, [&](std::size_t i) { return std::fabs(-std::log(p[i]) - entropy); });
    cut(x, ids, p, static_cast<double>(params.typical_p));
  }
  result.probability = softmax(x);
  return result;
}

}  // namespace rung::sampling
