// rung synth: writes a GGUF file with a published shape and random weights, for speed measurements.

#include <filesystem>

#include "cli/cli.hpp"
#include "convert/synth.hpp"
#include "core/parallel.hpp"
#include "model/synth_shape.hpp"

namespace rung::cli {
namespace {

std::string shape_names() {
  std::string names;
  for (const SynthShape& shape : synth_shapes())
    names += (names.empty() ? "" : ", ") + std::string(shape.name);
  return names;
}

}  // namespace

void add_synth(Command& app, Program& program) {
  struct State {
    std::string output, shape, type = "q8_0";
    std::uint64_t seed = 0;
  };
  const auto state = std::make_shared<State>();
  Command* command = add_command(
      app, program, "synth", "write a GGUF file that has the shape of a published model and random weights");
  command->add_option("output", state->output, "GGUF file to write")->required();
  command->add_option("--shape", state->shape, "shape of the model, one of: " + shape_names())->required();
  command->add_option("--type", state->type,
                      "number format of the matrices, such as f32, f16, q8_0, q4_0 or q4_k (default: q8_0)");
  command->add_option("--seed", state->seed, "seed of the random weights");
  command->callback([&program, state] {
    program.run = [&program, state] {
      Progress progress(state->shape);
      synth(state->output, state->shape, dtype_from_name(state->type), state->seed, default_threads(),
            progress.watcher());
      const auto bytes = std::filesystem::file_size(state->output);
      if (program.json) {
        print_json(
            {{"path", state->output}, {"shape", state->shape}, {"type", state->type}, {"bytes", bytes}});
      } else {
        fmt::print("{}: {} in {}, {:.1f} MB\n", state->output, state->shape, state->type,
                   static_cast<double>(bytes) * 1e-6);
      }
    };
  });
}

}  // namespace rung::cli
