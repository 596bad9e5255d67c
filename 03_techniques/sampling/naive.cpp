// Rung 0: every step as its paper defines it, on the whole vocabulary, sorted.
//
// Most of the time goes into the sort: a vocabulary of 128256 takes two million comparisons per token,
// to keep a few dozen. Nothing here is clever, so everything above is compared with it.

#include "naive.hpp"

#include <algorithm>
#include <cmath>

#include "sampling.hpp"

namespace rung::sampling {
namespace naive {

std::vector<Candidate> rank(std::span<const float> logits, const Gaps& gaps) {
  std::vector<Candidate> list;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const std::uint64_t mass = mass_of(gaps.of(logits[i]));
    if (mass > 0) list.push_back({mass, logits[i], static_cast<std::int32_t>(i)});
  }
  std::sort(list.begin(), list.end(), more_probable);
  return list;
}

static std::uint64_t total_mass(const std::vector<Candidate>& list) {
  std::uint64_t total = 0;
  for (const Candidate& c : list) total += c.mass;
  return total;
}

// Keeps the shortest beginning of the list that holds at least `need`.
static void keep_mass(std::vector<Candidate>& list, std::uint64_t need) {
  std::uint64_t held = 0;
  std::size_t count = 0;
  while (count < list.size() && held < need) held += list[count++].mass;
  list.resize(count);
}

// Fan et al. 2018 (arXiv 1805.04833): the k most probable tokens. Of equals at the border the lower ids
// stay, so that k tokens are k tokens (Hugging Face keeps all of them).
void keep_top_k(std::vector<Candidate>& list, int k) {
  if (list.size() > static_cast<std::size_t>(k)) list.resize(static_cast<std::size_t>(k));
}

// Holtzman et al. 2019 (arXiv 1904.09751): the nucleus, the smallest set of most probable tokens whose
// probability is at least p. The token that crosses p belongs to it.
void keep_top_p(std::vector<Candidate>& list, float p) { keep_mass(list, share_of(p, total_mass(list))); }

// Nguyen et al. 2024 (arXiv 2407.01082): tokens at least min_p times as probable as the most probable one.
void keep_min_p(std::vector<Candidate>& list, float p) {
  const std::uint64_t least = share_of(p, list.front().mass);
  std::erase_if(list, [least](const Candidate& c) { return c.mass < least; });
}

// Meister et al. 2022 (arXiv 2202.00666): the tokens whose surprise -ln p is nearest to the average one,
// which is the entropy, as many as hold probability p. With Z the total of exp(-gap), -ln p = gap + ln Z,
// and the entropy is (average gap) + ln Z: ln Z cancels, and the distance is |gap - average gap|.
void keep_typical(std::vector<Candidate>& list, float p, const Gaps& gaps) {
  const std::uint64_t total = total_mass(list);
  std::uint64_t moment = 0;  // sum of mass * gap, in whole numbers too
  for (const Candidate& c : list) moment += whole(static_cast<double>(c.mass) * gaps.of(c.logit));
  const double average = static_cast<double>(moment) / static_cast<double>(total);
  const auto distance = [&](const Candidate& c) { return std::fabs(gaps.of(c.logit) - average); };
  std::sort(list.begin(), list.end(), [&](const Candidate& a, const Candidate& b) {
    const double da = distance(a), db = distance(b);
    return da != db ? da < db : a.id < b.id;
  });
  keep_mass(list, share_of(p, total));
  std::sort(list.begin(), list.end(), more_probable);
}

std::int32_t draw(std::vector<Candidate> list, double u) {
  std::sort(list.begin(), list.end(), lower_id);
  std::uint64_t left = target_of(u, total_mass(list));
  for (const Candidate& c : list) {
    if (left < c.mass) return c.id;
    left -= c.mass;
  }
  return list.back().id;  // not reached: left was below the total
}

}  // namespace naive

namespace {

class Naive final : public RowSampler {
 public:
  using RowSampler::RowSampler;

 private:
  std::int32_t draw(std::span<const float> logits, std::int32_t best, const SamplingParams& params,
                    double u) override {
    const Gaps gaps(logits[static_cast<std::size_t>(best)], params.temperature);
    std::vector<Candidate> list = naive::rank(logits, gaps);
    if (params.top_k > 0) naive::keep_top_k(list, params.top_k);
    if (params.top_p < 1) naive::keep_top_p(list, params.top_p);
    if (params.min_p > 0) naive::keep_min_p(list, params.min_p);
    if (params.typical_p < 1) naive::keep_typical(list, params.typical_p, gaps);
    return naive::draw(std::move(list), u);
  }
};

}  // namespace

std::unique_ptr<Sampler> make_naive(const SamplerConfig& config) { return std::make_unique<Naive>(config); }

}  // namespace rung::sampling
