// rung compare: measures two or more variants in interleaved rounds, and reports how many times as fast each
// is, with an interval.

#include "cli/compare.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "catalog/variants.hpp"
#include "core/output_file.hpp"

namespace rung::cli {
namespace {

/// An option that only some workloads use.
struct WorkloadOption {
  std::string name;
  const Option* option;
  std::vector<std::string> used_by;  // workloads and measures
};

struct CompareCommand {
  Alternatives alternatives;
  PrecisionOptions precision;
  std::vector<std::string> workloads;
  std::string measure = "speed", rates, text, out;
  std::vector<int> prompts, batches, contexts;
  int tokens = 32, chunks = 8;
  ServiceTargets targets;
  std::vector<WorkloadOption> workload_options;

  std::vector<PartPlan> plans() const;
  void refuse_unused(const std::vector<PartPlan>& all, const std::vector<Alternatives::Axis>& axes) const;
  void execute(bool json, const std::vector<std::string>& words) const;
};

std::vector<double> as_sizes(const std::vector<int>& numbers) { return {numbers.begin(), numbers.end()}; }

std::vector<double> rates_from(const std::string& text) {
  std::vector<double> rates;
  if (text.empty()) return rates;
  for (const std::string& rate : split_at_commas(text))
    rates.push_back(rate == "inf" ? 0 : number_from<double>("--rate", rate, {0}));
  return rates;
}

std::vector<PartPlan> CompareCommand::plans() const {
  std::vector<PartPlan> all;
  if (measure == "quality") {
    if (!workloads.empty())
      fail_usage("--workload has no effect with --measure quality, which reads a text; give it with -f FILE");
    PartPlan plan;
    plan.measure = "quality";
    plan.text = text;
    plan.chunks = chunks;
    return {plan};
  }
  if (measure != "speed") fail_usage("--measure is '{}'; choose one of: speed, quality", measure);
  for (const std::string& workload :
       workloads.empty() ? std::vector<std::string>{"prefill", "decode"} : workloads) {
    PartPlan plan;
    plan.workload = workload;
    plan.tokens = tokens;
    plan.targets = targets;
    resolve_measure(plan);
    plan.sizes = workload == "prefill"   ? as_sizes(prompts)
                 : workload == "decode"  ? as_sizes(batches)
                 : workload == "context" ? as_sizes(contexts)
                                         : rates_from(rates);
    all.push_back(plan);
  }
  return all;
}

void CompareCommand::refuse_unused(const std::vector<PartPlan>& all,
                                   const std::vector<Alternatives::Axis>& axes) const {
  const auto uses = [&](const std::vector<std::string>& names) {
    return std::ranges::any_of(all, [&](const PartPlan& plan) {
      return std::ranges::find(names, plan.workload) != names.end() ||
             std::ranges::find(names, plan.measure) != names.end();
    });
  };
  for (const WorkloadOption& o : workload_options) {
    if (o.option->count() > 0 && !uses(o.used_by)) {
      fail_usage("{} has no effect here; it belongs to: {}", o.name, fmt::join(o.used_by, ", "));
    }
  }
  if (!uses({"serving"}))
    refuse_load_options(axes, all.front().workload.empty() ? "quality" : all.front().workload);
}

void CompareCommand::execute(bool json, const std::vector<std::string>& words) const {
  const std::vector<Alternatives::Axis> axes = alternatives.axes();
  const std::vector<VariantSpec> specs = variants_of(axes);
  if (specs.size() < 2) {
    fail_usage(
        "rung compare needs at least two variants; give an option several values, such as --attention "
        "naive,flash or "
        "-m a.gguf,b.gguf");
  }
  const std::vector<PartPlan> all = plans();
  refuse_unused(all, axes);
  // Refuses a place that cannot be written before anything is measured.
  if (!out.empty()) const OutputFile probe(out + ".json");
  const RoundRule rule = precision.rule();
  const auto interval = variants().ladder<RatioInterval>().make("auto", precision.interval());
  StoredRuns runs;
  runs.command = command_text(words);
  runs.machine = machine_record();
  runs.date = utc_date();
  for (const PartPlan& plan : all) {
    StoredPart part = empty_part(plan, settings_of(axes), precision);
    const auto runner = make_runner(plan, specs);
    runner->load(part);
    Progress progress(part.name);
    const auto each = [&] {
      progress.update(share_done(part, rule));
      check_interrupted();
    };
    try {
      while (run_round(part, *runner, rule, *interval, each)) {
      }
    } catch (const Error&) {
      // What was measured before Ctrl-C is not lost.
      const bool has_rounds = !part.points.empty() && !part.points.front().rounds.empty();
      if (!interrupted() || out.empty() || (!has_rounds && runs.parts.empty())) throw;
      if (has_rounds) runs.parts.push_back(std::move(part));
      write_runs(runs, out + ".json");
      fail("interrupted; {0}.json has the rounds that were complete, and rung plot {0}.json draws them", out);
    }
    runs.parts.push_back(std::move(part));
    if (!out.empty()) write_runs(runs, out + ".json");  // what is complete survives an interruption
  }
  if (json) {
    print_json(to_json(runs));
  } else {
    print_runs(runs);
  }
  if (!out.empty()) draw_runs(out);
}

}  // namespace

void add_compare(Command& app, Program& program) {
  Command* command =
      add_command(app, program, "compare",
                  "measure two or more rungs, settings or models in turns, and draw the comparison");
  const auto c = std::make_shared<CompareCommand>();
  command->add_option("--out", c->out,
                      "write NAME.json, NAME.svg and NAME.png (default: only print a table)");
  command->heading("What is measured");
  command
      ->add_option("--workload", c->workloads,
                   "workloads, separated by commas: prefill | decode | context | random_lengths | sharegpt | "
                   "chat | agents | "
                   "trace (default: prefill,decode)")
      ->single()
      ->delimiter(',');
  command->add_option("--measure", c->measure,
                      "speed, or quality: the perplexity, and the difference from float32 (default: speed)");
  const auto used_by = [&](const std::string& name, const std::vector<std::string>& workloads,
                           const Option* option) {
    c->workload_options.push_back({name, option, workloads});
  };
  used_by("--prompt", {"prefill"},
          command
              ->add_option("-p,--prompt", c->prompts,
                           "prompt lengths of the workload prefill, in tokens (default: 32,128,512)")
              ->range(1, 1 << 24)
              ->delimiter(','));
  used_by("--batch", {"decode"},
          command
              ->add_option("-b,--batch", c->batches,
                           "batch sizes of the workload decode, in sequences (default: 1,4,16)")
              ->range(1, 4096)
              ->delimiter(','));
  used_by(
      "--contexts", {"context"},
      command
          ->add_option("--contexts", c->contexts,
                       "contexts of the workload context, in tokens before the first decoded one (default: "
                       "64,256,1024)")
          ->range(1, 1 << 24)
          ->delimiter(','));
  used_by(
      "--tokens", {"decode", "context"},
      command
          ->add_option("-n,--tokens", c->tokens, "number of decode steps of the workloads decode and context")
          ->range(1, 1 << 20));
  used_by("--rate", {"serving"},
          command->add_option(
              "--rate", c->rates,
              "rates of arrival of a serving workload, in requests per second, separated by commas; "
              "0 or inf: all at once (default: 0)"));
  used_by(
      "--slo-ttft", {"serving"},
      command
          ->add_option("--slo-ttft", c->targets.ttft_s,
                       "target for the time to first token in seconds; goodput counts the requests that meet "
                       "all targets (default: no target)")
          ->range(0.0));
  used_by("--slo-tpot", {"serving"},
          command
              ->add_option("--slo-tpot", c->targets.tpot_s,
                           "target for the time per output token in seconds (default: no target)")
              ->range(0.0));
  used_by(
      "--slo-e2e", {"serving"},
      command
          ->add_option("--slo-e2e", c->targets.e2e_s,
                       "target for the time from arrival to the last token in seconds (default: no target)")
          ->range(0.0));
  used_by("--file", {"quality"},
          command->add_option(
              "-f,--file", c->text,
              "with --measure quality: the text to predict; - reads stdin (default: a text that the "
              "first model writes)"));
  used_by(
      "--chunks", {"quality"},
      command
          ->add_option("--chunks", c->chunks, "with --measure quality: number of windows of the text; 0: all")
          ->range(0));
  c->precision.add_to(*command);
  command->when_chosen([c, command] { c->alternatives.add_to(*command, {"--workload", "--rate"}); });
  command->footer(
      "An option of a variant can have several values: --attention naive,flash. Every combination of the "
      "values is a\n"
      "variant, and the first one is the baseline. If an option is given more than once, each time is one "
      "value, which\n"
      "can then contain commas.\n"
      "Examples:\n"
      "  rung compare --attention naive,flash --workload prefill --out cmp\n"
      "  rung compare --scheduler static_batch,chunked --workload sharegpt --length-scale 0.2 --max-length "
      "300\n"
      "  rung compare --kv-type f32,q8_0 --measure quality\n"
      "  rung compare -m a.gguf,b.gguf --threads 2");
  command->callback(
      [&program, c] { program.run = [&program, c] { c->execute(program.json, program.words); }; });
}

}  // namespace rung::cli
