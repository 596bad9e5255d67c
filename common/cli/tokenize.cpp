// rung tokenize, rung detokenize: convert a text to token ids and back.

#include "catalog/variants.hpp"
#include "cli/cli.hpp"
#include "engine/resolve.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "text/utf8.hpp"

namespace rung::cli {

void add_tokenize(Command& app, Program& program) {
  struct State {
    std::string model;
    TextOptions text;
    bool no_bos = false, no_special = false;
    std::vector<std::string> set;
    std::vector<std::int32_t> ids;
  };
  const auto state = std::make_shared<State>();

  Command* tokenize = add_command(app, program, "tokenize", "print the token ids of a text as a JSON array");
  add_model_option(*tokenize, state->model);
  state->text.add_to(*tokenize, true);
  tokenize->add_flag("--no-bos", state->no_bos, "do not put the model's start token before the text");
  tokenize->add_flag("--no-special", state->no_special,
                     "treat special tokens that are written in the text as ordinary text");
  tokenize
      ->add_option("--set", state->set,
                   "tokenization=NAME: the rung of the seam tokenization (default: auto)")
      ->single();
  tokenize->callback([&program, state] {
    program.threads = false;
    program.run = [state] {
      auto tokenizer = load_tokenizer(resolve_model(state->model));
      RunOptions rungs;  // for its reading of SEAM=NAME
      rungs.set = state->set;
      const EngineConfig config = rungs.config();
      for (const auto& [seam, rung] : config.rungs) {
        if (seam != "tokenization")
          fail_usage(
              "--set {}={} names a seam that this command does not have; only tokenization is possible", seam,
              rung);
        tokenizer = with_rung(variants(), rung, tokenizer);
      }
      fmt::print("{}\n",
                 Json(tokenizer->encode(state->text.read(), !state->no_bos, !state->no_special)).dump());
    };
  });

  Command* detokenize = add_command(app, program, "detokenize", "print the text that token ids stand for");
  add_model_option(*detokenize, state->model);
  detokenize->add_option("ids", state->ids, "token ids, separated by spaces")->required();
  detokenize->callback([&program, state] {
    program.threads = false;
    program.run = [&program, state] {
      const auto tokenizer = load_tokenizer(resolve_model(state->model));
      for (const std::int32_t id : state->ids) {
        if (id < 0 || id >= tokenizer->vocab_size()) {
          fail_usage("token {} is outside the vocabulary, which has ids 0 to {}", id,
                     tokenizer->vocab_size() - 1);
        }
      }
      const std::string text = utf8_repaired(tokenizer->decode(state->ids));
      if (program.json) {
        print_json({{"text", text}});
      } else {
        fmt::print("{}\n", text);
      }
    };
  });
}

}  // namespace rung::cli
