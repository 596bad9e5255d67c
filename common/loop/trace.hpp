#pragma once
// An engine's events as a picture of time: the trace event format (Google, "Trace Event Format") that
// chrome://tracing and ui.perfetto.dev open.

#include <span>
#include <string>

#include "loop/event_log.hpp"

namespace rung {

/// A JSON document with "traceEvents": one row for the steps (each with its scheduling and its forward pass
/// inside) and one per request (its life, and inside it waiting, copies and the chunks that were computed).
/// Within a row slices lie inside each other or apart. Times are microseconds on the engine's clock.
std::string chrome_trace(const EventLog& log);

}  // namespace rung
