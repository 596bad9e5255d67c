#pragma once
// Seam `speculator`: guesses the tokens that will follow a text.
//
// A decode step reads all weights to compute one token per sequence. If guesses follow the text, the same
// step also computes the model's output after each guess. It keeps the guesses that the model would have
// generated itself. The text is the same with and without guesses, but right guesses make it faster
// (Leviathan et al. 2023, arXiv 2211.17192).
//
// The executor calls wants() before a step is scheduled. It calls propose() only for as many guesses as the
// scheduler granted, because a speculator may run a model to make them.
//
// Must not know: the layout of the KV cache, queues.
// Thread safety: none; only one thread may use a speculator.

#include <cstdint>
#include <span>
#include <vector>

namespace rung {

/// A text that is being generated.
struct DraftText {
  int id = 0;  // the request's id
  std::span<const std::int32_t> prompt, generated;
};

/// One text and the guesses for it.
struct DraftJob {
  DraftText text;
  int count = 0;                      // largest number of guesses that can be checked
  std::vector<std::int32_t> guesses;  // at most `count`; each guess follows the one before it
};

class Speculator {
 public:
  virtual ~Speculator() = default;

  /// Returns the largest number of guesses for one text in one step. The memory for their logits is allocated
  /// before the first step.
  virtual int most() const = 0;
  /// Returns how many guesses it would make for this text now, at most most(). Called before every step.
  virtual int wants(const DraftText& text) = 0;
  /// Sets the guesses of all jobs of a step. A job may get fewer than `count` guesses, or none.
  virtual void propose(std::span<DraftJob> jobs) = 0;
  /// Reports that the first `accepted` guesses of a job were right. job.text is the text after the step,
  /// including its new tokens.
  virtual void observe(const DraftJob& /*job*/, int /*accepted*/) {}
  /// Reports that the request has ended. Its id is not passed to this speculator again.
  virtual void finished(int /*id*/) {}
};

}  // namespace rung
