#pragma once
// A trial: one workload that judges, times and counts every rung of a seam.
//
// The same struct feeds the topic's test (judge), its benchmark and `rung ladder --measure` (prepare,
// work) and the learner's board. So a rung is always timed on the inputs on which it was judged.

#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include <cstddef>
#include <cstdint>

namespace rung {

/// What one call moves and computes, whatever the rung: the least bytes that must come from memory
/// and the floating-point operations of the formula.
struct Work {
  double bytes = 0;
  double flops = 0;
};

struct Verdict {
  enum class Status { passed, failed, not_started, unsupported };
  Status status = Status::passed;
  double error = 0;      // the largest |got - expected|
  double tolerance = 0;  // what was allowed at that place
  std::string message;   // when failed: shape, index, expected, got, tolerance
};

/// Together the copies of what a call reads once (weights in decode, keys and values) have so many bytes, and
/// calls take turns with them: too much for the caches of nearly every machine.
inline constexpr std::size_t kRotatedBytes = std::size_t{512} << 20;

struct Trial {
  std::string name;    // the shape in words: "decode f32, 1 row, 2048 -> 2048"
  Work work;           // of one call
  bool timed = false;  // also a benchmark (big enough to be worth timing)
  /// Runs the rung once on guarded, NaN-poisoned outputs and compares with the float64 oracle.
  std::function<Verdict(const std::string& rung, int threads)> judge;
  /// A closure that runs one call on inputs made once; what timers call. Throws NotStarted.
  std::function<std::function<void()>(const std::string& rung, int threads)> prepare;
};

/// Compares elementwise: NaN and infinity where the oracle has none fail first, then
/// !(|got - expected| <= tolerance[i]). `shape` names the dimensions for the message, slowest first,
/// e.g. {{"token", 3}, {"head", 4}, {"dim", 16}}. REQUIRES: equal sizes; tolerance has one element or
/// as many as `got`.
struct Dimension {
  const char* name;
  std::int64_t size;
};
Verdict compare(const std::string& what, std::initializer_list<Dimension> shape, std::span<const float> got,
                std::span<const double> expected, std::span<const double> tolerance);

/// Whether the file at `path` was written after this program was built: what the program judges is then the
/// version before. False where there is no such file.
bool newer_than_program(const std::string& path);

/// Wraps a judge's body: NotStarted becomes Status::not_started, any other Error a failed verdict.
Verdict judged(const std::function<Verdict()>& body);

}  // namespace rung
