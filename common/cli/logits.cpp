// rung logits: writes the logits after every token to a file as float32, little-endian, [tokens, vocab], to
// compare them with those of another implementation.

#include <algorithm>
#include <bit>

#include "catalog/variants.hpp"
#include "cli/cli.hpp"
#include "core/output_file.hpp"

namespace rung::cli {
namespace {

struct LogitsCommand {
  RunOptions run;
  TextOptions prompt;
  std::vector<std::int32_t> tokens;
  std::string output;
  bool no_bos = false;

  void execute(bool json) const {
    static_assert(std::endian::native == std::endian::little, "the file format is little-endian");
    if (!tokens.empty() && (prompt.given || !prompt.file.empty()))
      fail_usage("--tokens and a text cannot be combined; give one of them");
    const auto model = run.load();
    const std::vector<std::int32_t> ids =
        tokens.empty() ? model->tokenizer->encode(prompt.read(), !no_bos) : tokens;
    EngineConfig config = run.config();
    if (config.context == 0) config.context = static_cast<int>(std::max<std::size_t>(ids.size(), 1));
    constexpr int kRowsPerStep = 128;
    config.max_step_tokens = config.max_step_outputs = kRowsPerStep;
    Engine engine(model, variants(), config);

    OutputFile out(output);
    Progress progress("logits");
    std::size_t done = 0;
    engine.logits(ids, [&](const Tensor& rows) {
      out.write(std::span(rows.ptr<std::byte>(), rows.bytes()));
      done += static_cast<std::size_t>(rows.rows);
      progress.update(static_cast<double>(done) / static_cast<double>(ids.size()));
      check_interrupted();
    });
    out.commit();
    const Json result = {
        {"tokens", ids.size()}, {"vocab", model->config.vocab_size}, {"rungs", rungs_json(engine)}};
    if (json) {
      print_json(result);
    } else {
      fmt::print("{}: float32 [{}, {}]\n", output, ids.size(), model->config.vocab_size);
    }
  }
};

}  // namespace

void add_logits(Command& app, Program& program) {
  Command* command =
      add_command(app, program, "logits", "write the logits after every token of a text to a file");
  const auto state = std::make_shared<LogitsCommand>();
  state->run.add_to(*command);
  state->prompt.add_to(*command, false);
  command->add_option("--tokens", state->tokens, "token ids, separated by commas, instead of a text")
      ->range(0)
      ->delimiter(',');
  command
      ->add_option("-o,--output", state->output,
                   "file to write: float32, little-endian, [tokens, vocabulary]")
      ->required();
  command->add_flag("--no-bos", state->no_bos, "do not put the model's start token before the text");
  command->callback([&program, state] { program.run = [&program, state] { state->execute(program.json); }; });
}

}  // namespace rung::cli
