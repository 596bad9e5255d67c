// Rung 1: no full sort. std::nth_element moves the k best to the front in linear time; where k is not
// known (top-p, typical) the ordered front grows, 64 tokens first and then four times as many, until its
// mass is enough. What is left outside is never put in order.

#include "select.hpp"

#include <algorithm>
#include <cmath>

#include "sampling.hpp"

namespace rung::sampling {
namespace select {

std::uint64_t total_mass(const std::vector<Candidate>& list) {
  std::uint64_t total = 0;
  for (const Candidate& c : list) total += c.mass;
  return total;
}

// Keeps the shortest beginning, in the order `before`, that holds at least `need`.
template <class Before>
static void keep_front(std::vector<Candidate>& list, std::uint64_t need, Before before) {
  const auto begin = list.begin();
  std::uint64_t held = 0;
  std::size_t ordered = 0;
  for (std::size_t piece = 64; ordered < list.size() && held < need; piece *= 4) {
    const std::size_t end = std::min(list.size(), ordered + piece);
    const auto from = begin + static_cast<std::ptrdiff_t>(ordered);
    const auto to = begin + static_cast<std::ptrdiff_t>(end);
    if (end < list.size()) std::nth_element(from, to, list.end(), before);
    std::sort(from, to, before);
    while (ordered < end && held < need) held += list[ordered++].mass;
  }
  list.resize(ordered);
}

void keep_top_k(std::vector<Candidate>& list, int k) {
  if (list.size() <= static_cast<std::size_t>(k)) return;
  std::nth_element(list.begin(), list.begin() + k, list.end(), more_probable);
  list.resize(static_cast<std::size_t>(k));
}

void keep_top_mass(std::vector<Candidate>& list, std::uint64_t need) {
  keep_front(list, need, more_probable);
}

void keep_min_p(std::vector<Candidate>& list, float p) {
  std::uint64_t largest = 0;
  for (const Candidate& c : list) largest = std::max(largest, c.mass);
  const std::uint64_t least = share_of(p, largest);
  std::erase_if(list, [least](const Candidate& c) { return c.mass < least; });
}

void keep_typical(std::vector<Candidate>& list, float p, const Gaps& gaps) {
  std::uint64_t total = 0, moment = 0;
  for (const Candidate& c : list) {
    total += c.mass;
    moment += whole(static_cast<double>(c.mass) * gaps.of(c.logit));
  }
  const double average = static_cast<double>(moment) / static_cast<double>(total);
  keep_front(list, share_of(p, total), [&](const Candidate& a, const Candidate& b) {
    const double da = std::fabs(gaps.of(a.logit) - average), db = std::fabs(gaps.of(b.logit) - average);
    return da != db ? da < db : a.id < b.id;
  });
}

std::int32_t draw(std::vector<Candidate>& list, double u) {
  if (!std::is_sorted(list.begin(), list.end(), lower_id)) std::sort(list.begin(), list.end(), lower_id);
  std::uint64_t left = target_of(u, total_mass(list));
  for (const Candidate& c : list) {
    if (left < c.mass) return c.id;
    left -= c.mass;
  }
  return list.back().id;  // not reached: left was below the total
}

}  // namespace select

namespace {

class Select final : public RowSampler {
 public:
  explicit Select(const SamplerConfig& config) : RowSampler(config) {
    list_.reserve(static_cast<std::size_t>(config.vocab_size));
  }

 private:
  std::int32_t draw(std::span<const float> logits, std::int32_t best, const SamplingParams& params,
                    double u) override {
    const Gaps gaps(logits[static_cast<std::size_t>(best)], params.temperature);
    list_.clear();
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const std::uint64_t mass = mass_of(gaps.of(logits[i]));
      if (mass > 0) list_.push_back({mass, logits[i], static_cast<std::int32_t>(i)});
    }
    if (params.top_k > 0) select::keep_top_k(list_, params.top_k);
    if (params.top_p < 1) select::keep_top_mass(list_, share_of(params.top_p, select::total_mass(list_)));
    if (params.min_p > 0) select::keep_min_p(list_, params.min_p);
    if (params.typical_p < 1) select::keep_typical(list_, params.typical_p, gaps);
    return select::draw(list_, u);
  }

  std::vector<Candidate> list_;  // at most [vocab], taken once
};

}  // namespace

std::unique_ptr<Sampler> make_select(const SamplerConfig& config) { return std::make_unique<Select>(config); }

}  // namespace rung::sampling
