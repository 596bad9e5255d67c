#pragma once
// What the subcommands share. The file of each subcommand adds it to the parser. Its work is a function that
// main() calls after parsing, so that all errors are printed in one place.

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
#include "measure/report_json.hpp"
#include "model/model.hpp"

namespace rung::cli {

struct Program {
  bool json = false;               // exactly one JSON document on stdout, everything else on stderr
  bool threads = true;             // the subcommand has parallel loops (core/waiting.hpp)
  std::function<void()> run;       // the chosen subcommand
  std::vector<std::string> words;  // the command line, beginning with "rung"
};

void add_bench(Command& app, Program& program);
void add_bench_serve(Command& app, Program& program);
void add_chat(Command& app, Program& program);
void add_compare(Command& app, Program& program);
void add_convert(Command& app, Program& program);
void add_demo(Command& app, Program& program);
void add_exercises(Command& app, Program& program);
void add_experiment(Command& app, Program& program);
void add_explain(Command& app, Program& program);
void add_generate(Command& app, Program& program);
void add_inspect(Command& app, Program& program);
void add_ladder(Command& app, Program& program);
void add_logits(Command& app, Program& program);
void add_perplexity(Command& app, Program& program);
void add_plan(Command& app, Program& program);
void add_plot(Command& app, Program& program);
void add_pull(Command& app, Program& program);
void add_quantize(Command& app, Program& program);
void add_report(Command& app, Program& program);
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
  /// Returns the parameters, with a random seed if none was given. Throws UsageError for a --logit-bias that
  /// is not ID=VALUE.
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

/// The text of -p or the content of the file of -f ("-" is stdin). read() throws Error if the file cannot be
/// read, and UsageError if no text is given.
struct TextOptions {
  std::string text, file;
  bool given = false;
  /// If `positional` is true, the text can also be a positional argument.
  void add_to(Command& command, bool positional);
  std::string read() const;
};

/// Writes a message to the user on stderr. Does nothing if it cannot be written.
void tell_text(const std::string& text);
template <class... Args>
void tell(fmt::format_string<Args...> text, Args&&... args) {
  tell_text(fmt::format(text, std::forward<Args>(args)...));
}

/// Opens standard streams that were closed when the program started, so that no file that is opened later
/// gets their number and with it their data. Reading from them or writing to them fails.
void open_standard_streams();
/// Throws Error if some of the output could not be written.
void finish_output();
/// Makes the program end with an error message if a mapped file is shortened while it is in use.
void catch_bus_errors();

/// Prints one JSON document on stdout. Bytes that are not UTF-8 become U+FFFD.
void print_json(const Json& json);
std::string dump_json(const Json& json, int indent = 2);

/// Prints a note if other programs used the processors during a measurement.
void print_note(const OtherLoad& others);

/// Returns {"seam": "rung", ...}.
Json rungs_json(const Engine& engine);

/// Parses a number of bytes: "24GB", "80e9", "16GiB", "1000". Throws UsageError, which names the flag, for
/// anything else.
std::uint64_t bytes_from(const std::string& flag, const std::string& text);

/// Handles Ctrl-C: the first one asks the running job to stop, and the second one kills the program.
void catch_interrupts();
bool interrupted();
/// Throws Error "interrupted" if Ctrl-C was pressed.
void check_interrupted();

/// Shows on stderr how much of a long job is done and how long the rest will take. A terminal shows one line,
/// which is redrawn; a log gets a line for each tenth of the job. A job of less than two seconds shows
/// nothing.
class Progress {
 public:
  explicit Progress(std::string what) : what_(std::move(what)) {}
  ~Progress();
  void update(double done);  // 0 .. 1
  /// Returns update() as a callback of (done, total), which also throws Error if Ctrl-C was pressed.
  std::function<void(std::uint64_t, std::uint64_t)> watcher();

 private:
  std::string what_;
  Timer since_start_, since_draw_;
  double drawn_ = -1;
  bool open_line_ = false;
};

struct ChildResult {
  std::string output;   // what the job returned
  std::string failure;  // how the job ended, if it did not return
  std::string begun;    // the last text that the job passed to `begin`
  std::size_t peak_rss_bytes = 0;
};
using Begin = std::function<void(const std::string& what)>;
/// Runs `job` in a child process, which contains a crash and the memory of the job. The child is killed when
/// this process ends, and `seconds` after the last call of `begin` (0: never). REQUIRES: no OpenMP loop has
/// run in this process before, because its threads do not survive a fork.
ChildResult run_in_child(const std::function<std::string(const Begin& begin)>& job, double seconds = 0);

}  // namespace rung::cli
