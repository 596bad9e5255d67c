// rung experiment: measures a grid of models, workloads and variants in interleaved rounds, and continues
// after an interruption.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "catalog/quantizers.hpp"
#include "catalog/variants.hpp"
#include "cli/compare.hpp"
#include "cli/experiment_file.hpp"
#include "convert/quantize.hpp"
#include "core/output_file.hpp"
#include "core/parallel.hpp"

namespace rung::cli {
namespace {

namespace fs = std::filesystem;

/// A part with one model.
struct Unit {
  PartPlan plan;
  std::vector<VariantSpec> variants;
  std::unique_ptr<PartRunner> runner;  // null: the models are not in memory
};

class Experiment {
 public:
  /// With `dry`, makes no files, and only plan() can be called.
  Experiment(const std::string& path, std::string out, bool restart, bool dry)
      : file_(read_experiment(path)), folder_(fs::path(path).parent_path()), out_(std::move(out)), dry_(dry) {
    if (out_.empty()) out_ = fs::path(path).stem().string();
    precision_.confidence = file_.confidence.value_or(precision_.confidence);
    precision_.precision = file_.precision.value_or(precision_.precision);
    precision_.rounds = file_.rounds.value_or(precision_.rounds);
    precision_.most = file_.most.value_or(precision_.most);
    interval_ = variants().ladder<RatioInterval>().make("auto", precision_.interval());
    runs_.title = file_.title;
    runs_.question = file_.question;
    runs_.experiment = file_.text;
    runs_.command = command_text({"rung", "experiment", path, "--out", out_});
    runs_.machine = machine_record();
    runs_.date = utc_date();
    for (const ExperimentPart& part : file_.parts) {
      for (const std::string& model : file_.models) add(part, model);
    }
    if (dry_) return;
    if (!restart && fs::exists(out_ + ".json")) resume();
    const OutputFile probe(out_ +
                           ".json");  // refuses a place that cannot be written before anything is measured
  }

  /// Returns the parts with their variants and sizes, as JSON.
  Json plan() const {
    Json parts = Json::array();
    for (std::size_t i = 0; i < units_.size(); ++i) {
      Json names = Json::array();
      for (const VariantSpec& v : units_[i].variants) names.push_back(v.name);
      parts.push_back({{"name", runs_.parts[i].name}, {"variants", names}, {"sizes", units_[i].plan.sizes}});
    }
    return parts;
  }

  /// Measures what is missing. The file is complete after every round of a part.
  void run() {
    const RoundRule rule = precision_.rule();
    Progress progress("experiment");
    const auto each = [&] {
      double done = 0;
      for (const StoredPart& part : runs_.parts) done += share_done(part, rule);
      progress.update(done / static_cast<double>(runs_.parts.size()));
      check_interrupted();
    };
    for (bool more = true; more;) {
      more = false;
      for (std::size_t i = 0; i < units_.size(); ++i) {
        StoredPart& part = runs_.parts[i];
        if (is_complete(part, rule)) continue;
        load(i);
        more = run_round(part, *units_[i].runner, rule, *interval_, each) || more;
        write_runs(runs_, out_ + ".json");
        if (!keeps_models_) units_[i].runner.reset();
      }
    }
  }

  const StoredRuns& runs() const { return runs_; }
  const std::string& out() const { return out_; }

 private:
  /// A path of the file counts from the file's folder, if there is something.
  std::string found(const std::string& path) const {
    const fs::path beside = folder_ / path;
    return !folder_.empty() && fs::exists(beside) ? beside.string() : path;
  }

  void add(const ExperimentPart& part, const std::string& model) {
    const std::vector<std::string> names = variant_option_names();
    std::vector<Alternatives::Axis> axes;
    bool has_model = false;
    for (const auto& [key, values] : part.options) {
      std::string option = "--" + key;
      std::ranges::replace(option, '_', '-');
      Alternatives::Axis axis{option, key, values, {}};
      if (key == "type") {
        axis = {"--model", key, {}, values};
        for (const std::string& type : values) axis.values.push_back(model_of_type(found(model), type));
      } else if (key == "model") {
        for (std::string& value : axis.values) value = found(value);
      } else if (std::ranges::find(names, option) == names.end()) {
        variants().find(key);  // refuses what is no seam either
        axis.option = "--set";
      }
      has_model = has_model || axis.option == "--model";
      axes.push_back(axis);
    }
    if (!has_model)
      axes.insert(axes.begin(), Alternatives::Axis{"--model", "model", {found(model)}, {model}});
    Unit unit{part.plan, variants_of(axes), nullptr};
    if (!unit.plan.text.empty()) unit.plan.text = found(unit.plan.text);
    if (unit.plan.measure != "serving") refuse_load_options(axes, part.name);
    StoredPart stored = empty_part(unit.plan, settings_of(axes), precision_);
    stored.name = file_.models.size() > 1 ? fmt::format("{}, {}", part.name, model) : part.name;
    runs_.parts.push_back(stored);
    units_.push_back(std::move(unit));
  }

  /// The file of a model in another number format; made if it does not exist yet.
  std::string model_of_type(const std::string& model, const std::string& type) const {
    const std::string input = resolve_model(model);
    const fs::path folder = out_ + "_models";
    const QuantizeTarget target = quantize_target(type, false);  // refuses an unknown format
    const std::string file =
        (folder / fmt::format("{}-{}.gguf", fs::path(input).stem().string(), type)).string();
    if (fs::exists(file) || dry_) return file;
    if (fs::is_directory(input)) {
      fail("'{}' is a folder, so it cannot be quantized; convert it first with: rung convert {} FILE.gguf",
           input, model);
    }
    fs::create_directories(folder);
    Progress progress("quantize " + type);
    quantize(input, file, target, default_threads(), progress.watcher(), nullptr,
             quantizer_choice(variants(), "auto"));
    return file;
  }

  void resume() {
    const std::string path = out_ + ".json";
    std::ifstream in(path);  // not read_input(), which protects the file from being replaced
    StoredRuns stored = stored_runs_from({std::istreambuf_iterator<char>(in), {}}, path);
    const auto refuse = [&](const std::string& reason) {
      fail("{} has runs {}; use --restart to replace them, or --out NAME to keep them", path, reason);
    };
    if (stored.experiment != runs_.experiment) refuse("of another version of this experiment");
    if (stored.machine.name != runs_.machine.name || stored.machine.simd != runs_.machine.simd)
      refuse(fmt::format("of another machine ({}, {})", stored.machine.name, stored.machine.simd));
    if (stored.machine.commit != runs_.machine.commit || stored.machine.version != runs_.machine.version)
      refuse(
          fmt::format("of another version of rung ({} {})", stored.machine.version, stored.machine.commit));
    if (stored.parts.size() != runs_.parts.size()) refuse("with other parts");
    runs_ = std::move(stored);
    for (StoredPart& part : runs_.parts) {
      for (StoredPoint& point : part.points) {
        if (!point.rounds.empty()) summarize(point, *interval_);
      }
    }
    tell("rung: continuing with the runs in {}\n", path);
  }

  /// Loads the models of a part. If the models of all parts do not fit into a quarter of the memory, they are
  /// loaded anew for every round.
  void load(std::size_t i) {
    Unit& unit = units_[i];
    if (unit.runner) return;
    unit.runner = make_runner(unit.plan, unit.variants);
    unit.runner->load(runs_.parts[i]);
    for (const StoredVariant& v : runs_.parts[i].variants)
      loaded_bytes_ += 2 * v.weights_bytes;  // mapped and packed
    if (loaded_bytes_ > runs_.machine.memory_bytes / 4) keeps_models_ = false;
  }

  ExperimentFile file_;
  fs::path folder_;
  std::string out_;
  PrecisionOptions precision_;
  std::unique_ptr<RatioInterval> interval_;
  StoredRuns runs_;
  std::vector<Unit> units_;  // in the order of runs_.parts
  std::uint64_t loaded_bytes_ = 0;
  bool keeps_models_ = true;
  bool dry_ = false;
};

void print_plan(const Json& parts) {
  for (const Json& part : parts) {
    std::string variants, sizes;
    for (const Json& name : part["variants"])
      variants += (variants.empty() ? "" : "; ") + name.get<std::string>();
    for (const Json& size : part["sizes"])
      sizes += fmt::format("{}{:g}", sizes.empty() ? "" : ", ", size.get<double>());
    fmt::print("{}: {} variants ({}), {}\n", part["name"].get<std::string>(), part["variants"].size(),
               variants, sizes.empty() ? "default sizes" : "sizes " + sizes);
  }
}

}  // namespace

void add_experiment(Command& app, Program& program) {
  struct State {
    std::string file, out;
    bool restart = false, no_plot = false, dry = false;
  };
  const auto state = std::make_shared<State>();
  Command* command = add_command(app, program, "experiment",
                                 "measure a grid of models, workloads and variants that a file describes");
  command
      ->add_option("file", state->file,
                   "experiment in TOML, such as those in 06_benchmarks/optimization_impact")
      ->required();
  command->add_option(
      "--out", state->out,
      "write NAME.json, NAME.svg and NAME.png (default: the name of the file, in this folder)");
  command->add_flag("--restart", state->restart, "measure everything again, even if NAME.json has runs");
  command->add_flag("--no-plot", state->no_plot, "do not draw; rung plot NAME.json does it later");
  command->add_flag("--dry-run", state->dry, "print the parts, variants and sizes, and measure nothing");
  command->footer(
      "After an interruption, the same command continues where it was. Every round measures all variants of "
      "all parts\n"
      "once, so that a machine that becomes slower affects all of them.\n"
      "Example:\n"
      "  rung experiment 06_benchmarks/optimization_impact/experiments/attention.toml --out attention");
  command->callback([&program, state] {
    program.run = [&program, state] {
      Experiment experiment(state->file, state->out, state->restart, state->dry);
      if (state->dry) {
        if (program.json) return print_json(experiment.plan());
        return print_plan(experiment.plan());
      }
      experiment.run();
      if (program.json) {
        print_json(to_json(experiment.runs()));
      } else {
        print_runs(experiment.runs());
      }
      if (!state->no_plot) draw_runs(experiment.out());
    };
  });
}

}  // namespace rung::cli
