// Flags that say how tokens are drawn; generate and chat take them.

#include <random>

#include "cli/cli.hpp"

namespace rung::cli {

void SamplingOptions::add_to(Command& command) {
  SamplingParams& s = params;
  command.add_option("--temp", s.temperature, "temperature; 0 is greedy");
  command.add_option("--top-k", s.top_k, "keep the K most probable tokens; 0: all");
  command.add_option("--top-p", s.top_p, "keep the most probable tokens that together reach P");
  command.add_option("--min-p", s.min_p, "keep tokens of at least P times the largest probability");
  command.add_option("--typical", s.typical_p, "keep the most typical tokens that together reach P");
  command.add_option("--repeat-penalty", s.repetition_penalty, "divides the logits of tokens seen; 1: off");
  command.add_option("--presence-penalty", s.presence_penalty, "subtracted from tokens already generated");
  command.add_option("--frequency-penalty", s.frequency_penalty, "subtracted per occurrence");
  command.add_option("--logit-bias", logit_bias, "ID=VALUE, added to a token's logit; may be repeated");
  seed = command.add_option("--seed", s.seed,
                            "makes the draws repeatable (default: a random one, told by --json)");
}

SamplingParams SamplingOptions::resolve() const {
  SamplingParams resolved = params;
  for (const std::string& entry : logit_bias) {
    std::size_t used_id = 0, used_value = 0;
    const std::size_t equals = entry.find('=');
    try {
      const int id = std::stoi(entry.substr(0, equals), &used_id);
      resolved.logit_bias[id] = std::stof(entry.substr(equals + 1), &used_value);
    } catch (const std::exception&) {
      used_id = std::string::npos;
    }
    if (used_id != equals || equals + 1 + used_value != entry.size()) {
      fail_usage("--logit-bias {}: write ID=VALUE, as in --logit-bias 13=-2.5", entry);
    }
  }
  if (seed == nullptr || seed->count() == 0) {
    std::random_device device;
    resolved.seed = (std::uint64_t{device()} << 32) | device();
  }
  return resolved;
}

}  // namespace rung::cli
