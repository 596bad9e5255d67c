// Tests of verdicts and their messages, of trials made from cases, and of the exit statuses of small
// programs.

#include "core/trial.hpp"

#include "core/error.hpp"
#include "core/program_main.hpp"
#include "testing/catch.hpp"

namespace rung {
namespace {

TEST_CASE("a wrong answer is reported with its shape and index, and the expected and actual values") {
  Verdict verdict;
  verdict.error = 2;
  verdict.fail(mismatch("decode", "4 rows", "row 3", "1", "3"));
  CHECK(verdict.status == Verdict::Status::failed);
  CHECK(verdict.error == 2);
  CHECK(verdict.message ==
        "trial:     decode, shape [4 rows]\n"
        "index:     row 3\n"
        "expected:  1\n"
        "actual:    3\n");

  CHECK(Verdict::unsupported("no pool").status == Verdict::Status::unsupported);
}

struct PlainCase {
  std::string name;
  int answer;
};

struct TimedCase {
  std::string name;
  bool timed;
};

TEST_CASE("every case becomes a trial, and what its judge throws becomes a verdict") {
  const auto judge = [](const std::string& rung, int threads, const PlainCase& c) {
    if (rung == "mine") throw NotStarted("write it");
    if (c.answer < 0) fail("{} is negative", c.answer);
    Verdict verdict;
    return c.answer == threads ? verdict : verdict.fail("no");
  };
  const auto finish = [](Trial& trial, const std::shared_ptr<const PlainCase>& c) {
    trial.work.bytes = c->answer;
  };
  const std::vector<Trial> trials =
      trials_of(std::vector<PlainCase>{{"two", 2}, {"below", -1}}, judge, finish);
  REQUIRE(trials.size() == 2);
  CHECK(trials[0].name == "two");
  CHECK(trials[0].work.bytes == 2);
  CHECK(trials[0].judge("naive", 2).status == Verdict::Status::passed);
  CHECK(trials[0].judge("naive", 1).message == "no");
  CHECK(trials[0].judge("mine", 2).status == Verdict::Status::not_started);
  CHECK(trials[1].judge("naive", 2).status == Verdict::Status::failed);
  CHECK(trials[1].judge("naive", 2).message == "-1 is negative");

  const auto pass = [](const std::string&, int, const TimedCase&) { return Verdict(); };
  const auto timed = trials_of(std::vector<TimedCase>{{"a", true}, {"b", false}}, pass);
  CHECK(timed[0].timed);
  CHECK_FALSE(timed[1].timed);
}

TEST_CASE("a program's exit status says whether its call was wrong or its job failed") {
  char* none[] = {nullptr};
  CHECK(run_program("p", 0, none, [](int, char**) { return 3; }) == 3);
  CHECK(run_program("p", 0, none,
                    [](int, char**) -> int { fail_usage("wrong usage, as the test expects"); }) == 2);
  CHECK(run_program("p", 0, none, [](int, char**) -> int { fail("a failed job, as the test expects"); }) ==
        1);
}

}  // namespace
}  // namespace rung
