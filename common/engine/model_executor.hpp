#pragma once
// The executor that runs a model. It makes guesses, finds the slots in the cache, builds the batch, runs the
// forward pass, and samples or verifies tokens.
//
// A draw depends only on its row of logits and on the number of its token. A guess is right exactly if it
// equals the token that is drawn at its place. Therefore the text is the same with and without guesses
// (seams/speculator.hpp).

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
  /// The referenced objects must outlive the executor. If `speculator` is null, the executor makes no
  /// guesses. `max_outputs` is the largest number of rows of logits in one step, and `vocab_size` is that of
  /// the model.
  ModelExecutor(ForwardPass& model, KvCache& kv, Sampler& sampler, Device& device,
                std::shared_ptr<Speculator> speculator, int max_outputs, int vocab_size);

  void submit(const StepPlan& plan) override;
  void collect(StepResult& result) override;

  int drafts_wanted(const StepText& text) override;
  void observe(const StepText& text, int accepted) override;
  void finished(int id) override;
  Clock& clock() override { return clock_; }

  std::size_t bytes() const { return logits_.size() * sizeof(float); }
  /// Runs a batch and returns its logits [output_rows, vocab] in host memory, valid until the next call.
  Tensor forward(const Batch& batch);

 private:
  /// One text with its rows of logits: the row after its last token, and one row after each guess.
  struct Rows {
    const StepText* text = nullptr;
    std::span<const float> logits;  // [1 + guesses, vocab]
    std::span<const std::int32_t> guesses;
    int sampled = 0;  // how many of the rows are sampled
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

  const StepPlan* plan_ = nullptr;  // the plan in flight
  Batch batch_;
  std::vector<DraftJob> jobs_;          // one for each chunk with drafts, in the order of the plan
  std::vector<int> job_of_;             // for each chunk, its index in jobs_; -1: none
  std::vector<Rows> next_;              // one for each gain of the result
  std::vector<SampleRow> sample_rows_;  // the sampled rows of next_, as the sampler reads them
  std::vector<SampledToken> drawn_;     // one for each of sample_rows_
  // Deques, because elements of sample_rows_ point to elements of these.
  std::deque<std::vector<std::int32_t>> histories_;  // the generated tokens of a text, then its guesses
  std::deque<TokenMask> masks_;                      // [vocab], one for each row with a constraint
  std::size_t histories_used_ = 0, masks_used_ = 0;
};

}  // namespace rung
