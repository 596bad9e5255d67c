// The graded steps of the exercise: what to write, hints, and checks with plans that a reader can verify.

#include <deque>
#include <string>
#include <utility>

#include "batching.hpp"
#include "loop/counting_space.hpp"

namespace rung::batching {
namespace {

/// A running sequence of a check: its length, how many of its tokens are computed, and how many steps in
/// flight compute it.
struct Running {
  int length = 0, computed = 0, in_flight = 0;
};

struct Case {
  std::string name;
  std::vector<Running> running;
  std::string plan;  // "0:1 2:5": one token of sequence 0, five tokens of sequence 2
  int max_tokens = 64, max_outputs = 64;
  int slots = 1000;       // of the memory, in blocks of one token
  std::string left = {};  // the running sequences afterwards; empty: all of them
};

std::string ids_of(const std::vector<ScheduledSequence*>& sequences) {
  std::string text;
  for (const ScheduledSequence* s : sequences) text += fmt::format("{}{}", text.empty() ? "" : " ", s->id);
  return text;
}

std::string text_of(const std::vector<Chunk>& plan) {
  std::string text;
  for (const Chunk& chunk : plan)
    text += fmt::format("{}{}:{}", text.empty() ? "" : " ", chunk.sequence->id, chunk.count);
  return text;
}

Verdict judge(const Case& c, void (*function)(Step& step)) {
  const SchedulerConfig config{static_cast<int>(c.running.size()) + 1, c.max_tokens, c.max_outputs, 0.01};
  CountingSpace space(c.slots, 1, config.max_sequences);
  std::deque<ScheduledSequence> sequences;
  Queues queues;
  for (const Running& r : c.running) {
    ScheduledSequence& s = sequences.emplace_back();
    s.id = static_cast<int>(sequences.size()) - 1;
    s.state = SequenceState::running;
    s.prompt_tokens = r.length;
    s.max_tokens = 100;
    space.open(s);
    space.grow(s, r.computed);
    s.computed = r.computed;
    s.in_flight = r.in_flight;
    queues.running.push_back(&s);
  }
  const std::string all = ids_of(queues.running);
  std::vector<Chunk> plan;
  Step step(config, queues, space, 0, plan);
  function(step);
  const std::string shape =
      fmt::format("{} running sequences, {} tokens per step", c.running.size(), c.max_tokens);
  if (const std::string got = text_of(plan); got != c.plan) {
    return Verdict().fail(mismatch(c.name, shape, "the plan, as SEQUENCE:TOKENS", fmt::format("'{}'", c.plan),
                                   fmt::format("'{}'", got)));
  }
  const std::string left = c.left.empty() ? all : c.left;
  if (const std::string got = ids_of(queues.running); got != left)
    return Verdict().fail(mismatch(c.name, shape, "the running sequences", fmt::format("'{}'", left),
                                   fmt::format("'{}'", got)));
  return {};
}

std::vector<Trial> checks_of(std::vector<Case> cases, void (*function)(Step& step)) {
  return trials_of(std::move(cases),
                   [function](const std::string&, int, const Case& c) { return judge(c, function); });
}

std::vector<Trial> decode_checks() {
  return checks_of(
      {
          {"one sequence decodes", {{5, 4}}, "0:1"},
          {"three sequences decode, in their order", {{5, 4}, {9, 8}, {3, 2}}, "0:1 1:1 2:1"},
          {"a prompt is left to step 2", {{5, 4}, {10, 0}, {3, 2}}, "0:1 2:1"},
          {"no sequence runs", {}, ""},
          {"the step has two tokens for three sequences", {{5, 4}, {9, 8}, {3, 2}}, "0:1 1:1", 2},
          {"memory for 10 tokens, 9 are computed: sequence 1 preempts the last one",
           {{4, 3}, {4, 3}, {4, 3}},
           "0:1 1:1",
           64,
           64,
           10,
           "0 1"},
          {"memory for 6 tokens, 6 are computed: a preempted sequence must not be planned",
           {{4, 3}, {4, 3}, {1, 0}},
           "0:1",
           64,
           64,
           6,
           "0"},
          {"sequence 2 is in flight: sequence 1 preempts itself, and sequence 2 must not be skipped",
           {{4, 3}, {4, 3}, {4, 3, 1}},
           "0:1 2:1",
           64,
           64,
           10,
           "0 2"},
      },
      my_decodes);
}

std::vector<Trial> prompt_checks() {
  return checks_of(
      {
          {"one prompt of 10 tokens", {{10, 0}}, "0:10"},
          {"two prompts, in their order", {{10, 0}, {20, 0}}, "0:10 1:20"},
          {"a sequence that decodes is left to step 1", {{5, 4}, {10, 0}}, "1:10"},
          {"a sequence that misses nothing is left out", {{5, 5}, {10, 0}}, "1:10"},
          {"the rest of a prompt", {{10, 6}}, "0:4"},
          {"a prompt is cut where the step ends", {{10, 0}, {20, 0}, {30, 0}}, "0:10 1:6", 16},
          {"one row of logits: the second prompt stops before its last token",
           {{4, 0}, {4, 0}},
           "0:4 1:3",
           64,
           1},
          {"memory for 12 tokens: prompt 0 preempts sequence 1, which must not be planned",
           {{10, 0}, {10, 6}},
           "0:10",
           12,
           64,
           12,
           "0"},
      },
      my_prompts);
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(3);
  list[0] = {"decodes",
             "Write `my_decodes()`: plan one token for every sequence that decodes.",
             5,
             {"How many tokens does a sequence miss while it decodes?",
              "plan_tokens() can remove sequences from step.queues.running while you walk over it. Use an "
              "index, and compare it with the size in every round.",
              "Increase the index only if step.queues.running[i] is still the sequence that you planned."},
             decode_checks};
  list[1] = {"prompts",
             "Write `my_prompts()`: plan what is missing of all other sequences.",
             5,
             {"This is the loop of step 1 with another condition. Which sequences must it leave out?",
              "A sequence with missing() == 0 has nothing to compute: its next token is being sampled."},
             prompt_checks};
  list[2] = {
      "the scheduler",
      "Write `mine()`: the order of decodes, prompts and admission.",
      4,
      {"\"no chunk in two steps\" means that sequences wait or run, but mine() plans nothing. The line "
       "\"expected\" says which of the moves is missing.",
       "admit_one() only moves a sequence into the running list. Its prompt must be planned, too.",
       "Decodes first keep the pauses between tokens short. Admit only while step.tokens_left is above 0."},
      {},
      true};
  return list;
}

}  // namespace rung::batching
