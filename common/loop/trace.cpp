// A slice is one event of phase "X" (complete). It contains its beginning and its duration, so the order of
// the events does not matter. Times are rounded to nanoseconds before they are subtracted, so that rounding
// does not make slices overlap.

#include "loop/trace.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include <fmt/format.h>

#include "loop/sequence.hpp"

namespace rung {
namespace {

class Writer {
 public:
  void row(int row, const std::string& name) {
    add(R"({{"name":"thread_name","ph":"M","pid":1,"tid":{},"args":{{"name":"{}"}}}})", row, name);
    add(R"({{"name":"thread_sort_index","ph":"M","pid":1,"tid":{},"args":{{"sort_index":{}}}}})", row, row);
  }
  void slice(int row, std::string_view name, double begin_s, double end_s, std::int64_t step, int tokens,
             int context) {
    const std::int64_t begin = nanoseconds(begin_s), end = std::max(nanoseconds(end_s), begin);
    add(R"({{"name":"{}","ph":"X","pid":1,"tid":{},"ts":{},"dur":{},"args":{{"step":{},"tokens":{},"context":{}}}}})",
        name, row, microseconds(begin), microseconds(end - begin), step, tokens, context);
  }
  void instant(int row, std::string_view name, double at_s) {
    add(R"({{"name":"{}","ph":"i","s":"t","pid":1,"tid":{},"ts":{}}})", name, row,
        microseconds(nanoseconds(at_s)));
  }
  std::string done(std::int64_t dropped) const {
    return fmt::format(
        "{{\"displayTimeUnit\":\"ms\",\"otherData\":{{\"dropped_events\":{}}},\"traceEvents\":[\n{}\n]}}\n",
        dropped, out_);
  }

 private:
  static std::int64_t nanoseconds(double s) { return std::llround(s * 1e9); }
  static std::string microseconds(std::int64_t ns) { return fmt::format("{}.{:03}", ns / 1000, ns % 1000); }
  template <class... Args>
  void add(fmt::format_string<Args...> line, Args&&... args) {
    if (!out_.empty()) out_ += ",\n";
    fmt::format_to(std::back_inserter(out_), line, std::forward<Args>(args)...);
  }
  std::string out_;
};

/// The state of a request's row while the events are read.
struct Row {
  double begin_s = -1, end_s = 0;  // times of the first and the last event of the request in the log
  double wait_s = -1;              // time since which it waits; negative: it does not wait
  std::string_view wait = "waiting";
  int prompt = 0, generated = 0;
};

constexpr int kStepRow = 0;
int row_of(int sequence) { return sequence + 1; }

void stop_waiting(Writer& writer, const Event& e, Row& row) {
  if (row.wait_s >= 0) writer.slice(row_of(e.sequence), row.wait, row.wait_s, e.at_s, e.step, 0, e.context);
  row.wait_s = -1;
}

void add_sequence_event(Writer& writer, const Event& e, Row& row) {
  row.begin_s = row.begin_s < 0 ? e.at_s : std::min(row.begin_s, e.at_s);
  row.end_s = std::max(row.end_s, e.at_s + e.seconds);
  const int id = row_of(e.sequence);
  switch (e.kind) {
    case EventKind::queued:
      row.prompt = e.tokens;
      row.wait_s = e.at_s;
      row.wait = "waiting";
      break;
    case EventKind::swapped_in:
      stop_waiting(writer, e, row);
      writer.slice(id, "copy in", e.at_s, e.at_s + e.seconds, e.step, e.tokens, e.context);
      break;
    case EventKind::admitted:
    case EventKind::forked:
      stop_waiting(writer, e, row);
      break;
    case EventKind::chunk:
      writer.slice(id, e.prefill ? "prefill" : "decode", e.at_s, e.at_s + e.seconds, e.step, e.tokens,
                   e.context);
      break;
    case EventKind::token:
      row.generated = e.context;
      if (e.context == 1) writer.instant(id, "first token", e.at_s);
      break;
    case EventKind::preempted: {
      const bool swap = is_swap(static_cast<PreemptReason>(e.reason));
      if (swap) writer.slice(id, "copy out", e.at_s, e.at_s + e.seconds, e.step, e.tokens, e.context);
      row.wait_s = e.at_s + e.seconds;
      row.wait = swap ? "swapped out" : "preempted";
      break;
    }
    case EventKind::finished:
      stop_waiting(writer, e, row);
      writer.instant(id, finish_reason_name(static_cast<FinishReason>(e.reason)), e.at_s);
      break;
    case EventKind::schedule:
    case EventKind::forward:
    case EventKind::step:
      break;
  }
}

}  // namespace

std::string chrome_trace(const EventLog& log) {
  Writer writer;
  writer.row(kStepRow, "steps");
  std::map<int, Row> rows;
  double last_s = 0;
  for (const Event& e : log.events()) {
    last_s = std::max(last_s, e.at_s + e.seconds);
    if (e.sequence >= 0) {
      add_sequence_event(writer, e, rows[e.sequence]);
    } else {
      writer.slice(kStepRow, event_kind_name(e.kind), e.at_s, e.at_s + e.seconds, e.step, e.tokens,
                   e.context);
    }
  }
  for (auto& [id, row] : rows) {
    writer.row(row_of(id), fmt::format("request {}", id));
    if (row.wait_s >= 0) {  // it still waited at the end of the log
      writer.slice(row_of(id), row.wait, row.wait_s, last_s, 0, 0, 0);
      row.end_s = std::max(row.end_s, last_s);
    }
    writer.slice(row_of(id), "request", row.begin_s, row.end_s, 0, row.generated, row.prompt);
  }
  return writer.done(log.dropped());
}

}  // namespace rung
