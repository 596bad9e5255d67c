// rung quantize: a GGUF with its matrices in another number format.

#include "model/quantize.hpp"

#include <algorithm>
#include <filesystem>

#include "cli/cli.hpp"
#include "core/parallel.hpp"

namespace rung::cli {

void add_quantize(CLI::App& app, Program& program) {
  struct State {
    std::string input, output, type;
    bool pure = false;
  };
  const auto state = std::make_shared<State>();
  CLI::App* command =
      add_command(app, program, "quantize", "a GGUF with its matrices in another number format");
  command->add_option("input", state->input, "a GGUF file or an embedded model")->required();
  command->add_option("output", state->output, "the file to write")->required();
  command->add_option("--type", state->type, quantize_target_names())->required();
  command->add_flag("--pure", state->pure, "with q2_k: every matrix in that format, no mixture");
  command->callback([&program, state] {
    program.run = [&program, state] {
      const std::string input = resolve_model(state->input);
      if (std::filesystem::is_directory(input)) {
        fail("'{}' is a folder: make a GGUF file of it first, with rung convert {} FILE.gguf", input,
             state->input);
      }
      Progress progress("quantize");
      const QuantizeResult result = quantize(input, state->output, quantize_target(state->type, state->pure),
                                             default_threads(), progress.watcher());
      if (program.json) {
        print_json({{"path", state->output},
                    {"type", state->type},
                    {"bytes_before", result.bytes_before},
                    {"bytes_after", result.bytes_after},
                    {"types", result.types},
                    {"notes", result.notes}});
        return;
      }
      fmt::print("{}: {:.1f} MB -> {:.1f} MB\n", state->output,
                 static_cast<double>(result.bytes_before) * 1e-6,
                 static_cast<double>(result.bytes_after) * 1e-6);
      for (const auto& [type, count] : result.types) fmt::print("  {:<8} {} tensors\n", type, count);
      // A narrow model has the same to say about every layer.
      constexpr std::size_t kShown = 4;
      for (std::size_t i = 0; i < std::min(kShown, result.notes.size()); ++i) {
        fmt::print("note: {}\n", result.notes[i]);
      }
      if (result.notes.size() > kShown) {
        fmt::print("note: and {} more tensors; --json lists all\n", result.notes.size() - kShown);
      }
    };
  });
}

}  // namespace rung::cli
