#pragma once
// The simplest speculator: it guesses the tokens of a known answer. It measures the largest possible gain of
// speculation, and it tests that speculation does not change the text.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "seams/speculator.hpp"

namespace rung {

/// Guesses the next tokens of `answer` as long as the generated text is a prefix of it.
class ReplaySpeculator final : public Speculator {
 public:
  /// `most` is the largest number of guesses in a step, at least 1.
  ReplaySpeculator(std::vector<std::int32_t> answer, int most) : answer_(std::move(answer)), most_(most) {}

  int most() const override { return most_; }
  int wants(const DraftText& text) override {
    const std::size_t done = text.generated.size();
    const bool follows =
        done <= answer_.size() && std::equal(text.generated.begin(), text.generated.end(), answer_.begin());
    return follows ? static_cast<int>(std::min(answer_.size() - done, static_cast<std::size_t>(most_))) : 0;
  }
  void propose(std::span<DraftJob> jobs) override {
    for (DraftJob& job : jobs) {
      const auto begin = answer_.begin() + static_cast<std::ptrdiff_t>(job.text.generated.size());
      job.guesses.assign(begin, begin + std::min(job.count, wants(job.text)));
    }
  }

 private:
  std::vector<std::int32_t> answer_;
  int most_;
};

}  // namespace rung
