// Keeps the keys and values of the text. A key and a value depend only on the tokens up to their own, so they
// stay right when the text grows. Only the tokens that are new are computed.

#include "one_token.hpp"

namespace rung::one_token {

std::unique_ptr<OneToken> kv_cache(const OneTokenConfig& config) {
  return make_rung(config, token_pass, Keep::common_prefix);
}

}  // namespace rung::one_token
