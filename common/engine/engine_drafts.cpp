// Guesses at the tokens that follow a text (seams/speculator.hpp): who gets how many, and what becomes of
// them.
//
// A draw depends on its row and on the number of its token alone. So a guess is right exactly when the engine
// draws it, and the text is the same with and without guesses.

#include <algorithm>

#include "engine/engine.hpp"

namespace rung {
namespace {

DraftText text_of(const Sequence& s) { return {s.id, s.request.prompt, s.result.token_ids}; }

}  // namespace

int Engine::wanted_guesses(const Sequence& s) {
  if (config_.speculator == nullptr || s.output_tokens == 0 || window_ != nullptr) return 0;
  // Behind the last token that may come nothing is worth a guess.
  const int room = std::min(config_.context - s.length(), s.max_tokens - s.output_tokens) - 1;
  return std::max(0, std::min(room, config_.speculator->wants(text_of(s))));
}

void Engine::propose() {
  jobs_.clear();
  for (const Chunk& chunk : plan_) {
    if (chunk.drafts > 0) jobs_.push_back({text_of(sequence_of(chunk)), chunk.drafts, {}});
  }
  if (jobs_.empty()) return;
  config_.speculator->propose(jobs_);
  auto job = jobs_.begin();
  for (Chunk& chunk : plan_) {
    if (chunk.drafts == 0) continue;
    std::vector<std::int32_t>& guesses = job->guesses;
    if (guesses.size() > static_cast<std::size_t>(chunk.drafts))
      guesses.resize(static_cast<std::size_t>(chunk.drafts));
    const auto outside = [&](std::int32_t id) { return id < 0 || id >= model_->config.vocab_size; };
    guesses.erase(std::find_if(guesses.begin(), guesses.end(), outside), guesses.end());
    const int lacking = chunk.drafts - static_cast<int>(guesses.size());
    chunk.count -= lacking;
    chunk.drafts -= lacking;
    stats_.guessed_tokens += chunk.drafts;
    const Sequence& s = sequence_of(chunk);
    if (lacking > 0)
      kv_->truncate(s.kv, s.computed - s.given_up + chunk.count);  // room for guesses that did not come
    job = chunk.drafts > 0 ? job + 1 : jobs_.erase(job);
  }
}

void Engine::keep_guesses(Sequence& s, int accepted) {
  stats_.accepted_tokens += accepted;
  s.computed += accepted;
  s.reached = std::max(s.reached, s.computed);
  for (int i = 0; i < accepted; ++i) policy_->computed(s, 0, true);
  kv_->truncate(s.kv, s.computed - s.given_up);
  for (DraftJob& job : jobs_) {
    if (job.text.id != s.id) continue;
    job.text = text_of(s);  // the tokens that came may have moved it in memory
    config_.speculator->observe(job, accepted);
  }
}

}  // namespace rung
