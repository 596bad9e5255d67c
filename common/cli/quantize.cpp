// rung quantize: a GGUF with its matrices in another number format.

#include "model/quantize.hpp"

#include "cli/cli.hpp"
#include "core/parallel.hpp"

namespace rung::cli {

void add_quantize(CLI::App& app, Program& program) {
  struct State {
    std::string input, output, type;
  };
  const auto state = std::make_shared<State>();
  CLI::App* command =
      add_command(app, program, "quantize", "a GGUF with its matrices in another number format");
  command->add_option("input", state->input, "a GGUF file or an embedded model")->required();
  command->add_option("output", state->output, "the file to write")->required();
  command->add_option("--type", state->type, "f32 | f16 | bf16 | q8_0 | q4_0")->required();
  command->callback([&program, state] {
    program.run = [&program, state] {
      Progress progress("quantize");
      const QuantizeResult result =
          quantize(resolve_model(state->input), state->output, dtype_from_name(state->type),
                   default_threads(), progress.watcher());
      if (program.json) {
        print_json({{"path", state->output},
                    {"type", state->type},
                    {"bytes_before", result.bytes_before},
                    {"bytes_after", result.bytes_after},
                    {"notes", result.notes}});
        return;
      }
      fmt::print("{}: {:.1f} MB -> {:.1f} MB\n", state->output,
                 static_cast<double>(result.bytes_before) * 1e-6,
                 static_cast<double>(result.bytes_after) * 1e-6);
      for (const std::string& note : result.notes) fmt::print("note: {}\n", note);
    };
  });
}

}  // namespace rung::cli
