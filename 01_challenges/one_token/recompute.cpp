// The bottom rung: nothing is kept. For every new token, the keys and values of the whole text are computed
// again.

#include "one_token.hpp"

namespace rung::one_token {

std::unique_ptr<OneToken> recompute(const OneTokenConfig& config) {
  return make_rung(config, token_pass, Keep::nothing);
}

}  // namespace rung::one_token
