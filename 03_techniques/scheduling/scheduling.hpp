#pragma once
// The rungs of seam `policy`: which request goes first. And the types of the learner's rung.

#include <bit>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "core/registry.hpp"
#include "seams/policy.hpp"

namespace rung::scheduling {

std::unique_ptr<Policy> make_fifo(const PolicyConfig& config);
std::unique_ptr<Policy> make_priority(const PolicyConfig& config);
std::unique_ptr<Policy> make_shortest_first(const PolicyConfig& config);
std::unique_ptr<Policy> make_fair_share(const PolicyConfig& config);
std::unique_ptr<Policy> make_deadline(const PolicyConfig& config);
std::unique_ptr<Policy> make_longest_prefix_match(const PolicyConfig& config);
std::unique_ptr<Policy> make_adaptive(const PolicyConfig& config);

/// A mean length of answers.
struct MeanLength {
  double tokens = 0;
  double count = 0;  // answers that the mean takes into account, at most kRememberedAnswers
};
constexpr double kRememberedAnswers = 64;

/// Requests of one class have the same user and prompts of similar length.
using RequestClass = std::pair<int, int>;
/// Returns the class of a request: its user, and the bit width of its prompt's length. Prompts of 64 to 127
/// tokens, for example, are of similar length.
inline RequestClass class_of(const ScheduledSequence& s) {
  return {s.user, static_cast<int>(std::bit_width(static_cast<std::uint32_t>(s.prompt_tokens)))};
}

/// What the learner's policy knows about the answers of finished requests.
struct AnswerLengths {
  MeanLength all;                              // of all requests
  std::map<RequestClass, MeanLength> classes;  // only classes with finished requests
};

/// The work for a token of a prompt. The work for a generated token is 1. A step computes many tokens of a
/// prompt side by side, so each of them costs little.
constexpr double kPromptTokenWork = 0.05;

// The exercise, mine.cpp: one function per step. The policy `mine` calls my_learn() for every request that
// ends, and my_rank() for every sequence before every step.

/// Step 1. Adds the answer of s, which has ended, to the mean of all and to the mean of its class.
void my_learn(AnswerLengths& lengths, const ScheduledSequence& s);
/// Step 2. Returns the work that s probably still needs, in generated tokens.
double my_work_left(const AnswerLengths& lengths, const ScheduledSequence& s);
/// Step 3. Returns the rank of s, a finite number. The smallest rank goes first.
double my_rank(const PolicyConfig& config, const AnswerLengths& lengths, const ScheduledSequence& s,
               double now_s);

std::vector<ExerciseStep> steps();
std::vector<Trial> trials(const Ladder<Policy>& ladder);
std::vector<Goal> goals(const Ladder<Policy>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::scheduling
