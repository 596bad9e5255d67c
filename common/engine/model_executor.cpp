#include "engine/model_executor.hpp"

#include <algorithm>
#include <utility>

#include "core/timer.hpp"
#include "engine/batch_builder.hpp"

namespace rung {
namespace {

DraftText draft_text(const StepText& text) { return {text.id, text.prompt, text.generated}; }

}  // namespace

ModelExecutor::ModelExecutor(ForwardPass& model, KvCache& kv, Sampler& sampler, Device& device,
                             std::shared_ptr<Speculator> speculator, int max_outputs, int vocab_size)
    : model_(model),
      kv_(kv),
      sampler_(sampler),
      device_(device),
      speculator_(std::move(speculator)),
      vocab_size_(vocab_size),
      logits_(static_cast<std::size_t>(max_outputs) * static_cast<std::size_t>(vocab_size)) {}

void ModelExecutor::submit(const StepPlan& plan) { plan_ = &plan; }

// All work is done here and not in submit(). On the CPU, starting earlier would gain nothing, because the
// loop's thread would only wait.
void ModelExecutor::collect(StepResult& result) {
  propose();
  make_batch();
  result.begin_s = clock_.seconds();
  const Tensor logits = forward(batch_);
  result.end_s = clock_.seconds();
  result.computed = static_cast<int>(batch_.tokens.size());

  list_rows({logits.ptr<float>(0), static_cast<std::size_t>(logits.size())});
  drawn_.resize(sample_rows_.size());
  const Timer sampling;
  sampler_.sample(sample_rows_, drawn_);
  result.sample_s = sampling.seconds();

  auto drawn = drawn_.begin();
  for (const Rows& rows : next_) {
    StepGain gain{0, static_cast<int>(rows.guesses.size())};
    for (bool right = true; right && gain.tokens < rows.sampled; ++gain.tokens) {
      const std::int32_t token = drawn[gain.tokens].token;
      const auto i = static_cast<std::size_t>(gain.tokens);
      right = i < rows.guesses.size() && token == rows.guesses[i];
      result.tokens.push_back(std::move(drawn[gain.tokens]));
    }
    result.gains.push_back(gain);
    drawn += rows.sampled;
  }
}

Tensor ModelExecutor::forward(const Batch& batch) {
  const Tensor logits = model_.forward(batch, kv_);
  device_.to_host(logits_.data(), logits.data, logits.bytes());
  return {logits_.data(), DType::f32, logits.rows, logits.cols};
}

void ModelExecutor::propose() {
  jobs_.clear();
  job_of_.clear();
  for (const StepChunk& chunk : plan_->chunks) {
    job_of_.push_back(chunk.drafts > 0 ? static_cast<int>(jobs_.size()) : -1);
    if (chunk.drafts > 0) jobs_.push_back({draft_text(chunk.text), chunk.drafts, {}});
  }
  if (jobs_.empty()) return;
  speculator_->propose(jobs_);
  for (DraftJob& job : jobs_) {
    std::vector<std::int32_t>& guesses = job.guesses;
    guesses.resize(std::min(guesses.size(), static_cast<std::size_t>(job.count)));
    const auto outside = [&](std::int32_t id) { return id < 0 || id >= vocab_size_; };
    guesses.erase(std::find_if(guesses.begin(), guesses.end(), outside), guesses.end());
  }
}

std::span<const std::int32_t> ModelExecutor::guesses_of(std::size_t chunk) const {
  const int job = job_of_[chunk];
  if (job < 0) return {};
  return jobs_[static_cast<std::size_t>(job)].guesses;
}

void ModelExecutor::make_batch() {
  batch_.clear();
  for (std::size_t i = 0; i < plan_->chunks.size(); ++i) {
    const StepChunk& chunk = plan_->chunks[i];
    const StepText& text = chunk.text;
    const auto guesses = guesses_of(i);
    const int checked = static_cast<int>(guesses.size());
    const std::size_t prompt = text.prompt.size(), length = prompt + text.generated.size();
    append_rows(batch_, kv_, chunk.kv, chunk.begin, chunk.count - chunk.drafts + checked,
                chunk.samples ? 1 + checked : 0, [&](int position) {
                  const auto p = static_cast<std::size_t>(position);
                  if (p < prompt) return text.prompt[p];
                  return p < length ? text.generated[p - prompt] : guesses[p - length];
                });
  }
}

// The rows of logits have the order of the chunks that sample.
void ModelExecutor::list_rows(std::span<const float> logits) {
  next_.clear();
  sample_rows_.clear();
  histories_used_ = masks_used_ = 0;
  const auto vocab = static_cast<std::size_t>(vocab_size_);
  for (std::size_t i = 0; i < plan_->chunks.size(); ++i) {
    const StepChunk& chunk = plan_->chunks[i];
    if (!chunk.samples) continue;
    const auto guesses = guesses_of(i);
    const std::size_t floats = (1 + guesses.size()) * vocab;
    next_.push_back({&chunk.text, logits.first(floats), guesses});
    for (const StepText& follower : chunk.followers) next_.push_back({&follower, logits.first(vocab), {}});
    logits = logits.subspan(floats);
  }
  for (Rows& rows : next_) add_rows(rows);
}

// Adds a row for the next token, and one row after each guess, up to the first guess that the constraint does
// not allow.
void ModelExecutor::add_rows(Rows& rows) {
  const StepText& text = *rows.text;
  const auto vocab = static_cast<std::size_t>(vocab_size_);
  std::span<const std::int32_t> history = text.generated;
  if (!rows.guesses.empty()) {
    if (histories_used_ == histories_.size()) histories_.emplace_back();
    std::vector<std::int32_t>& longer = histories_[histories_used_++];
    longer.assign(history.begin(), history.end());
    longer.insert(longer.end(), rows.guesses.begin(), rows.guesses.end());
    history = longer;
  }
  int accepted = 0;
  for (std::size_t i = 0; i <= rows.guesses.size(); ++i) {
    TokenMask* mask = nullptr;
    if (text.constraint != nullptr) {
      mask = &next_mask();
      if (!text.constraint->allowed(*mask)) break;
    }
    const std::size_t known = text.generated.size() + i;
    sample_rows_.push_back({rows.logits.subspan(i * vocab, vocab), text.prompt, history.first(known),
                            text.sampling, known, mask});
    ++rows.sampled;
    if (mask == nullptr || i == rows.guesses.size()) continue;
    if (!mask->allows(rows.guesses[i])) break;
    text.constraint->accept(rows.guesses[i]);
    ++accepted;
  }
  if (accepted > 0) text.constraint->rollback(accepted);
}

TokenMask& ModelExecutor::next_mask() {
  if (masks_used_ == masks_.size()) masks_.emplace_back(vocab_size_);
  return masks_[masks_used_++];
}

int ModelExecutor::drafts_wanted(const StepText& text) {
  return speculator_ == nullptr ? 0 : std::max(0, speculator_->wants(draft_text(text)));
}

void ModelExecutor::observe(const StepText& text, int accepted) {
  for (DraftJob& job : jobs_) {
    if (job.text.id != text.id) continue;
    job.text = draft_text(text);
    speculator_->observe(job, accepted);
    return;
  }
}

void ModelExecutor::finished(int id) {
  if (speculator_ != nullptr) speculator_->finished(id);
}

}  // namespace rung
