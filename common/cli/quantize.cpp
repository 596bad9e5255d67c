// rung quantize: writes a GGUF file with the matrices of a model in another number format.

#include "convert/quantize.hpp"

#include <algorithm>
#include <filesystem>

#include "catalog/quantizers.hpp"
#include "catalog/variants.hpp"
#include "cli/cli.hpp"
#include "core/parallel.hpp"
#include "measure/importance.hpp"

namespace rung::cli {
namespace {

Importance measure(const std::string& model, const std::string& file, std::size_t windows) {
  TextOptions text;
  text.file = file;
  Progress progress("imatrix");
  ImportanceOptions options;
  options.max_windows = windows;
  options.progress = progress.watcher();
  Importance importance = measure_importance(model, text.read(), options);
  importance.text = file;
  return importance;
}

/// The rung of --set quantizer=NAME; no other seam has a part in this.
std::string quantizer_rung(const std::vector<std::string>& assignments) {
  constexpr std::string_view kSeam = "quantizer=";
  std::string rung = "auto";
  for (const std::string& assignment : assignments) {
    if (!assignment.starts_with(kSeam)) {
      fail_usage(
          "--set {} is not possible here; write quantizer=NAME (rung ladder quantizer lists the names)",
          assignment);
    }
    rung = assignment.substr(kSeam.size());
  }
  variants().find("quantizer").check(rung);
  return rung;
}

}  // namespace

void add_quantize(Command& app, Program& program) {
  struct State {
    std::string input, output, type, imatrix;
    std::vector<std::string> set;
    std::size_t chunks = 0;
    bool pure = false;
  };
  const auto state = std::make_shared<State>();
  Command* command = add_command(app, program, "quantize",
                                 "write a GGUF file with the matrices of a model in another number format");
  command->add_option("input", state->input, "model to quantize: a GGUF file or an embedded model")
      ->required();
  command->add_option("output", state->output, "GGUF file to write")->required();
  command->add_option("--type", state->type, "number format to write: " + quantize_target_names())
      ->required();
  command->add_flag("--pure", state->pure,
                    "with --type q2_k: use this format for every matrix instead of a mixture of formats");
  command->add_option("--imatrix", state->imatrix,
                      "file with a text that the model reads first; weights that are multiplied by large "
                      "inputs are then rounded more carefully");
  command
      ->add_option("--chunks", state->chunks,
                   "with --imatrix: read only the first N windows of 512 tokens (default: all)")
      ->range(1);
  command->add_option("--set", state->set,
                      "quantizer=NAME: the rung that searches for the scales; rung ladder quantizer lists "
                      "all (default: auto)");
  command->callback([&program, state] {
    program.run = [&program, state] {
      const std::string input = resolve_model(state->input);
      if (std::filesystem::is_directory(input)) {
        fail("'{}' is a folder; convert it to a GGUF file first with: rung convert {} FILE.gguf", input,
             state->input);
      }
      const QuantizeTarget target = quantize_target(state->type, state->pure);
      const std::string rung = quantizer_rung(state->set);
      Importance importance;
      if (!state->imatrix.empty()) {
        if (!can_quantize(variants(), rung, target.type, true)) {
          fail_usage(
              "--imatrix has no effect here, because {} is rounded by a fixed rule{}; leave it out, or "
              "choose a format with scales and a rung that weights errors",
              state->type, rung == "auto" ? "" : fmt::format(" by quantizer '{}'", rung));
        }
        importance = measure(input, state->imatrix, state->chunks);
      } else if (!can_quantize(variants(), rung, target.type, false) &&
                 can_quantize(variants(), rung, target.type, true)) {
        fail_usage(
            "quantizer '{}' weights errors by the importance of the inputs; give it a text to measure this, "
            "with --imatrix FILE",
            rung);
      }
      Progress progress("quantize");
      const QuantizeResult result =
          quantize(input, state->output, target, default_threads(), progress.watcher(),
                   state->imatrix.empty() ? nullptr : &importance, quantizer_choice(variants(), rung));
      if (program.json) {
        print_json({{"path", state->output},
                    {"type", state->type},
                    {"bytes_before", result.bytes_before},
                    {"bytes_after", result.bytes_after},
                    {"types", result.types},
                    {"quantizers", result.rungs},
                    {"weighted", result.weighted},
                    {"imatrix_tokens", importance.tokens},
                    {"notes", result.notes}});
        return;
      }
      fmt::print("{}: {:.1f} MB -> {:.1f} MB\n", state->output,
                 static_cast<double>(result.bytes_before) * 1e-6,
                 static_cast<double>(result.bytes_after) * 1e-6);
      for (const auto& [type, count] : result.types) fmt::print("  {:<8} {} tensors\n", type, count);
      for (const auto& [name, count] : result.rungs) fmt::print("  {:<8} {} matrices\n", name, count);
      if (!state->imatrix.empty()) {
        fmt::print("{} matrices were rounded according to their inputs in {} tokens of {}\n", result.weighted,
                   importance.tokens, state->imatrix);
      }
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
