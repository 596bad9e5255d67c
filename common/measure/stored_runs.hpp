#pragma once
// Stored runs: what `rung compare` and `rung experiment` measure, as structs and as the JSON that they write.
//
// A file has parts. A part compares the same variants under one workload, at one or several sizes (prompt
// lengths, batch sizes, rates of arrival). At each size, every round has one run of each variant. Everything
// that is reported about a size can be computed from its rounds, so an experiment that was interrupted
// continues with the rounds that its file has.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "measure/machine_record.hpp"
#include "measure/report_json.hpp"
#include "seams/ratio_interval.hpp"

namespace rung {

inline constexpr const char* kStoredRunsFormat = "rung runs 1";

/// What distinguishes a variant: its options, without dashes: {"attention", "naive"}.
using NamedOptions = std::vector<std::pair<std::string, std::string>>;

struct StoredVariant {
  std::string name;      // unique in its part
  NamedOptions options;  // those in which the variants differ
  std::string model;     // as the user named it
  std::map<std::string, std::string> rungs;
  std::uint64_t weights_bytes = 0;
  double kv_bytes_per_token = 0;
};

/// One run of one variant. The names of figures are those of a result in JSON, with a dot before a member of
/// a member: "goodput_request_s", "ttft_s.p99".
struct StoredRun {
  double seconds = 0;  // of a test; of "serving": the mean end-to-end latency; of "quality": 0
  std::map<std::string, double> figures;
};
struct StoredRound {
  std::vector<StoredRun> runs;           // one per variant
  double other_load = 0;                 // processors that other programs used during this round
  std::map<std::string, double> limits;  // of "speed": of the machine when the round began (rates_of())
};

/// What the rounds of a size say about one variant.
struct StoredResult {
  double seconds = 0, seconds_min = 0, seconds_max = 0;  // median, fastest and slowest round
  double tok_s = 0;                                      // in the median round
  std::string limit;                      // limit of the machine that bounds it; empty: none is known
  double share = 0;                       // share of this limit
  RatioEstimate ratio;                    // times as fast as the first variant
  std::map<std::string, double> figures;  // median over the rounds of each figure
};
struct StoredPoint {
  double size = 0;
  double tokens = 0;  // that a run of a speed test computes
  std::vector<StoredRound> rounds;
  std::vector<StoredResult> results;  // one per variant
};

struct StoredPart {
  std::string name;       // unique in its file
  std::string measure;    // "speed", "serving" or "quality"
  std::string workload;   // "prefill", "decode", "context", a rung of seam `workload`, or a text's name
  std::string size;       // what `size` of a point is, with its unit: "prompt, tokens"
  NamedOptions settings;  // options that all variants share
  double confidence = 0;  // of the intervals, between 0 and 1
  std::string interval;   // rung of seam `ratio_interval`
  std::map<std::string, double> limits;   // of the machine, per second; medians over the rounds
  std::map<std::string, double> targets;  // of "serving": ttft_s, tpot_s, e2e_s
  std::string reference;                  // of "quality": what the divergence is measured against
  std::string bytes_of;                   // of "quality": what the figure `bytes` counts
  std::vector<StoredVariant> variants;    // the first one is the baseline
  std::vector<StoredPoint> points;
};

struct StoredRuns {
  std::string title, question;
  std::string experiment;  // the whole file of an experiment; empty for rung compare
  std::string command;     // as it can be repeated
  std::string date;        // of the first round, in UTC: "2026-12-01T10:12:00Z"
  MachineRecord machine;
  std::vector<StoredPart> parts;

  /// Processors that other programs used, as the mean over all rounds.
  double other_load() const;
};

/// Computes results[].seconds, tok_s, figures and ratio from the rounds of a point. `interval` computes the
/// ratios. Keeps limit and share. REQUIRES: there is at least one round, and each has a run per variant.
void summarize(StoredPoint& point, const RatioInterval& interval);

Json to_json(const StoredRuns& runs);
/// Reads what to_json() wrote. Throws Error, which names the file, if the text is something else.
StoredRuns stored_runs_from(const std::string& text, const std::string& file);

/// Returns the present time, in the form of StoredRuns::date.
std::string utc_date();

}  // namespace rung
