// The graded steps of the exercise: what to write, hints, and checks with known answers.

#include <cmath>
#include <string>
#include <utility>

#include "core/printable.hpp"
#include "scheduling.hpp"

namespace rung::scheduling {
namespace {

/// A request of a check.
struct Request {
  int prompt = 100, output = 0, limit = 100;
  int computed = 0;  // tokens
  int user = 0;
};

ScheduledSequence sequence_of(const Request& r) {
  ScheduledSequence s;
  s.prompt_tokens = r.prompt;
  s.output_tokens = r.output;
  s.max_tokens = r.limit;
  s.computed = r.computed;
  s.user = r.user;
  return s;
}

/// Returns whether two numbers are the same but for rounding.
bool same(double a, double b) { return std::fabs(a - b) <= 1e-9 * (1 + std::fabs(b)); }

template <class Case>
std::vector<Trial> checks_of(std::vector<Case> cases, Verdict (*judge)(const Case&)) {
  return trials_of(std::move(cases), [judge](const std::string&, int, const Case& c) { return judge(c); });
}

// --- Step 1 ------------------------------------------------------------------------------------------------

struct Learned {
  std::string name;
  std::vector<Request> ended;  // in this order
  MeanLength all;              // afterwards
  std::map<RequestClass, MeanLength> classes;
};

Verdict judge_learned(const Learned& c) {
  AnswerLengths lengths;
  for (const Request& r : c.ended) my_learn(lengths, sequence_of(r));
  const std::size_t n = c.ended.size();
  const auto bad = [&](const std::string& index, const std::string& expected, const std::string& actual) {
    return Verdict().fail(
        mismatch(c.name, counted(static_cast<std::int64_t>(n), "finished request"), index, expected, actual));
  };
  const auto text = [](const MeanLength& mean) {
    return fmt::format("{:.9g} tokens, count {:g}", mean.tokens, mean.count);
  };
  const auto equal = [](const MeanLength& a, const MeanLength& b) {
    return same(a.tokens, b.tokens) && same(a.count, b.count);
  };
  if (!equal(lengths.all, c.all)) return bad("lengths.all", text(c.all), text(lengths.all));
  for (const auto& [which, mean] : c.classes) {
    const std::string index = fmt::format("lengths.classes, user {}, prompts of {} to {} tokens", which.first,
                                          1 << (which.second - 1), (1 << which.second) - 1);
    const auto found = lengths.classes.find(which);
    if (found == lengths.classes.end()) return bad(index, text(mean), "no such class");
    if (!equal(found->second, mean)) return bad(index, text(mean), text(found->second));
  }
  if (lengths.classes.size() != c.classes.size()) {
    return bad("the size of lengths.classes", std::to_string(c.classes.size()),
               std::to_string(lengths.classes.size()));
  }
  return {};
}

std::vector<Trial> learn_checks() {
  std::vector<Request> changing(64, {100, 10});
  changing.push_back({100, 74});
  return checks_of<Learned>(
      {
          {"the first answer has 40 tokens", {{100, 40}}, {40, 1}, {{{0, 7}, {40, 1}}}},
          {"the limit is 500 tokens, and the answer has 8", {{100, 8, 500}}, {8, 1}, {{{0, 7}, {8, 1}}}},
          {"answers of 1 and 2 tokens", {{100, 1}, {100, 2}}, {1.5, 2}, {{{0, 7}, {1.5, 2}}}},
          {"answers of 10, 20 and 60 tokens",
           {{100, 10}, {100, 20}, {100, 60}},
           {30, 3},
           {{{0, 7}, {30, 3}}}},
          {"two users: answers of 10 and 30 tokens",
           {{100, 10, 100, 0, 1}, {100, 30, 100, 0, 2}},
           {20, 2},
           {{{1, 7}, {10, 1}}, {{2, 7}, {30, 1}}}},
          {"prompts of 20 and 300 tokens: answers of 5 and 45 tokens",
           {{20, 5}, {300, 45}},
           {25, 2},
           {{{0, 5}, {5, 1}}, {{0, 9}, {45, 1}}}},
          {"64 answers of 10 tokens, then one of 74: the mean grows by 64 / 64",
           changing,
           {11, 64},
           {{{0, 7}, {11, 64}}}},
          {"a request that was canceled before its first token", {{100, 0}}, {0, 1}, {{{0, 7}, {0, 1}}}},
      },
      judge_learned);
}

// --- Step 2 ------------------------------------------------------------------------------------------------

struct Estimated {
  std::string name;
  Request request;
  AnswerLengths lengths;
  double expected;
};

Verdict judge_estimated(const Estimated& c) {
  const Request& r = c.request;
  const double got = my_work_left(c.lengths, sequence_of(r));
  if (same(got, c.expected)) return {};
  return Verdict().fail(mismatch(
      c.name,
      fmt::format("prompt {}, output {}, limit {}, computed {}", r.prompt, r.output, r.limit, r.computed),
      "the work", fmt::format("{:.9g}", c.expected), fmt::format("{:.9g}", got)));
}

std::vector<Trial> work_checks() {
  // The mean of the requests of user 0 with prompts of 32 to 63 tokens is 30, that of all requests is 50.
  const AnswerLengths known = {{50, 7}, {{{0, 6}, {30, 3}}, {{1, 6}, {80, 4}}}};
  const AnswerLengths fraction = {{2.5, 2}, {{{0, 6}, {2.5, 2}}}};
  return checks_of<Estimated>(
      {
          {"no request has ended: the limit, 100", {40, 0, 100}, {}, 2 + 100},
          {"the mean of the class is 30", {40, 0, 100}, known, 2 + 30},
          {"another user, whose mean is 80", {40, 0, 100, 0, 1}, known, 2 + 80},
          {"no request of this class has ended: the mean of all, 50", {80, 0, 100}, known, 4 + 50},
          {"the mean is 30, but the limit is 20", {40, 0, 20}, known, 2 + 20},
          {"the mean is 30, and 10 tokens are generated", {40, 10, 100, 49}, known, 0.05 + 20},
          {"the mean is 30, and 40 tokens are generated: at least one more",
           {40, 40, 100, 79},
           known,
           0.05 + 1},
          {"half of the prompt is computed", {40, 0, 100, 20}, known, 1 + 30},
          {"preempted after 10 tokens: all 50 tokens are missing", {40, 10, 100, 0}, known, 2.5 + 20},
          {"the mean is 2.5 tokens", {40, 0, 100}, fraction, 2 + 2.5},
          {"the limit of 20 is reached, and the last token is in flight", {40, 20, 20, 60}, known, 1},
      },
      judge_estimated);
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(3);
  list[0] = {
      "learn",
      "Write `my_learn()`: add the length of an answer to the mean of all and to that of its class.",
      5,
      {"Both means change in the same way. Can a single loop change both?",
       "lengths.classes[class_of(s)] creates the class if it is not in the map yet. Loop over the "
       "addresses: for (MeanLength* mean : {&lengths.all, &lengths.classes[class_of(s)]}).",
       "mean->count = std::min(mean->count + 1, kRememberedAnswers) comes first, because the next line "
       "divides by the new count."},
      learn_checks};
  list[1] = {
      "work left",
      "Write `my_work_left()`: the prompt's missing tokens and the expected rest of the answer.",
      8,
      {"lengths is const, so operator[] is not available. Which function of std::map searches without "
       "inserting?",
       "Begin with s.max_tokens. If lengths.classes.find(class_of(s)) finds the class, take its mean, and "
       "otherwise the mean of all if its count is above 0.",
       "A request that has generated 40 tokens will generate at least 41. Apply std::min with the limit "
       "first, and then std::max with s.output_tokens + 1.0."},
      work_checks};
  list[2] = {
      "rank",
      "Write `my_rank()`: short requests first, but every request gets its turn.",
      2,
      {"Order of arrival passes: return s.arrival_s. It misses the goal, because short requests wait for "
       "long ones. What does the work that is left add to it?",
       "The message begins with \"starvation\". Does your rank improve while a request waits, or is it "
       "worse for requests that arrive later?",
       "A rank that adds a time in seconds to a number of tokens needs a factor. How many seconds is a "
       "token worth? Try 0.01."},
      {},
      true};
  return list;
}

}  // namespace rung::scheduling
