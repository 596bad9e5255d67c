#pragma once
// The simplest constraint: it forces a given text. It shows how probable the text is for a model
// (log-probabilities), and it tests whether the other parts of an engine obey a constraint.

#include <cassert>
#include <cstddef>
#include <utility>
#include <vector>

#include "seams/constraint.hpp"

namespace rung {

/// Allows the given tokens, one after the other, and no token after the last of them.
class ForcedText final : public Constraint {
 public:
  explicit ForcedText(std::vector<std::int32_t> tokens) : tokens_(std::move(tokens)) {}

  bool allowed(TokenMask& mask) const override {
    if (at_ == tokens_.size()) return false;
    mask.clear();
    mask.allow(tokens_[at_]);
    return true;
  }
  void accept(std::int32_t token) override {
    assert(at_ < tokens_.size() && token == tokens_[at_]);
    static_cast<void>(token);
    ++at_;
  }
  void rollback(int count) override {
    assert(static_cast<std::size_t>(count) <= at_);
    at_ -= static_cast<std::size_t>(count);
  }
  std::vector<std::int32_t> forced() const override {
    return {tokens_.begin() + static_cast<std::ptrdiff_t>(at_), tokens_.end()};
  }
  std::unique_ptr<Constraint> clone() const override { return std::make_unique<ForcedText>(*this); }

 private:
  std::vector<std::int32_t> tokens_;
  std::size_t at_ = 0;
};

}  // namespace rung
