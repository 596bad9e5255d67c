#pragma once
// The executor that runs a model: guess, place in the cache, batch, forward pass, sample or verify.
//
// A draw depends on its row of logits and on the number of its token alone. So a guess is right exactly when
// the model says it itself, and the text is the same with and without guesses (seams/speculator.hpp).

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "core/clock.hpp"
#include "seams/batch.hpp"
#include "seams/device.hpp"
#include "seams/executor.hpp"
#include "seams/forward_pass.hpp"
#include "seams/kv_cache.hpp"
#include "seams/sampler.hpp"
#include "seams/speculator.hpp"

namespace rung {

class ModelExecutor final : public Executor {
 public:
  /// All of these outlive the executor but `speculator`, which may be null: then nothing is guessed.
  /// `max_outputs`: most rows of logits of one step. `vocab_size`: of the model.
  ModelExecutor(ForwardPass& model, KvCache& kv, Sampler& sampler, Device& device,
                std::shared_ptr<Speculator> speculator, int max_outputs, int vocab_size);

  void submit(const StepPlan& plan) override;
  void collect(StepResult& result) override;

  int drafts_wanted(const StepText& text) override;
  void observe(const StepText& text, int accepted) override;
  void finished(int id) override;
  Clock& clock() override { return clock_; }

  std::size_t bytes() const { return logits_.size() * sizeof(float); }
  /// Runs a batch and returns its logits [output_rows, vocab] in host memory, until the next call.
  Tensor forward(const Batch& batch);

 private:
  /// Rows of logits after a text's last token and after each guess.
  struct Rows {
    const StepText* text = nullptr;
    std::span<const float> logits;  // [1 + guesses, vocab]
    std::span<const std::int32_t> guesses;
    int sampled = 0;  // how many of them are sampled from
  };

  void propose();
  void make_batch();
  void list_rows(std::span<const float> logits);
  void add_rows(Rows& rows);
  TokenMask& next_mask();
  std::span<const std::int32_t> guesses_of(std::size_t chunk) const;

  ForwardPass& model_;
  KvCache& kv_;
  Sampler& sampler_;
  Device& device_;
  std::shared_ptr<Speculator> speculator_;
  int vocab_size_;
  MachineClock clock_;
  std::vector<float> logits_;  // [max_outputs, vocab]

  const StepPlan* plan_ = nullptr;  // in flight
  Batch batch_;
  std::vector<DraftJob> jobs_;          // one for each chunk with drafts, in the order of the plan
  std::vector<int> job_of_;             // of each chunk; -1: none
  std::vector<Rows> next_;              // one for each gain of the result
  std::vector<SampleRow> sample_rows_;  // the same rows as the sampler reads them
  std::vector<SampledToken> drawn_;     // one for each of sample_rows_
  std::deque<std::vector<std::int32_t>>
      histories_;                // generated tokens and guesses; sample_rows_ point to them
  std::deque<TokenMask> masks_;  // [vocab], one for each row with a constraint
  std::size_t histories_used_ = 0, masks_used_ = 0;
};

}  // namespace rung
