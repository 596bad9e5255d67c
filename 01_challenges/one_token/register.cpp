// Names -> rungs, and the class that makes a rung out of the pass of one token.

#include <algorithm>
#include <utility>

#include "one_token.hpp"

namespace rung::one_token {
namespace {

class PassByPass final : public OneToken {
 public:
  PassByPass(OneTokenConfig config, TokenPass pass, Keep keep)
      : model_(std::move(config.model)),
        pass_(pass),
        keep_(keep),
        cache_(model_->layers.size()),
        logits_(static_cast<std::size_t>(model_->vocab)) {}

  std::span<const float> logits(std::span<const std::int32_t> text) override {
    forget_after(keep_ == Keep::nothing ? 0 : common_prefix(text));
    for (std::size_t position = known_.size(); position < text.size(); ++position) {
      pass_(*model_, text[position], static_cast<int>(position), cache_, logits_);
      known_.push_back(text[position]);
    }
    return logits_;
  }

 private:
  // At least the last token is computed, because its logits are asked for.
  std::size_t common_prefix(std::span<const std::int32_t> text) const {
    const auto [a, b] = std::mismatch(known_.begin(), known_.end(), text.begin(), text.end());
    return std::min(static_cast<std::size_t>(a - known_.begin()), text.size() - 1);
  }

  void forget_after(std::size_t tokens) {
    known_.resize(tokens);
    const std::size_t numbers = tokens * static_cast<std::size_t>(model_->kv_heads * model_->head_dim);
    for (KeysValues& layer : cache_) {
      layer.keys.resize(numbers);
      layer.values.resize(numbers);
    }
  }

  std::shared_ptr<const PlainModel> model_;
  TokenPass pass_;
  Keep keep_;
  std::vector<std::int32_t> known_;  // the tokens whose keys and values are in cache_
  std::vector<KeysValues> cache_;    // one per layer
  std::vector<float> logits_;
};

}  // namespace

std::unique_ptr<OneToken> make_rung(OneTokenConfig config, TokenPass pass, Keep keep) {
  return std::make_unique<PassByPass>(std::move(config), pass, keep);
}

void register_rungs(Registry& registry) {
  Ladder<OneToken>& ladder = registry.ladder<OneToken>();
  const std::string folder = "01_challenges/one_token/";
  ladder.add({{"recompute", folder + "recompute.cpp", "computes the whole text again for every token"},
              recompute,
              {}});
  ladder.add({{"kv_cache", folder + "kv_cache.cpp", "keeps the keys and values of the text"}, kv_cache, {}});
  const auto mine = [](const OneTokenConfig& config) {
    return make_rung(config, my_token_pass, Keep::common_prefix);
  };
  ladder.add({{"mine", folder + "mine.cpp", "yours", /*exercise=*/true}, mine, {}});
  ladder.make_trials = [&ladder] { return trials(ladder); };
  ladder.make_steps = steps;
}

}  // namespace rung::one_token
