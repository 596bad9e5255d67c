// rung generate: continues a prompt and streams the continuation.

#include <algorithm>
#include <cstdio>

#include "catalog/variants.hpp"
#include "cli/run_generate.hpp"
#include "engine/resolve.hpp"

namespace rung::cli {
namespace {

/// Prints what follows the first sample, whose text was streamed: the line's end and the other samples, each
/// with `echoed` before its text.
void print_after_stream(const GenerateReport& report, const std::string& echoed) {
  fmt::print("\n");
  for (std::size_t i = 1; i < report.samples.size(); ++i) {
    const GeneratedSample& sample = report.samples[i];
    fmt::print("\n--- sample {} of {}, seed {}\n{}{}\n", i + 1, report.samples.size(), sample.seed, echoed,
               sample.text);
  }
}

struct GenerateCommand {
  GenerateOptions options;
  TextOptions prompt;
  bool echo = false;
  SamplingOptions sampling;

  void add_options(Command& command) {
    options.run.add_to(command);
    prompt.add_to(command, false);
    command.add_option("-n,--tokens", options.max_tokens, "largest number of tokens to generate")->range(1);
    command
        .add_option("--samples,--n", options.samples,
                    "number of texts to generate from the same prompt, which is computed once; text number "
                    "i, counted from 0, uses the seed plus i")
        ->range(1, 64);
    sampling.add_to(command);
    command
        .add_option("--logprobs", sampling.params.logprobs,
                    "with --json: report the log-probabilities of the N most probable tokens at each "
                    "position (default: 0, none)")
        ->range(0);
    command.add_option("--stop", options.stop, "stop before this text; can be given several times");
    command
        .add_option("--stop-id", options.stop_ids,
                    "stop at the token with this id; can be given several times")
        ->range(0);
    command.add_flag("--ignore-eos", options.ignore_end, "continue after the end-of-text token");
    command.add_flag("--no-bos", options.no_bos, "do not put the model's start token before the prompt");
    command.add_flag("--echo", echo, "print the prompt before the generated text");
  }

  void run(bool json) {
    options.sampling = sampling.resolve();
    const std::string text = prompt.read();
    if (echo && !json) fmt::print("{}", text);
    GenerateReport report = run_generate(options, text, [json](const Delta& delta) {
      if (json) return;
      fmt::print("{}", delta.text);
      std::fflush(stdout);
    });
    if (json) {
      if (echo) report.text = text + report.text;
      print_json(to_json(report));
    } else {
      print_after_stream(report, echo ? text : "");
    }
    if (report.finish_reason == FinishReason::cancelled) {
      fail("interrupted after {} tokens", report.token_ids.size());
    }
  }
};

}  // namespace

GenerateReport run_generate(const GenerateOptions& options, const std::string& prompt,
                            const OnDelta& on_delta) {
  EngineConfig config = options.run.config();
  options.sampling.validate();  // checked before a model is loaded, because it needs none
  const Timer load;
  const auto model = options.run.load();
  Request request;
  request.prompt = model->tokenizer->encode(prompt, !options.no_bos);
  request.max_tokens = options.max_tokens;
  request.n = options.samples;
  request.sampling = options.sampling;
  request.stop = options.stop;
  request.stop_ids = options.stop_ids;
  request.ignore_end = options.ignore_end;
  request.on_delta = on_delta;
  if (config.context == 0) {  // the most that this request can use
    const std::int64_t need = static_cast<std::int64_t>(request.prompt.size()) + options.max_tokens;
    config.context =
        static_cast<int>(std::clamp<std::int64_t>(need, 1, longest_context(config, model->config)));
  }
  config.max_sequences = options.samples;
  Engine engine(model, variants(), config);
  const double load_s = load.seconds();

  const std::vector<Result> results = engine.run_samples(std::move(request), interrupted);
  return generate_report(engine, results, options.sampling, load_s);
}

void add_generate(Command& app, Program& program) {
  Command* command = add_command(app, program, "generate", "generate a continuation of a text");
  const auto state = std::make_shared<GenerateCommand>();
  state->add_options(*command);
  command->footer(
      "Examples:\n"
      "  rung generate -p \"Once upon a time\" -n 100\n"
      "  rung generate -m OWNER/NAME -f prompt.txt --temp 0 --json\n"
      "  rung generate -p \"Once\" -n 20 --samples 4 --seed 7 --attention naive");
  command->callback([&program, state] { program.run = [&program, state] { state->run(program.json); }; });
}

}  // namespace rung::cli
