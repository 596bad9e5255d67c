#pragma once
// A trial: one workload that judges, times and counts every rung of a seam.
//
// The same struct serves the topic's test (judge), its benchmark and `rung ladder --measure` (prepare, work),
// and the overview of the exercises. Therefore a rung is always timed on the inputs on which it was judged.

#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <cstddef>
#include <cstdint>

namespace rung {

/// The work of one call, which is the same for every rung: the least number of bytes that must come from
/// memory, and the number of floating-point operations in the formula.
struct Work {
  double bytes = 0;
  double flops = 0;
};

struct Verdict {
  enum class Status { passed, failed, not_started, unsupported };
  Status status = Status::passed;
  double error = 0;      // the largest |got - expected|
  double tolerance = 0;  // the allowed difference at that place
  std::string message;   // if failed: the four lines of mismatch(), or a sentence

  /// Turns this into a failed verdict with the message `sentence`, which mismatch() or the caller formats.
  /// Keeps `error` and `tolerance`.
  Verdict& fail(std::string sentence);
  /// Returns the verdict for a rung that this trial cannot judge; `reason` may be empty.
  static Verdict unsupported(std::string reason = "");
};

/// Returns the message for a wrong answer, in four lines: the trial (`what`, which names it, with the shape),
/// the index, and the expected and the actual value. `shape` has the sizes with their units ("4 sequences, 32
/// layers"), and `index` is the place of the wrong value ("layer 3").
std::string mismatch(const std::string& what, const std::string& shape, const std::string& index,
                     const std::string& expected, const std::string& got);

/// Words that the lines of such a message begin with, and one of these lines.
inline constexpr std::string_view kTrialLine = "trial:", kIndexLine = "index:", kExpectedLine = "expected:",
                                  kActualLine = "actual:";
std::string mismatch_line(std::string_view word, const std::string& text);

/// The total size of the copies of what a call reads once (weights in decode, keys and values). Successive
/// calls use different copies. Together they are too large for the caches of nearly every machine.
inline constexpr std::size_t kRotatedBytes = std::size_t{512} << 20;

struct Trial {
  std::string name;    // the shape in words: "decode f32, 1 row, 2048 -> 2048"
  Work work;           // of one call
  bool timed = false;  // also a benchmark (big enough to be worth timing)
  /// Runs the rung once on guarded outputs filled with NaN, and compares them with the float64 oracle.
  std::function<Verdict(const std::string& rung, int threads)> judge;
  /// Makes the inputs once and returns a function that runs one call on them, for timing. Throws NotStarted
  /// if the rung has no code yet.
  std::function<std::function<void()>(const std::string& rung, int threads)> prepare;
};

/// A dimension of a shape, for messages.
struct Dimension {
  const char* name;
  std::int64_t size;
};
/// Compares two arrays element by element. An element is wrong unless |got - expected| <= tolerance. The
/// verdict reports the first element whose difference is NaN or infinite, or otherwise the element with the
/// largest error relative to its tolerance. `shape` has the dimensions for the message, slowest first, for
/// example
/// {{"token", 3}, {"head", 4}, {"dim", 16}}. REQUIRES: `got` and `expected` have equal sizes; `tolerance` has
/// one element or as many as `got`.
Verdict compare(const std::string& what, std::initializer_list<Dimension> shape, std::span<const float> got,
                std::span<const double> expected, std::span<const double> tolerance);

/// Runs a judge's body. Turns NotStarted into Status::not_started, and any other Error into a failed verdict.
Verdict judged(const std::function<Verdict()>& body);

/// Wraps `judge` in judged(), as Trial::judge needs it.
std::function<Verdict(const std::string&, int)> judging(
    std::function<Verdict(const std::string&, int)> judge);

/// Makes one trial per case. A Case has a member `name`, and a member `timed` if some of the trials are
/// benchmarks. judge(rung, threads, case) returns the verdict and may throw. finish(trial, case), where
/// `case` is a std::shared_ptr<const Case>, adds what differs between topics: work and prepare.
template <class Case, class Judge, class Finish>
std::vector<Trial> trials_of(std::vector<Case> cases, const Judge& judge, const Finish& finish) {
  std::vector<Trial> trials;
  for (Case& each : cases) {
    const auto shared = std::make_shared<const Case>(std::move(each));
    Trial trial;
    trial.name = shared->name;
    if constexpr (requires { shared->timed; }) trial.timed = shared->timed;
    trial.judge = judging(
        [shared, judge](const std::string& rung, int threads) { return judge(rung, threads, *shared); });
    finish(trial, shared);
    trials.push_back(std::move(trial));
  }
  return trials;
}

/// The same for trials that are only judged: as checks of a step, and where no rung is timed.
template <class Case, class Judge>
std::vector<Trial> trials_of(std::vector<Case> cases, const Judge& judge) {
  return trials_of(std::move(cases), judge, [](Trial&, const auto&) {});
}

/// Returns whether the file at `path` was written after this program was built. In this case the program
/// judges an older version of the file. Returns false if there is no such file.
bool newer_than_program(const std::string& path);

}  // namespace rung
