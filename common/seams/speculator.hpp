#pragma once
// Seam `speculator`: guesses at the tokens that will follow a text.
//
// A step that decodes reads all weights for one token per sequence. With guesses behind a text, the same step
// computes what the model says after each of them, and keeps those that the model would have said itself. The
// text is the same with and without guesses; right ones make it come sooner (Leviathan et al. 2023, arXiv
// 2211.17192).
//
// The executor calls wants() before a step is scheduled, and propose() for the guesses that the scheduler
// granted. Drafting may run a model, so the scheduler sees numbers only.
//
// Must not know: the layout of the KV cache, queues.
// Thread safety: none; one thread drives a speculator.

#include <cstdint>
#include <span>
#include <vector>

namespace rung {

/// A text that is decoded.
struct DraftText {
  int id = 0;  // of its request
  std::span<const std::int32_t> prompt, generated;
};

/// One text, and the guesses for it.
struct DraftJob {
  DraftText text;
  int count = 0;                      // guesses that can be checked
  std::vector<std::int32_t> guesses;  // a chain: each follows the one before it; at most `count`
};

class Speculator {
 public:
  virtual ~Speculator() = default;

  /// The most guesses for one text in one step: memory for their logits is taken at the start.
  virtual int most() const = 0;
  /// How many guesses it would make for this text now, at most most(). Asked before every step.
  virtual int wants(const DraftText& text) = 0;
  /// Fills in the guesses of all jobs of a step. Fewer than `count`, and none, are fine.
  virtual void propose(std::span<DraftJob> jobs) = 0;
  /// Of the guesses of a job, the first `accepted` were right. job.text is the text as it is now, with the
  /// tokens that came.
  virtual void observe(const DraftJob& /*job*/, int /*accepted*/) {}
  /// The request has ended and will not be asked about again.
  virtual void finished(int /*id*/) {}
};

}  // namespace rung
