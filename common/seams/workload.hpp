#pragma once
// Seam `workload`: which requests a benchmark sends.
//
// A request's prompt is a list of segments. A segment is a number and a length, and equal numbers stand for
// equal tokens. Segments therefore show which prompts share a prefix. A request may follow another one. Then
// its prompt begins with the prompt and the answer of the other request, and it is sent after that answer.
//
// Thread safety: none. The list depends on the configuration alone.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "core/error.hpp"
#include "core/rng.hpp"

namespace rung {

/// `tokens` tokens of text number `id`.
struct Segment {
  std::uint64_t id = 0;
  int tokens = 0;
};

struct WorkloadRequest {
  double arrival_s = 0;         // since the start; only for requests that follow no other one
  std::vector<Segment> prompt;  // comes after the prompt and the answer of `after`, if there is one
  int output = 1;               // tokens of the answer
  int user = 0;
  int after = -1;      // index of the request that it follows, a smaller one; -1: none
  double think_s = 0;  // from the last token of that request to this one
};

struct Workload {
  std::vector<WorkloadRequest> requests;  // those that follow no other one are in order of arrival
  bool has_arrivals = false;              // arrival_s is set
  int left_out = 0;                       // requests of a trace that were too long

  /// Returns the tokens of the whole prompt of request `i`, including the requests that it follows.
  int prompt_tokens(std::size_t i) const {
    int sum = 0;
    for (const Segment& s : requests[i].prompt) sum += s.tokens;
    const int after = requests[i].after;
    if (after < 0) return sum;
    const auto before = static_cast<std::size_t>(after);
    return sum + prompt_tokens(before) + requests[before].output;
  }
};

/// Appends the tokens of a segment to `to`. They are below `vocab` and depend only on the seed, the id and
/// the position, so a shorter segment with the same id is a prefix of a longer one.
inline void append_segment(const Segment& segment, std::uint64_t seed, int vocab,
                           std::vector<std::int32_t>& to) {
  Rng rng(seed, segment.id << 32);
  for (int i = 0; i < segment.tokens; ++i) {
    to.push_back(static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(vocab))));
  }
}

/// A range of lengths, from `low` to `high` tokens.
struct LengthRange {
  int low = 1, high = 1;
  int draw(Rng& rng) const {
    return low + static_cast<int>(rng.below(static_cast<std::uint64_t>(high - low) + 1));
  }
};

struct WorkloadConfig {
  int requests = 64;
  int users = 1;              // the requests belong to these users in turn
  LengthRange prompt{8, 64};  // tokens that are new in a prompt
  LengthRange output{8, 64};  // tokens of an answer
  int shared_prefix = 0;      // common tokens at the start of all prompts
  double length_scale = 1;    // multiplies lengths of a trace or of a known data set
  double time_scale = 1;      // multiplies the times of a trace
  int longest = 0;            // tokens of prompt and answer; longer requests of a trace are left out; 0: none
  int turns = 4;              // of a conversation, or steps of an agent
  int branches = 2;           // requests that continue each answer of an agent
  double think_s = 0;         // mean pause before the next turn
  std::string trace;          // file of the rung `trace`; - is stdin
  int keep_one_in = 1;        // keeps one conversation of a trace in this many
  std::uint64_t seed = 1;

  std::string describe() const { return fmt::format("{} requests", requests); }
};

class WorkloadMaker {
 public:
  static constexpr std::string_view kSeam = "workload";
  using Config = WorkloadConfig;

  virtual ~WorkloadMaker() = default;
  virtual Workload make() = 0;
};

/// Throws UsageError for invalid values.
inline void check_workload(const WorkloadConfig& c) {
  const auto range = [](const char* what, double value, double low, double high) {
    if (!(value >= low && value <= high))
      fail_usage("{} is {}; it must be from {} to {}", what, value, low, high);
  };
  range("the number of requests", c.requests, 1, 1e6);
  range("the number of users", c.users, 1, 1e6);
  range("the scale of lengths", c.length_scale, 1e-6, 1e3);
  range("the scale of times", c.time_scale, 0, 1e6);
  range("the number of turns", c.turns, 1, 1000);
  range("the number of branches", c.branches, 1, 100);
  range("the pause between turns", c.think_s, 0, 1e6);
  range("the shared prefix", c.shared_prefix, 0, 1 << 24);
  range("--keep-one-in", c.keep_one_in, 1, 1e6);
}

}  // namespace rung
