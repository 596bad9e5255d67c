// Flags that say how tokens are drawn; generate and chat take them.

#include <random>

#include "cli/cli.hpp"

namespace rung::cli {

void SamplingOptions::add_to(Command& command) {
  SamplingParams& s = params;
  command.heading("Sampling");
  command.add_option("--temp", s.temperature, "temperature; 0 is greedy")->range(0.0f);
  command.add_option("--top-k", s.top_k, "keep the K most probable tokens; 0: all")->range(0);
  command.add_option("--top-p", s.top_p, "keep the most probable tokens that together reach P")
      ->range(0.0f, 1.0f);
  command.add_option("--min-p", s.min_p, "keep tokens of at least P times the largest probability")
      ->range(0.0f, 1.0f);
  command.add_option("--typical", s.typical_p, "keep the most typical tokens that together reach P")
      ->range(0.0f, 1.0f);
  command.add_option("--repeat-penalty", s.repetition_penalty, "divides the logits of tokens seen; 1: off");
  command.add_option("--presence-penalty", s.presence_penalty, "subtracted from tokens already generated");
  command.add_option("--frequency-penalty", s.frequency_penalty, "subtracted per occurrence");
  command.add_option("--logit-bias", logit_bias, "ID=VALUE, added to a token's logit; may be repeated");
  command.add_text_option(
      "--seed", [this](const std::string& text) { seed = text; },
      "makes the draws repeatable; -1: a random one, which is told (default: the same, told by --json)");
  command.heading("");
}

SamplingParams SamplingOptions::resolve() const {
  SamplingParams resolved = params;
  for (const std::string& entry : logit_bias) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos)
      fail_usage("--logit-bias {}: write ID=VALUE, as in --logit-bias 13=-2.5", entry);
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
