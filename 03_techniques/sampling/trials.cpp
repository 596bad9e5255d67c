// What judges and times the rungs of `sampler`: tokens against the float64 oracle, over many seeds and steps.

#include "core/error.hpp"
#include "core/rng.hpp"
#include "oracle.hpp"
#include "sampling.hpp"

namespace rung::sampling {
namespace {

struct Workload {
  std::string name;
  int vocab = 0;
  SamplingParams params;
  std::vector<std::int32_t> prompt, generated;
  double spread = 4;  // standard deviation of the logits, in nats
  double grid = 0;    // round the logits to multiples of this: equal logits test the order of ties
  int draws = 500;    // steps judged
  bool timed = false;
};

// Normal logits. With a spread of 4 a few tokens out of ten thousand hold most of the probability, as in
// the output of a trained model; every 16th token of a small vocabulary is masked.
std::vector<float> make_logits(const Workload& w) {
  Rng rng(static_cast<std::uint64_t>(w.vocab) + 17);
  std::vector<float> logits(static_cast<std::size_t>(w.vocab));
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double value = w.spread * rng.normal();
    logits[i] = static_cast<float>(w.grid > 0 ? std::round(value / w.grid) * w.grid : value);
    if (w.vocab <= 1000 && i % 16 == 7) logits[i] = -HUGE_VALF;
  }
  return logits;
}

Verdict judge(const Ladder<Sampler>& ladder, const std::string& rung, Workload w) {
  const std::vector<float> logits = make_logits(w);
  const Distribution expected = oracle(logits, w.prompt, w.generated, w.params);
  const auto sampler = ladder.make(rung, {w.vocab});
  Verdict verdict;
  verdict.tolerance = expected.tolerance;
  for (int i = 0; i < w.draws; ++i) {
    w.params.seed = static_cast<std::uint64_t>(i % 10);
    const auto step = static_cast<std::uint64_t>(i / 10);
    const double u = Rng(w.params.seed, step).uniform();
    const std::int32_t got = sampler->sample({logits, w.prompt, w.generated, &w.params, step}).token;
    if (expected.accepts(got, u)) continue;
    const bool known = got >= 0 && got < w.vocab;
    const double p = known ? expected.probability[static_cast<std::size_t>(got)] : 0.0;
    return verdict.fail(
        mismatch(w.name, fmt::format("{} vocab", w.vocab),
                 fmt::format("step {}, seed {}, u {:.9f}", step, w.params.seed, u),
                 fmt::format("token {} (p {:.6f})", expected.at(u),
                             expected.probability[static_cast<std::size_t>(expected.at(u))]),
                 fmt::format("{} (p {:.6f}{})", got, p, p > 0 ? "" : ", which must have been filtered out")));
  }
  return verdict;
}

std::function<void()> prepare(const Ladder<Sampler>& ladder, const std::string& rung, const Workload& w) {
  const auto logits = std::make_shared<const std::vector<float>>(make_logits(w));
  const std::shared_ptr<Sampler> sampler = ladder.make(rung, {w.vocab});
  const auto step = std::make_shared<std::uint64_t>(0);
  return [=] { sampler->sample({*logits, w.prompt, w.generated, &w.params, (*step)++}); };
}

SamplingParams with(const std::function<void(SamplingParams&)>& change) {
  SamplingParams params;
  params.temperature = 1.0f;
  change(params);
  return params;
}

std::vector<Workload> workloads() {
  const auto draw_only = with([](auto&) {});
  const auto top_p = with([](auto& p) { p.top_p = 0.9f; });
  const auto top_k = with([](auto& p) { p.top_k = 40; });
  const auto greedy = with([](auto& p) { p.temperature = 0; });
  const auto everything = with([](auto& p) {
    p.temperature = 1.3f;
    p.top_k = 60;
    p.top_p = 0.95f;
    p.min_p = 0.01f;
    p.typical_p = 0.9f;
    p.repetition_penalty = 1.2f;
    p.presence_penalty = 0.4f;
    p.frequency_penalty = 0.3f;
    p.logit_bias = {{2, 3.0f}, {9, -100.0f}};
  });
  const std::vector<std::int32_t> prompt = {1, 2, 3, 2}, generated = {5, 8, 8, 8, 11, 2};

  std::vector<Workload> list = {
      {"temperature 1", 10, draw_only, {}, {}, 1.5},
      {"temperature 1", 1000, draw_only, {}, {}},
      {"top-p 0.9", 10, top_p, {}, {}, 1.0},
      {"top-p 0.9", 1000, top_p, {}, {}, 2.0},
      {"top-p 0.9, equal logits", 333, top_p, {}, {}, 1.0, 0.5},
      {"top-p 0.5", 1000, with([](auto& p) { p.top_p = 0.5f; }), {}, {}, 2.0},
      {"top-p 0.0001", 1000, with([](auto& p) { p.top_p = 1e-4f; }), {}, {}},
      {"one token", 1, top_p, {}, {}},
      {"temperature 0.2", 1000, with([](auto& p) { p.temperature = 0.2f; }), {}, {}},
      {"temperature 5", 1000, with([](auto& p) { p.temperature = 5; }), {}, {}},
      {"top-k 40", 1000, top_k, {}, {}, 1.0},
      {"top-k 40, equal logits", 333, top_k, {}, {}, 1.0, 0.5},
      {"top-k 1", 100, with([](auto& p) { p.top_k = 1; }), {}, {}},
      {"top-k above the vocabulary", 100, with([](auto& p) { p.top_k = 5000; }), {}, {}},
      {"top-k 40, top-p 0.8", 1000, with([](auto& p) { p.top_k = 40, p.top_p = 0.8f; }), {}, {}, 1.0},
      {"min-p 0.05", 1000, with([](auto& p) { p.min_p = 0.05f; }), {}, {}},
      {"typical 0.5", 1000, with([](auto& p) { p.typical_p = 0.5f; }), {}, {}, 2.0},
      {"typical 0.95, equal logits", 333, with([](auto& p) { p.typical_p = 0.95f; }), {}, {}, 1.0, 0.5},
      {"repetition penalty 1.3", 12, with([](auto& p) { p.repetition_penalty = 1.3f; }), prompt, generated,
       1.5},
      {"presence and frequency penalty", 12,
       with([](auto& p) { p.presence_penalty = 0.5f, p.frequency_penalty = 0.25f; }), prompt, generated, 1.5},
      {"logit bias",
       12,
       with([](auto& p) {
         p.logit_bias = {{0, 2.5f}, {4, -1.0f}, {7, 50.0f}};
       }),
       {},
       {},
       1.5},
      {"everything at once", 777, everything, prompt, generated, 1.5},
      {"greedy", 1000, greedy, {}, {}, 1.0, 0.5},
      {"greedy, penalties", 12, with([](auto& p) { p.temperature = 0, p.repetition_penalty = 1.5f; }), prompt,
       generated, 1.5},
  };
  for (const int vocab : {32000, 128256}) {
    list.push_back({"greedy", vocab, greedy, {}, {}, 4, 0, 5, true});
    list.push_back({"temperature 1", vocab, draw_only, {}, {}, 4, 0, 8, true});
    list.push_back({"top-k 40", vocab, top_k, {}, {}, 4, 0, 8, true});
    list.push_back({"top-p 0.9", vocab, top_p, {}, {}, 4, 0, 8, true});
  }
  return list;
}

}  // namespace

std::vector<Trial> make_trials(const Ladder<Sampler>& ladder) {
  const auto judge_one = [&ladder](const std::string& rung, int /*threads*/, const Workload& w) {
    return judge(ladder, rung, w);
  };
  return trials_of(workloads(), judge_one, [&ladder](Trial& trial, std::shared_ptr<const Workload> w) {
    trial.name = fmt::format("{}, vocab {}", w->name, w->vocab);
    trial.work.bytes = 4.0 * w->vocab;  // one read of the logits
    trial.prepare = [&ladder, w](const std::string& rung, int) { return prepare(ladder, rung, *w); };
  });
}

}  // namespace rung::sampling
