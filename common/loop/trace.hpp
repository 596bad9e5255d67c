#pragma once
// Writes an engine's events as a timeline in the Trace Event Format (Google), which chrome://tracing and
// ui.perfetto.dev can open.

#include <span>
#include <string>

#include "loop/event_log.hpp"

namespace rung {

/// Returns a JSON document with "traceEvents". One row has the steps, each with its scheduling and its
/// forward pass inside. One row per request has a slice for the whole request, which contains slices for
/// waiting, copies and computed chunks. Two slices of a row are either nested or disjoint. Times are
/// microseconds on the log's clock.
std::string chrome_trace(const EventLog& log);

}  // namespace rung
