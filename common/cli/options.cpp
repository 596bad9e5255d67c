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
  command->add_flag("--json", program.json, "one JSON document on stdout, everything else on stderr");
  return command;
}

void add_model_option(Command& command, std::string& model) {
  command.add_option(
      "-m,--model", model,
      "a GGUF file, a Hugging Face folder, the name of an embedded model (default: tiny), or what rung pull "
      "fetched: smollm2, OWNER/NAME[:FILE]");
}

void RunOptions::add_to(Command& command) {
  command.heading("Model and engine");
  add_model_option(command, model);
  command.add_option("--ctx", context, "tokens of context per sequence (default: what the job needs)")
      ->range(1);
  command.add_option("--threads", threads, "threads (default: all processors)")->range(1, 1024);
  command.add_option("--device", device, device_names(" | "));
  command.add_option("--kv-type", kv_type,
                     "number format of the KV cache: f32 | f16 | bf16 | f8_e4m3 | q8_0 | mxfp8 (default: "
                     "f16; with --exact f32)");
  command
      .add_option("--block-size", block_size,
                  "tokens per block of the KV cache: 1, 2, 4, ... 256 (default: 16)")
      ->range(1, kMaxBlockSize);
  command.add_option("--kv-budget", kv_budget,
                     "memory for the KV cache: 512MB, 2GiB (default: what all sequences of --ctx need)");
  command
      .add_option("--sinks", sinks,
                  "let texts outgrow the context: keep their first N tokens and the latest ones")
      ->range(0);
  command.add_option(
      "--swap", swap,
      "host memory for sequences that are preempted: 1GiB (default: none, they are computed again)");
  command.add_option(
      "--preempt", preempt,
      "auto | swap | recompute: how, where --swap gives memory (default: auto, what costs less)");
  command
      .add_option("--max-waiting", max_waiting,
                  "requests that may wait for a place; more are refused (default: any number)")
      ->range(0);
  command.add_flag("--cache-packed", cache_packed,
                   "keep weights that a rung lays out anew in a file beside the model, for the next run");
  command.add_flag("--exact", exact,
                   "round nothing: compute in float32, and keep keys and values in float32 unless --kv-type "
                   "is given; gives the text of --engine naive");
  command.add_option(
      "--engine", preset,
      "a preset that chooses the rungs of several seams; --attention, --set and others override it: " +
          preset_names(" | "));
  for (const char* seam : {"attention", "linear", "kv", "sampler", "scheduler", "policy"}) {
    command.add_text_option(
        std::string("--") + seam, [this, seam](const std::string& name) { rungs[seam] = name; },
        fmt::format("rung of seam {} (see rung ladder)", seam));
  }
  command.add_option("--set", set, "SEAM=NAME: the rung of any seam; may be repeated");
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
      fail_usage("--set {}: write SEAM=NAME, as in --set attention=flash", assignment);
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
  Option* direct = command.add_option(positional ? "text,-p,--prompt" : "-p,--prompt", text, "the text");
  direct->each([this](const std::string&) { given = true; });
  command.add_option("-f,--file", file, "a file with the text; - is stdin")->excludes(direct);
}

std::string TextOptions::read() const {
  if (file.empty()) {
    if (!given) fail_usage("no text: give it directly or with -f FILE");
    return text;
  }
  return read_input(file, "the text");
}

}  // namespace rung::cli
