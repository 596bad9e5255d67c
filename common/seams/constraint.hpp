#pragma once
// Seam `constraint`: which tokens may come next in one text.
//
// A constraint is an automaton over tokens. It can represent a grammar, a JSON schema or a list of choices.
// Before a token is drawn, the constraint determines which tokens are allowed, and the sampler gives all
// other tokens the probability 0. The drawn token moves the automaton to its next state.
//
// Must not know: the sampler, probabilities.
// Thread safety: none; each sequence has its own constraint (clone()).

#include <cstdint>
#include <memory>
#include <vector>

#include "seams/token_mask.hpp"

namespace rung {

class Constraint {
 public:
  virtual ~Constraint() = default;

  /// Sets `mask` [vocab] to exactly the tokens that may come next. If no token may come next, the text is
  /// complete: returns false and does not change the mask.
  virtual bool allowed(TokenMask& mask) const = 0;
  /// Advances the state by `token`, the next token of the text. REQUIRES: the token was allowed.
  virtual void accept(std::int32_t token) = 0;
  /// Takes back the last `count` accepted tokens. REQUIRES: at least `count` tokens were accepted.
  virtual void rollback(int count) = 0;
  /// Returns the tokens that must come next, up to the first position at which several tokens are allowed.
  /// The result is empty if several tokens are allowed now, or if the text is complete.
  virtual std::vector<std::int32_t> forced() const = 0;
  /// Returns an independent copy in the same state.
  virtual std::unique_ptr<Constraint> clone() const = 0;
};

}  // namespace rung
