#pragma once
// What the subcommands share. One file per subcommand adds itself to the parser; its work is a
// function that main() calls after parsing, so that every error comes out in one place.

#include <fmt/core.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "core/other_load.hpp"
#include "core/timer.hpp"
#include "engine/engine.hpp"
#include "model/model.hpp"

namespace rung::cli {

// Keys in the order in which they are written: a person reads this too.
using Json = nlohmann::ordered_json;

struct Program {
  bool json = false;          // exactly one JSON document on stdout, everything else on stderr
  bool threads = true;        // the subcommand has parallel loops (core/waiting.hpp)
  std::function<void()> run;  // the chosen subcommand
};

void add_bench(Command& app, Program& program);
void add_bench_serve(Command& app, Program& program);
void add_chat(Command& app, Program& program);
void add_convert(Command& app, Program& program);
void add_demo(Command& app, Program& program);
void add_exercises(Command& app, Program& program);
void add_explain(Command& app, Program& program);
void add_generate(Command& app, Program& program);
void add_inspect(Command& app, Program& program);
void add_ladder(Command& app, Program& program);
void add_logits(Command& app, Program& program);
void add_perplexity(Command& app, Program& program);
void add_plan(Command& app, Program& program);
void add_pull(Command& app, Program& program);
void add_quantize(Command& app, Program& program);
void add_synth(Command& app, Program& program);
void add_tokenize(Command& app, Program& program);

/// A subcommand with the --json flag that all of them take.
Command* add_command(Command& app, Program& program, const std::string& name, const std::string& description);

/// Options that choose a model and how it is run: -m, --ctx, --threads, --device and the rungs.
struct RunOptions {
  std::string model;
  int context = 0;
  int threads = 0;
  std::string device = "cpu";
  std::string kv_type;  // empty: the default
  int block_size = 16;
  int sinks = -1;
  std::string kv_budget, swap, preempt = "auto";
  int max_waiting = 0;
  bool cache_packed = false;
  std::string preset = "auto";
  bool exact = false;
  std::map<std::string, std::string> rungs;  // by their own flags: --attention NAME
  std::vector<std::string> set;              // --set SEAM=NAME

  void add_to(Command& command);
  /// The engine these options ask for; `rungs` and `set` override the preset.
  EngineConfig config() const;
  /// The model they name, read with the rungs they name.
  std::shared_ptr<const Model> load() const;
};

/// How tokens are drawn: --temp, --top-k, ... and --seed.
struct SamplingOptions {
  SamplingParams params;
  std::vector<std::string> logit_bias;  // ID=VALUE
  std::optional<std::string> seed;      // as it was given

  void add_to(Command& command);
  /// The parameters, with a random seed where none was given. Throws UsageError for a --logit-bias that is
  /// none.
  SamplingParams resolve() const;
};

/// Adds -m / --model alone.
void add_model_option(Command& command, std::string& model);

/// The path of a file, a folder, an embedded model's name, or a pulled model's short name or
/// OWNER/NAME[:FILE]; empty means the default model.
std::string resolve_model(const std::string& model);

/// Where the embedded models are, and the list of those that can be pulled: $RUNG_MODELS, this source tree,
/// and the installed share folder, in this order.
std::vector<std::filesystem::path> model_folders();

/// The text of -p or the content of -f ("-" is stdin). Throws when the file cannot be read.
struct TextOptions {
  std::string text, file;
  bool given = false;
  /// `positional`: the text comes as an argument rather than behind -p.
  void add_to(Command& command, bool positional);
  std::string read() const;
};

/// A message to the user, on stderr. That it cannot be written is no reason to fail.
void tell_text(const std::string& text);
template <class... Args>
void tell(fmt::format_string<Args...> text, Args&&... args) {
  tell_text(fmt::format(text, std::forward<Args>(args)...));
}

/// Standard streams that were closed when the program was started lead nowhere from now on: a file that is
/// opened later would get their number, and with it what is meant for them. Reading or writing them fails.
void open_standard_streams();
/// Throws Error when something of what was printed could not be written.
void finish_output();
/// Ends the program with a sentence where a mapped file is shortened while it is in use.
void catch_bus_errors();

/// One JSON document on stdout. Bytes that are no UTF-8 become U+FFFD.
void print_json(const Json& json);
std::string dump_json(const Json& json, int indent = 2);

/// Below figures: that something else ran beside them, if it did.
void print_note(const OtherLoad& others);

/// {"seam": "rung", ...}
Json rungs_json(const Engine& engine);

/// "24GB", "80e9", "16GiB", "1000": a number of bytes. Throws UsageError that names the flag for anything
/// else.
std::uint64_t bytes_from(const std::string& flag, const std::string& text);

/// Largest resident set of this process so far, in bytes.
std::size_t peak_rss_bytes();

/// Ctrl-C: the first asks the running job to stop, a second one kills.
void catch_interrupts();
bool interrupted();
/// Throws Error "interrupted" when Ctrl-C was pressed.
void check_interrupted();

/// A line on stderr that says how far a long job is and how long it will take: redrawn in a terminal, every
/// tenth in a log. A job of less than two seconds says nothing.
class Progress {
 public:
  explicit Progress(std::string what) : what_(std::move(what)) {}
  ~Progress();
  void update(double done);  // 0 .. 1
  /// update() as a callback of (done, total) that also ends the job, with an Error, when Ctrl-C was pressed.
  std::function<void(std::uint64_t, std::uint64_t)> watcher();

 private:
  std::string what_;
  Timer since_start_, since_draw_;
  double drawn_ = -1;
  bool open_line_ = false;
};

/// Runs `job` in a child process, so that a crash or its memory stays there. The child ends with this
/// process, and `seconds` after it began something (0: never). REQUIRES: no OpenMP loop ran in this process
/// before (its threads do not survive a fork).
struct ChildResult {
  std::string output;   // what job returned
  std::string failure;  // how it ended, when it did not return
  std::string begun;    // what the job said last that it begins
  std::size_t peak_rss_bytes = 0;
};
using Begin = std::function<void(const std::string& what)>;
ChildResult run_in_child(const std::function<std::string(const Begin& begin)>& job, double seconds = 0);

}  // namespace rung::cli
