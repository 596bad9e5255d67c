// Tests of goals: the limit between correct and good results, and the sentences that a learner reads.

#include <cmath>

#include "core/error.hpp"
#include "core/goal.hpp"
#include "testing/catch.hpp"

using namespace rung;

namespace {

/// `mine` has the number `mine`, the rung `best` has 100.
Goal goal(double mine, double factor = 1) {
  return {"steps to serve all", "steps", "best", factor,
          [mine](const std::string& rung) { return rung == "best" ? 100 : mine; }};
}

}  // namespace

TEST_CASE("a number up to the limit is good, and no other is") {
  CHECK(judge_goal(goal(100), "mine").good);
  CHECK_FALSE(judge_goal(goal(100.5), "mine").good);
  CHECK(judge_goal(goal(110, 1.1), "mine").good);
  CHECK_FALSE(judge_goal(goal(111, 1.1), "mine").good);
  CHECK_FALSE(judge_goal(goal(NAN), "mine").good);
  CHECK_FALSE(judge_goal(goal(INFINITY), "mine").good);
}

TEST_CASE("the sentence of a goal has both numbers and whose they are") {
  const auto sentence = [](const Goal& g) { return judge_goal(g, "mine").sentence(g); };
  CHECK(sentence(goal(97)) ==
        "good: steps to serve all: 97 steps; good is up to 100 steps, the number of best");
  CHECK(sentence(goal(123.456, 1.2)) ==
        "correct, not yet good: steps to serve all: 123.5 steps; good is up to 120 steps, 1.2 times the 100 "
        "of best");
}

TEST_CASE("a rung that breaks a rule on the way to a goal is not good, and the goal says why") {
  Goal g = goal(0);
  g.count = [](const std::string& rung) -> double {
    if (rung != "best") fail("expected one chunk, got 2");
    return 100;
  };
  const GoalResult result = judge_goal(g, "mine");
  CHECK_FALSE(result.good);
  CHECK(result.sentence(g) == "correct, not yet good: steps to serve all: expected one chunk, got 2");
}
