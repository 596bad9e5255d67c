// rung plan: computes the memory of a KV cache (--kv, plan_kv.cpp) or the time of an engine's steps
// (--latency, plan_latency.cpp).

#include "cli/plan.hpp"

namespace rung::cli {

void add_plan(Command& app, Program& program) {
  const auto c = std::make_shared<PlanCommand>();
  Command* command =
      add_command(app, program, "plan", "predict the memory of a model's KV cache or the time of its steps");
  Option* kv = command->add_flag("--kv", c->kv, "predict the memory of the KV cache (this is the default)");
  command->add_flag("--latency", c->latency, "predict the time to first token and the time per token")
      ->excludes(kv);
  Option* model = command->add_option(
      "-m,--model", c->model,
      "model: a GGUF file, a Hugging Face folder, a config.json, or an embedded model (default: tiny)");
  command
      ->add_option("--shape", c->shape,
                   "shape of a published model, such as llama-3-8b or deepseek-v3, instead of a model")
      ->excludes(model);
  command
      ->add_option("--ctx", c->context,
                   "context length: the largest number of tokens of a sequence (default: the trained length; "
                   "with --latency at most 2048)")
      ->range(1);
  command
      ->add_option("--tokens", c->tokens,
                   "number of tokens that each sequence has (default: --ctx; with --latency at most 512)")
      ->range(1);
  command
      ->add_option("--batch", c->batch,
                   "number of sequences at the same time; --latency shows all powers of two up to it "
                   "(default: 1; with --latency 32)")
      ->range(1);
  command->add_option(
      "--budget", c->budget,
      "memory for weights and KV cache, such as 24GB, 80e9 or 16GiB (default: shows both 24GB and 80GB)");
  command->add_option(
      "--kv-type", c->type,
      "number format of the KV cache: f32 | f16 | bf16 | f8_e4m3 | q8_0 | ... (default: f16)");
  command->add_option("--block", c->block, "number of tokens in a block of a paged KV cache")->range(1);
  command->add_option("--rung", c->rung, "rung of the seam kv_plan (default: auto)");
  const auto latency = [](Option* option) { option->group("With --latency"); };
  latency(command
              ->add_option(
                  "--bandwidth", c->bandwidth,
                  "memory bandwidth of the machine in bytes per second (default: measured on this machine)")
              ->range(1.0, 1e18));
  latency(
      command
          ->add_option(
              "--flops", c->flops,
              "arithmetic rate of the machine in operations per second (default: measured on this machine)")
          ->range(1.0, 1e21));
  latency(command->add_option("--chunk", c->chunk, "largest number of tokens that one step computes")
              ->range(1, 1 << 20));
  latency(command->add_option("--threads", c->threads, "number of threads (default: one per processor)")
              ->range(1, 1024));
  latency(command->add_flag(
      "--measure", c->measure,
      "measure steps of the model on this machine; the rung fitted of step_cost uses them"));
  latency(command
              ->add_option("--repeats", c->repeats,
                           "with --measure: number of timings of each step, of which the median is used")
              ->range(1, 100));
  latency(command->add_option(
      "--samples", c->samples,
      "read measured steps from this file, which rung plan --latency --measure --json has written"));
  latency(command->add_option("--set", c->set,
                              "SEAM=NAME: use the rung NAME for a seam, such as step_cost, bandwidth or "
                              "linear; can be given several times"));
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
