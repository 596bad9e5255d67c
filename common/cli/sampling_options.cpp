// The options for sampling, which generate and chat share.

#include <random>

#include "cli/cli.hpp"

namespace rung::cli {

void SamplingOptions::add_to(Command& command) {
  SamplingParams& s = params;
  command.heading("Sampling");
  command
      .add_option("--temp", s.temperature,
                  "sampling temperature; larger values make improbable tokens more likely, and 0 always "
                  "takes the most probable token")
      ->range(0.0f);
  command.add_option("--top-k", s.top_k, "keep only the K most probable tokens; 0 keeps all")->range(0);
  command
      .add_option("--top-p", s.top_p,
                  "keep only the most probable tokens whose probabilities together reach P")
      ->range(0.0f, 1.0f);
  command
      .add_option("--min-p", s.min_p,
                  "keep only tokens that are at least P times as probable as the most probable one")
      ->range(0.0f, 1.0f);
  command
      .add_option("--typical", s.typical_p,
                  "keep only the most typical tokens whose probabilities together reach P")
      ->range(0.0f, 1.0f);
  command.add_option("--repeat-penalty", s.repetition_penalty,
                     "divide positive logits of tokens that occur in the text by this number, and multiply "
                     "negative ones by it; 1 has no effect");
  command.add_option("--presence-penalty", s.presence_penalty,
                     "subtract this number from the logit of every token that was generated before");
  command.add_option(
      "--frequency-penalty", s.frequency_penalty,
      "subtract this number from the logit of a token once for each time that it was generated before");
  command.add_option("--logit-bias", logit_bias,
                     "ID=VALUE: add VALUE to the logit of the token ID; can be given several times");
  command.add_text_option(
      "--seed", [this](const std::string& text) { seed = text; },
      "seed of the random numbers; the same seed gives the same text; -1 chooses a random seed and prints it "
      "on stderr (default: a random seed, which --json reports)");
  command.heading("");
}

SamplingParams SamplingOptions::resolve() const {
  SamplingParams resolved = params;
  for (const std::string& entry : logit_bias) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos)
      fail_usage("--logit-bias {} is not ID=VALUE; write for example --logit-bias 13=-2.5", entry);
    const std::string name = fmt::format("--logit-bias {} (ID=VALUE): ", entry);
    const int id = number_from<int>(name + "ID", entry.substr(0, equals), {0});
    resolved.logit_bias[id] = number_from<float>(name + "VALUE", entry.substr(equals + 1));
  }
  if (seed && *seed != "-1") {
    resolved.seed = number_from<std::uint64_t>("--seed", *seed);
  } else {
    std::random_device device;
    resolved.seed = (std::uint64_t{device()} << 32) | device();
    if (seed) tell("rung: --seed {}\n", resolved.seed);
  }
  return resolved;
}

}  // namespace rung::cli
