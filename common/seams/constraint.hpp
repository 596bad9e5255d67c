#pragma once
// Seam `constraint`: which tokens may come next in one text.
//
// A grammar, a JSON schema, a list of choices: each is an automaton over tokens. Before a token is drawn, the
// constraint says which ones are allowed; the sampler gives all others no probability. The token that was
// drawn moves the automaton on.
//
// Must not know: the sampler, probabilities.
// Thread safety: none; each sequence has a constraint of its own (clone()).

#include <cstdint>
#include <memory>
#include <vector>

#include "seams/token_mask.hpp"

namespace rung {

class Constraint {
 public:
  virtual ~Constraint() = default;

  /// Sets in `mask` [vocab] the tokens that may come next and no others. Returns false, and leaves the mask
  /// alone, when none may: the text is complete.
  virtual bool allowed(TokenMask& mask) const = 0;
  /// `token` came. REQUIRES: it was allowed.
  virtual void accept(std::int32_t token) = 0;
  /// Takes back the last `count` accepted tokens. REQUIRES: so many were accepted.
  virtual void rollback(int count) = 0;
  /// The tokens that must come next, as far as there is no choice; empty where there is one, and at the end.
  virtual std::vector<std::int32_t> forced() const = 0;
  /// Another one in the same state.
  virtual std::unique_ptr<Constraint> clone() const = 0;
};

}  // namespace rung
