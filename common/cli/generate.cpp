// rung generate: a prompt in, its continuation out, streamed.

#include <algorithm>
#include <cstdio>

#include "catalog/variants.hpp"
#include "cli/run_generate.hpp"
#include "core/process_memory.hpp"
#include "engine/resolve.hpp"

namespace rung::cli {
namespace {

struct GenerateCommand {
  GenerateOptions options;
  TextOptions prompt;
  bool echo = false;
  SamplingOptions sampling;

  void add_options(Command& command) {
    options.run.add_to(command);
    prompt.add_to(command, false);
    command.add_option("-n,--tokens", options.max_tokens, "most tokens to generate")->range(1);
    command
        .add_option("--samples,--n", options.samples,
                    "samples of the same prompt, which is computed once; sample i draws with seed + i")
        ->range(1, 64);
    sampling.add_to(command);
    command
        .add_option("--logprobs", sampling.params.logprobs,
                    "with --json: log-probabilities of the N most probable tokens (default: none)")
        ->range(0);
    command.add_option("--stop", options.stop, "end before this text; may be repeated");
    command.add_option("--stop-id", options.stop_ids, "end at this token id; may be repeated")->range(0);
    command.add_flag("--ignore-eos", options.ignore_end, "go on past the end-of-text token");
    command.add_flag("--no-bos", options.no_bos, "no start token before the prompt");
    command.add_flag("--echo", echo, "print the prompt too");
  }

  void run(bool json) {
    options.sampling = sampling.resolve();
    const std::string text = prompt.read();
    if (echo && !json) fmt::print("{}", text);
    Json result = run_generate(options, text, [json](const Delta& delta) {
      if (json) return;
      fmt::print("{}", delta.text);
      std::fflush(stdout);
    });
    if (json) {
      if (echo) result["text"] = text + result["text"].get<std::string>();
      print_json(result);
    } else {
      fmt::print("\n");
      for (int i = 1; i < options.samples; ++i) {  // the first was streamed
        const Json& sample = result["samples"][static_cast<std::size_t>(i)];
        fmt::print("\n--- sample {} of {}, seed {}\n{}{}\n", i + 1, options.samples,
                   sample["seed"].get<std::uint64_t>(), echo ? text : "", sample["text"].get<std::string>());
      }
    }
    if (result["finish_reason"] == "cancelled") {
      fail("interrupted after {} tokens", result["completion_tokens"].get<int>());
    }
  }
};

Json logprobs_json(const Result& result, const Tokenizer& tokenizer) {
  Json list = Json::array();
  for (const SampledToken& s : result.samples) {
    Json top = Json::array();
    for (const TokenLogprob& t : s.top) {
      top.push_back({{"id", t.token}, {"token", tokenizer.piece(t.token)}, {"logprob", t.logprob}});
    }
    list.push_back(
        {{"id", s.token}, {"token", tokenizer.piece(s.token)}, {"logprob", s.logprob}, {"top", top}});
  }
  return list;
}

}  // namespace

Json run_generate(const GenerateOptions& options, const std::string& prompt, const OnDelta& on_delta) {
  EngineConfig config = options.run.config();
  options.sampling.validate();  // what needs no model is refused before one is loaded
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
  if (config.context == 0) {  // as much as this request can use
    const std::int64_t need = static_cast<std::int64_t>(request.prompt.size()) + options.max_tokens;
    config.context =
        static_cast<int>(std::clamp<std::int64_t>(need, 1, longest_context(config, model->config)));
  }
  config.max_sequences = options.samples;
  Engine engine(model, variants(), config);
  const double load_s = load.seconds();

  const std::vector<Result> results = engine.run_samples(std::move(request), interrupted);
  const Result& result = results.front();
  const double prefill_s = result.first_token_s;
  const double decode_s = result.total_s - result.first_token_s;
  const auto generated = static_cast<double>(result.token_ids.size());
  const EngineMemory memory = engine.memory();
  Json json;
  json["text"] = result.text;
  json["token_ids"] = result.token_ids;
  json["prompt_tokens"] = result.prompt_tokens;
  json["completion_tokens"] = result.token_ids.size();
  json["finish_reason"] = finish_reason_name(result.finish_reason);
  json["timings"] = {{"load_s", load_s},
                     {"ttft_s", result.first_token_s},
                     {"prefill_tok_s", prefill_s > 0 ? result.prompt_tokens / prefill_s : 0.0},
                     {"decode_tok_s", generated > 1 && decode_s > 0 ? (generated - 1) / decode_s : 0.0}};
  const ProcessMemory resident = process_memory();
  json["memory"] = {{"weights_bytes", memory.weights_bytes},
                    {"packed_bytes", memory.packed_bytes},
                    {"packed_file_bytes", memory.packed_file_bytes},
                    {"kv_bytes", memory.kv_bytes},
                    {"kv_type", traits(config.kv_type).name},
                    {"workspace_bytes", memory.workspace_bytes},
                    {"peak_rss_bytes", peak_rss_bytes()},
                    {"private_bytes", resident.private_bytes},
                    {"file_bytes", resident.file_bytes}};
  json["rungs"] = rungs_json(engine);
  json["seed"] = options.sampling.seed;
  if (options.samples > 1) {
    json["samples"] = Json::array();
    for (std::size_t i = 0; i < results.size(); ++i) {
      json["samples"].push_back({{"text", results[i].text},
                                 {"token_ids", results[i].token_ids},
                                 {"finish_reason", finish_reason_name(results[i].finish_reason)},
                                 {"seed", options.sampling.seed + i}});
    }
    json["forked_tokens"] = engine.stats().forked_tokens;
  }
  if (options.sampling.logprobs >= 0) json["logprobs"] = logprobs_json(result, *model->tokenizer);
  return json;
}

void add_generate(Command& app, Program& program) {
  Command* command = add_command(app, program, "generate", "continue a text");
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
