#include "catalog/presets.hpp"
#include "catalog/variants.hpp"
#include "cli/cli.hpp"
#include "core/input_text.hpp"
#include "core/output_file.hpp"
#include "devices/device_list.hpp"
#include "engine/resolve.hpp"

namespace rung::cli {

Command* add_command(Command& app, Program& program, const std::string& name,
                     const std::string& description) {
  Command* command = app.add_subcommand(name, description);
  command->add_flag("--json", program.json,
                    "print one JSON document on stdout, and all other output on stderr");
  return command;
}

void add_model_option(Command& command, std::string& model) {
  command.add_option(
      "-m,--model", model,
      "model to run: a GGUF file, a Hugging Face folder, an embedded model, or a model that rung pull has "
      "fetched, such as smollm2 or OWNER/NAME[:FILE] (default: tiny, which is embedded)");
}

void RunOptions::add_to(Command& command) {
  command.heading("Model and engine");
  add_model_option(command, model);
  command
      .add_option("--ctx", context,
                  "context length: the largest number of tokens that a sequence can have (default: as many "
                  "as the command needs)")
      ->range(1);
  command.add_option("--threads", threads, "number of threads (default: one per processor)")->range(1, 1024);
  command.add_option("--device", device,
                     "device that runs the model: " + device_names(" | ") + " (default: cpu)");
  command.add_option("--kv-type", kv_type,
                     "number format of the KV cache: f32 | f16 | bf16 | f8_e4m3 | q8_0 | mxfp8 (default: "
                     "f16; with --exact: f32)");
  command
      .add_option("--block-size", block_size,
                  "number of tokens in a block of the KV cache, a power of two up to 256 (default: 16)")
      ->range(1, kMaxBlockSize);
  command.add_option("--kv-budget", kv_budget,
                     "memory for the KV cache, such as 512MB or 2GiB (default: enough for all sequences at "
                     "full context length)");
  command
      .add_option("--sinks", sinks,
                  "let a text grow beyond the context length: the KV cache keeps its first N tokens and the "
                  "most recent ones (default: off)")
      ->range(0);
  command.add_option("--swap", swap,
                     "host memory that keeps the keys and values of preempted sequences, such as 1GiB "
                     "(default: none; they are computed again)");
  command.add_option("--preempt", preempt,
                     "with --swap: what happens to the keys and values of a preempted sequence: auto | swap "
                     "| recompute (default: auto, which chooses the faster one)");
  command
      .add_option("--max-waiting", max_waiting,
                  "largest number of requests that can wait in the queue; further requests are refused "
                  "(default: no limit)")
      ->range(0);
  command.add_flag("--cache-packed", cache_packed,
                   "after a rung has packed the weights, store them in a file next to the model, and read "
                   "this file in later runs");
  command.add_flag("--exact", exact,
                   "avoid rounding: compute in float32, and store keys and values in float32 unless "
                   "--kv-type is given; the text is the same as with --engine naive");
  command.add_option("--engine", preset,
                     "preset that selects a rung for several seams; --attention, --set and similar options "
                     "override it (default: auto): " +
                         preset_names(" | "));
  for (const char* seam : {"attention", "linear", "kv", "sampler", "scheduler", "policy"}) {
    command.add_text_option(
        std::string("--") + seam, [this, seam](const std::string& name) { rungs[seam] = name; },
        fmt::format("rung of the seam {}; rung ladder lists all rungs (default: auto)", seam));
  }
  command.add_option("--set", set, "SEAM=NAME: use the rung NAME for a seam; can be given several times");
  command.heading("");
}

EngineConfig RunOptions::config() const {
  EngineConfig config;
  config.context = context;
  config.threads = threads;
  config.device = device;
  const Preset chosen = find_preset(variants(), preset);
  if (!kv_type.empty()) {
    config.kv_type = dtype_from_name(kv_type);
  } else if (exact || chosen.exact) {
    config.kv_type = DType::f32;
  }
  config.kv_block_size = block_size;
  config.sinks = sinks;
  if (!swap.empty()) config.swap_bytes = bytes_from("--swap", swap);
  config.preempt = preempt_mode(preempt);
  config.max_waiting = max_waiting;
  if (!kv_budget.empty()) config.kv_budget = bytes_from("--kv-budget", kv_budget);
  config.cache_packed = cache_packed;
  config.notice = [](const std::string& sentence) { tell("rung: {}\n", sentence); };
  config.rungs = chosen.rungs;
  if (exact) config.rungs.try_emplace("linear", kFloat32);
  for (const auto& [seam, name] : rungs) config.rungs[seam] = name;
  for (const std::string& assignment : set) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos)
      fail_usage("--set {} is not SEAM=NAME; write for example --set attention=flash", assignment);
    config.rungs[assignment.substr(0, equals)] = assignment.substr(equals + 1);
  }
  return config;
}

std::shared_ptr<const Model> RunOptions::load() const {
  auto loaded = std::make_shared<const Model>(load_with_rungs(variants(), config(), resolve_model(model)));
  for (const auto& file : loaded->files) protect_input(file->path());  // one name may stand for several files
  for (const std::string& note : loaded->config.notes) tell("rung: note: {}: {}\n", loaded->path, note);
  return loaded;
}

void TextOptions::add_to(Command& command, bool positional) {
  Option* direct =
      command.add_option(positional ? "text,-p,--prompt" : "-p,--prompt", text, "text, given directly");
  direct->each([this](const std::string&) { given = true; });
  command.add_option("-f,--file", file, "read the text from this file; - reads stdin")->excludes(direct);
}

std::string TextOptions::read() const {
  if (file.empty()) {
    if (!given) fail_usage("no text is given; use -p TEXT or -f FILE");
    return text;
  }
  return read_input(file, "the text");
}

}  // namespace rung::cli
