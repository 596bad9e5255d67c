// Registers the ladder `sampler`, bottom rung first, and adapts the learner's functions to the seam.

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "naive.hpp"
#include "sampling.hpp"

namespace rung::sampling {
namespace {

constexpr const char* kFolder = "03_techniques/sampling/";

/// The naive rung with the learner's probabilities, nucleus and draw in place of its own.
class Mine final : public RowSampler {
 public:
  using RowSampler::RowSampler;

 private:
  std::int32_t draw(std::span<const float> logits, std::int32_t best, const SamplingParams& params,
                    double u) override {
    const Gaps gaps(logits[static_cast<std::size_t>(best)], params.temperature);
    std::vector<Candidate> list = naive::rank(logits, gaps);
    if (params.top_k > 0) naive::keep_top_k(list, params.top_k);
    if (params.top_p < 1) keep_mine(list, params);
    if (params.min_p > 0) naive::keep_min_p(list, params.min_p);
    if (params.typical_p < 1) naive::keep_typical(list, params.typical_p, gaps);
    const std::int32_t token = my_draw(choices_of(list, params), u);
    if (token < 0 || static_cast<std::size_t>(token) >= logits.size()) {
      fail("my_draw() returned token {}, which is not in the vocabulary of {} tokens", token, logits.size());
    }
    return token;
  }

  static std::vector<Choice> choices_of(std::vector<Candidate> list, const SamplingParams& params) {
    std::sort(list.begin(), list.end(), [](const Candidate& a, const Candidate& b) { return a.id < b.id; });
    std::vector<float> logits;
    for (const Candidate& c : list) logits.push_back(c.logit);
    std::vector<double> probabilities(logits.size());
    my_probabilities(logits, static_cast<double>(params.temperature), probabilities);
    std::vector<Choice> choices;
    for (std::size_t i = 0; i < list.size(); ++i) choices.push_back({list[i].id, probabilities[i]});
    return choices;
  }

  static void keep_mine(std::vector<Candidate>& list, const SamplingParams& params) {
    std::vector<Choice> choices = choices_of(list, params);
    my_top_p(choices, static_cast<double>(params.top_p));
    std::set<std::int32_t> chosen;
    for (const Choice& choice : choices) chosen.insert(choice.id);
    std::vector<Candidate> kept;
    for (const Candidate& c : list) {  // the most probable first, as before
      if (chosen.contains(c.id)) kept.push_back(c);
    }
    if (kept.empty()) fail("my_top_p() kept none of {} tokens for top_p {}", list.size(), params.top_p);
    list = std::move(kept);
  }
};

}  // namespace

/// Whether the host can read the logits.
static bool reads_logits(const SamplerConfig& config) {
  return config.place.device == nullptr || config.place.device->shares_host_memory();
}

std::unique_ptr<Sampler> make_mine(const SamplerConfig& config) { return std::make_unique<Mine>(config); }

void register_rungs(Registry& registry) {
  Ladder<Sampler>& ladder = registry.ladder<Sampler>();
  const auto add = [&](const char* name, const char* summary, auto make, bool exercise = false) {
    ladder.add({{name, fmt::format("{}{}.cpp", kFolder, name), summary, exercise}, make, reads_logits});
  };
  add("naive", "sorts the whole vocabulary and follows the definitions of the papers", make_naive);
  add("select", "orders only the most probable tokens, more and more until they suffice", make_select);
  add("simd", "copies only tokens that reach a block maximum; sums with vector instructions", make_simd);
  add("mine", "yours", make_mine, true);
  ladder.make_trials = [&ladder] { return make_trials(ladder); };
  ladder.make_steps = steps;
}

}  // namespace rung::sampling
