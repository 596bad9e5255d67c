// From the logits of a step to tokens of sequences: one row for each next token, and one for each guess
// behind it.

#include <limits>
#include <utility>

#include "engine/engine.hpp"

namespace rung {

void Engine::sample(std::span<NextRow> next) {
  rows_.clear();
  masks_used_ = histories_used_ = 0;
  for (NextRow& row : next) add_rows(row);
  drawn_.resize(rows_.size());
  const Timer sampling;
  sampler_->sample(rows_, drawn_);
  stats_.sample_s += sampling.seconds();

  std::span<SampledToken> drawn = drawn_;
  for (const NextRow& row : next) {
    if (row.rows == 0) continue;  // its constraint allowed nothing
    const int committed = commit(row, drawn.first(static_cast<std::size_t>(row.rows)));
    if (!row.guesses.empty()) keep_guesses(*row.sequence, committed - 1);
    drawn = drawn.subspan(static_cast<std::size_t>(row.rows));
  }
}

// A row for the next token and one after each guess, as far as the guesses are allowed.
void Engine::add_rows(NextRow& next) {
  Sequence& s = *next.sequence;
  const auto vocab = static_cast<std::size_t>(model_->config.vocab_size);
  std::span<const std::int32_t> history = s.result.token_ids;
  if (!next.guesses.empty()) {
    if (histories_used_ == histories_.size()) histories_.emplace_back();
    std::vector<std::int32_t>& longer = histories_[histories_used_++];
    longer.assign(history.begin(), history.end());
    longer.insert(longer.end(), next.guesses.begin(), next.guesses.end());
    history = longer;
  }
  int accepted = 0;
  for (std::size_t i = 0; i <= next.guesses.size(); ++i) {
    TokenMask* mask = nullptr;
    if (s.constraint != nullptr) {
      if (masks_used_ == masks_.size()) masks_.emplace_back(model_->config.vocab_size);
      mask = &masks_[masks_used_++];
      if (!s.constraint->allowed(*mask)) break;
    }
    const std::size_t known = s.result.token_ids.size() + i;
    rows_.push_back({next.logits.subspan(i * vocab, vocab), s.request.prompt, history.first(known),
                     &s.request.sampling, known, mask});
    ++next.rows;
    if (mask == nullptr || i == next.guesses.size()) continue;
    if (!mask->allows(next.guesses[i])) break;
    s.constraint->accept(next.guesses[i]);
    ++accepted;
  }
  if (accepted > 0) s.constraint->rollback(accepted);
  if (next.rows == 0) s.finish(FinishReason::stop);
}

// The tokens that the model says, up to the first that was guessed wrong. Returns how many they are.
int Engine::commit(const NextRow& next, std::span<SampledToken> drawn) {
  Sequence& s = *next.sequence;
  int committed = 0;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const std::int32_t token = drawn[i].token;
    s.commit(std::move(drawn[i]), model_->tokenizer.get(),
             window_ ? std::numeric_limits<int>::max() : config_.context);
    ++committed;
    ++stats_.output_tokens;
    log_.add({.kind = EventKind::token, .sequence = s.id, .tokens = token, .context = s.output_tokens});
    if (s.finished() || i == next.guesses.size() || token != next.guesses[i]) break;
  }
  return committed;
}

}  // namespace rung
