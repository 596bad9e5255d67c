// rung explain: follows one request through the engine step by step, while other requests run.
//
// The other requests come first, so that the request must wait, share steps, and be preempted if memory is
// short. Their prompts are random ids of about the same length.

#include <algorithm>
#include <optional>

#include "catalog/variants.hpp"
#include "cli/cli.hpp"
#include "core/output_file.hpp"
#include "core/printable.hpp"
#include "core/rng.hpp"
#include "engine/resolve.hpp"
#include "loop/trace.hpp"

namespace rung::cli {
namespace {

constexpr std::size_t kEvents = std::size_t{1} << 17;  // 7 MB: some thousand steps of a few sequences

struct ExplainCommand {
  RunOptions run;
  TextOptions prompt;
  int tokens = 16, beside = 0, sequences = 0, step_tokens = 64;
  float temperature = 0;
  std::uint64_t seed = 1;
  std::string trace_out;

  void execute(bool json) const;
};

/// A line of a life: what happened, and when it was over.
struct LifeLine {
  double at_s = 0;
  std::int64_t first_step = 0, last_step = 0;
  std::string what;
};

std::string tokens_of(int count) { return counted(count, "token"); }

/// The piece of text that a token stands for, in quotes, on one line.
std::string quoted(const Tokenizer* tokenizer, int id) {
  if (tokenizer == nullptr || id >= tokenizer->vocab_size()) return fmt::format("id {}", id);
  return Json(tokenizer->piece(id)).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string preempted_sentence(const Event& e, int id) {
  const std::string whom = e.related == id  ? "its own next token"
                           : e.related >= 0 ? fmt::format("request {}", e.related)
                                            : std::string("others");
  const auto reason = static_cast<PreemptReason>(e.reason);
  return fmt::format("preempted: no room for {}; the keys and values of {} are {} ({})", whom,
                     tokens_of(e.tokens), is_swap(reason) ? "copied to host memory" : "given up",
                     preempt_reason_name(reason));
}

/// What became of request `id`, in order. Steps in which it only decoded are one line.
std::vector<LifeLine> life_of(const std::vector<Event>& events, int id, const Tokenizer* tokenizer) {
  std::vector<LifeLine> lines;
  std::string decoded;  // pieces of the decode steps of the last line
  int decodes = 0, beside_least = 0, beside_most = 0;
  std::int64_t step = -1;
  int step_rows = 0, step_sequences = 0;
  const auto say = [&](const Event& e, std::string what) {
    decodes = 0;
    lines.push_back({e.at_s + e.seconds, e.step, e.step, std::move(what)});
  };
  for (const Event& e : events) {
    if (e.kind == EventKind::forward) step = e.step, step_rows = e.tokens, step_sequences = e.context;
    if (e.sequence != id) continue;
    switch (e.kind) {
      case EventKind::queued:
        say(e,
            fmt::format("queued with a prompt of {}, behind {} that wait", tokens_of(e.tokens), e.context));
        break;
      case EventKind::admitted:
        say(e,
            fmt::format("admitted: {} of its {} were in the cache already", e.tokens, tokens_of(e.context)));
        break;
      case EventKind::forked:
        say(e, fmt::format("admitted: shares {} with request {}", tokens_of(e.tokens), e.related));
        break;
      case EventKind::swapped_in:
        say(e, fmt::format("admitted: the keys and values of {} came back from host memory in {:.2f} ms",
                           tokens_of(e.tokens), 1e3 * e.seconds));
        break;
      case EventKind::preempted:
        say(e, preempted_sentence(e, id));
        break;
      case EventKind::chunk:
        if (!e.prefill) break;  // its token says so
        say(e, fmt::format(
                   "computed {}, {} are in the cache now; the step took {:.2f} ms for {} of {} sequences",
                   tokens_of(e.tokens), e.context, 1e3 * e.seconds,
                   tokens_of(step == e.step ? step_rows : e.tokens), step_sequences));
        break;
      case EventKind::token: {
        const std::string piece = quoted(tokenizer, e.tokens);
        if (e.context == 1) {
          say(e, "first token: " + piece);
          break;
        }
        if (decodes == 0) {
          say(e, "");
          decoded.clear();
          beside_least = beside_most = step_sequences;
        }
        ++decodes;
        decoded += (decodes > 1 ? " " : "") + piece;
        beside_least = std::min(beside_least, step_sequences);
        beside_most = std::max(beside_most, step_sequences);
        LifeLine& line = lines.back();
        line.at_s = e.at_s;
        line.last_step = e.step;
        line.what = fmt::format("decoded {} in steps of {} sequences: {}", tokens_of(decodes),
                                beside_least == beside_most ? std::to_string(beside_most)
                                                            : fmt::format("{}-{}", beside_least, beside_most),
                                decoded);
        break;
      }
      case EventKind::finished:
        say(e, fmt::format("finished ({}) after {}", finish_reason_name(static_cast<FinishReason>(e.reason)),
                           tokens_of(e.tokens)));
        break;
      case EventKind::schedule:
      case EventKind::forward:
      case EventKind::step:
        break;
    }
  }
  return lines;
}

Json event_json(const Event& e) {
  Json json = {{"event", event_kind_name(e.kind)},
               {"step", e.step},
               {"at_s", e.at_s},
               {"seconds", e.seconds},
               {"tokens", e.tokens},
               {"context", e.context}};
  if (e.related >= 0) json["other"] = e.related;
  if (e.kind == EventKind::chunk) json["prefill"] = e.prefill;
  if (e.kind == EventKind::preempted)
    json["reason"] = preempt_reason_name(static_cast<PreemptReason>(e.reason));
  if (e.kind == EventKind::finished) json["reason"] = finish_reason_name(static_cast<FinishReason>(e.reason));
  return json;
}

void ExplainCommand::execute(bool json_wanted) const {
  const std::string text = prompt.read();
  const auto model = run.load();
  std::optional<OutputFile> trace;
  if (!trace_out.empty()) trace.emplace(trace_out);
  EngineConfig config = run.config();
  config.event_log = kEvents;
  config.max_sequences = sequences > 0 ? sequences : beside + 1;
  config.max_step_tokens = step_tokens;

  Request request;
  request.prompt = model->tokenizer->encode(text, true);
  request.max_tokens = tokens;
  request.sampling.temperature = temperature;
  request.sampling.seed = seed;
  request.ignore_end = true;
  const auto length = static_cast<std::int64_t>(request.prompt.size());
  if (config.context == 0) {
    config.context = static_cast<int>(
        std::clamp<std::int64_t>(2 * length + tokens, 1, longest_context(config, model->config)));
  }
  Engine engine(model, variants(), config);

  Rng rng(seed);
  for (int i = 0; i < beside; ++i) {
    Request other = request;
    const auto most = static_cast<std::uint64_t>(std::max<std::int64_t>(config.context - tokens, 1));
    other.prompt.resize(std::min(
        most, static_cast<std::uint64_t>(1 + length / 2) + rng.below(static_cast<std::uint64_t>(length))));
    for (std::int32_t& id : other.prompt) {
      id = static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(model->config.vocab_size)));
    }
    engine.submit(std::move(other));
  }
  const int id = engine.submit(std::move(request));
  while (engine.step()) check_interrupted();
  const Result result = engine.take(id);
  if (!trace_out.empty()) {
    trace->write(chrome_trace(engine.events()));
    trace->commit();
  }

  const std::vector<Event> events = engine.events().events();
  const EngineStats stats = engine.stats();
  if (json_wanted) {
    Json json = {{"request", id},
                 {"text", result.text},
                 {"prompt_tokens", result.prompt_tokens},
                 {"completion_tokens", result.token_ids.size()},
                 {"finish_reason", finish_reason_name(result.finish_reason)},
                 {"ttft_s", result.first_token_s},
                 {"total_s", result.total_s},
                 {"preemptions", result.preemptions},
                 {"cached_tokens", result.cached_tokens}};
    Json list = Json::array();
    for (const Event& e : events) {
      if (e.sequence == id) list.push_back(event_json(e));
    }
    json["events"] = list;
    json["dropped_events"] = engine.events().dropped();
    json["steps"] = stats.steps;
    json["rungs"] = rungs_json(engine);
    return print_json(json);
  }
  fmt::print("request {}, with {} others that came before it; {} steps\n\n", id, beside, stats.steps);
  fmt::print("  {:>10}  {:>9}  {}\n", "ms", "step", "what happened");
  for (const LifeLine& line : life_of(events, id, model->tokenizer.get())) {
    const std::string steps = line.last_step == 0 ? "-"  // before the first
                              : line.first_step == line.last_step
                                  ? std::to_string(line.last_step)
                                  : fmt::format("{}-{}", line.first_step, line.last_step);
    fmt::print("  {:>10.2f}  {:>9}  {}\n", 1e3 * line.at_s, steps, line.what);
  }
  fmt::print("\n  first token after {:.2f} ms, the last after {:.2f} ms; {} preemptions of it, {} of all\n",
             1e3 * result.first_token_s, 1e3 * result.total_s, result.preemptions, stats.preemptions);
  if (engine.events().dropped() > 0) {
    fmt::print("  the log keeps {1} events, and {0} older ones were dropped; use a smaller -n or --beside\n",
               engine.events().dropped(), kEvents);
  }
}

}  // namespace

void add_explain(Command& app, Program& program) {
  Command* command =
      add_command(app, program, "explain",
                  "follow one request through the engine step by step, while other requests run");
  const auto c = std::make_shared<ExplainCommand>();
  c->run.add_to(*command);
  c->prompt.add_to(*command, false);
  command->add_option("-n,--tokens", c->tokens, "number of tokens to generate")->range(1);
  command->add_option("--beside", c->beside, "number of other requests that arrive before it")
      ->range(0, 4096);
  command
      ->add_option("--max-sequences", c->sequences,
                   "largest number of sequences that run at the same time (default: all)")
      ->range(1);
  command->add_option("--max-step-tokens", c->step_tokens, "largest number of tokens that one step computes")
      ->range(1);
  command
      ->add_option("--temp", c->temperature, "sampling temperature; 0 always takes the most probable token")
      ->range(0.0f);
  command->add_option("--seed", c->seed, "seed of the sampling and of the other prompts");
  command->add_option("--trace-out", c->trace_out,
                      "write a trace of all requests to this file, for chrome://tracing or ui.perfetto.dev");
  command->callback([&program, c] { program.run = [&program, c] { c->execute(program.json); }; });
}

}  // namespace rung::cli
