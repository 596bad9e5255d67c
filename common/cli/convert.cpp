// rung convert: converts a Hugging Face folder to a GGUF file, or a GGUF file to a folder.

#include "convert/convert.hpp"

#include <filesystem>

#include "cli/cli.hpp"
#include "core/error.hpp"

namespace rung::cli {

void add_convert(Command& app, Program& program) {
  struct State {
    std::string input, output, type;
  };
  const auto state = std::make_shared<State>();
  Command* command = add_command(app, program, "convert",
                                 "convert a Hugging Face folder to a GGUF file, or a GGUF file to a folder");
  command
      ->add_option("input", state->input,
                   "model to convert: a Hugging Face folder, a GGUF file, or an embedded model")
      ->required();
  command
      ->add_option("output", state->output,
                   "file or folder to write: a name that ends in .gguf is a GGUF file, any other name a "
                   "folder with config.json and model.safetensors")
      ->required();
  command->add_option("--type", state->type,
                      "number format of the matrices, such as f32, f16 or bf16 (default: unchanged)");
  command->callback([&program, state] {
    program.run = [&program, state] {
      const std::string input = resolve_model(state->input);
      std::optional<DType> type;
      if (!state->type.empty()) type = dtype_from_name(state->type);
      Progress progress("convert");
      const bool to_gguf = state->output.ends_with(".gguf");
      const ConvertResult result = to_gguf ? convert_to_gguf(input, state->output, type, progress.watcher())
                                           : convert_to_hf(input, state->output, type, progress.watcher());
      if (program.json) {
        print_json({{"path", state->output},
                    {"format", to_gguf ? "gguf" : "hugging_face"},
                    {"tensors", result.tensors},
                    {"bytes", result.bytes},
                    {"notes", result.notes}});
        return;
      }
      fmt::print("{}: {} tensors, {:.1f} MB\n", state->output, result.tensors,
                 static_cast<double>(result.bytes) * 1e-6);
      for (const std::string& note : result.notes) fmt::print("note: {}\n", note);
    };
  });
}

}  // namespace rung::cli
