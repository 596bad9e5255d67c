// rung plan: computes the memory of a KV cache (--kv, plan_kv.cpp) or the time of an engine's steps
// (--latency, plan_latency.cpp).

#include "cli/plan.hpp"

namespace rung::cli {

void add_plan(Command& app, Program& program) {
  const auto c = std::make_shared<PlanCommand>();
  Command* command =
      add_command(app, program, "plan", "the memory that a model's KV cache takes, or the time of its steps");
  Option* kv = command->add_flag("--kv", c->kv, "plan the KV cache (the default)");
  command->add_flag("--latency", c->latency, "plan time to first token and time per token")->excludes(kv);
  Option* model = command->add_option(
      "-m,--model", c->model, "a GGUF file, a Hugging Face folder, a config.json, or an embedded model");
  command
      ->add_option("--shape", c->shape, "a published shape instead of a model: llama-3-8b, deepseek-v3, ...")
      ->excludes(model);
  command->add_option("--ctx", c->context, "tokens that a sequence may reach (default: the trained length)")
      ->range(1);
  command
      ->add_option("--tokens", c->tokens,
                   "tokens that a sequence really has (default: --ctx; with --latency at most 512)")
      ->range(1);
  command->add_option("--batch", c->batch, "sequences at the same time; with --latency up to that number")
      ->range(1);
  command->add_option("--budget", c->budget, "memory for weights and KV cache: 24GB, 80e9, 16GiB");
  command->add_option("--kv-type", c->type, "f32 | f16 | bf16 | f8_e4m3 | q8_0 | ... (default: f16)");
  command->add_option("--block", c->block, "tokens per block of a paged cache")->range(1);
  command->add_option("--rung", c->rung, "rung of seam kv_plan");
  const auto latency = [](Option* option) { option->group("With --latency"); };
  latency(command
              ->add_option("--bandwidth", c->bandwidth,
                           "bytes per second that a machine reads (default: measured here)")
              ->range(1.0, 1e18));
  latency(
      command
          ->add_option("--flops", c->flops, "operations per second that it computes (default: measured here)")
          ->range(1.0, 1e21));
  latency(command->add_option("--chunk", c->chunk, "most tokens of one step")->range(1, 1 << 20));
  latency(command->add_option("--threads", c->threads, "threads (default: all processors)")->range(1, 1024));
  latency(command->add_flag("--measure", c->measure, "time steps of the model here, for rung fitted"));
  latency(command->add_option("--repeats", c->repeats, "how often each step is timed; the median counts")
              ->range(1, 100));
  latency(command->add_option("--samples", c->samples,
                              "take the steps that --measure --json wrote to this file"));
  latency(command->add_option("--set", c->set, "SEAM=NAME: rung of step_cost, bandwidth, linear, ..."));
  command->callback([&program, c] {
    program.threads = c->latency;
    program.run = [&program, c] {
      const auto show = [&](const auto& report) {
        if (program.json) {
          print_json(to_json(report));
        } else {
          print(report);
        }
      };
      if (c->latency) {
        show(plan_latency(*c));
      } else {
        show(plan_kv(*c));
      }
    };
  });
}

}  // namespace rung::cli
