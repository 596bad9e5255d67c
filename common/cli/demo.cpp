// rung demo: the embedded model continues a text twice, with the bottom rung of every ladder and with the
// default rungs, side by side.

#include <algorithm>
#include <cstdio>
#include <optional>
#include <span>

#include "cli/demo_run.hpp"
#include "core/machine.hpp"
#include "core/printable.hpp"
#include "text/utf8.hpp"

namespace rung::cli {
namespace {

constexpr const char* kPrompt = "Once upon a time";
constexpr int kTokens = 100;
constexpr const char* kMark = "\u00BB";  // », where the texts begin to differ
// The text is sampled because small models repeat themselves with greedy decoding. The seed makes it
// repeatable.
constexpr std::uint64_t kSeed = 2;

/// Breaks `text` into lines of at most `width` characters, at spaces. Works on code points, so that no
/// character is cut.
std::vector<std::string> wrap(const std::string& text, std::size_t width) {
  std::vector<std::string> lines(1);
  std::size_t length = 0;
  std::string word;
  std::size_t word_length = 0;
  const auto put_word = [&] {
    if (length > 0 && length + word_length > width) {
      lines.emplace_back();
      length = 0;
      if (word.starts_with(' ')) word.erase(0, 1), --word_length;
    }
    lines.back() += word;
    length += word_length;
    word.clear();
    word_length = 0;
  };
  for (const char c : text) {
    if (c == ' ' || c == '\n') put_word();
    if (c == '\n') {
      lines.emplace_back();
      length = 0;
      continue;
    }
    word += c;
    if ((c & 0xc0) != 0x80) ++word_length;
  }
  put_word();
  return lines;
}

std::size_t characters(const std::string& text) {
  std::size_t n = 0;
  for (const char c : text) n += (c & 0xc0) != 0x80;
  return n;
}

void print_columns(const std::vector<std::string>& left, const std::vector<std::string>& right,
                   std::size_t width) {
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    const std::string l = i < left.size() ? left[i] : "";
    fmt::print("{}{} | {}\n", l, std::string(width - std::min(width, characters(l)), ' '),
               i < right.size() ? right[i] : "");
  }
}

std::vector<std::string> summary(const GenerateReport& run) {
  const EngineMemory& memory = run.memory.engine;
  const auto mb = [](std::size_t bytes) {
    return fmt::format("{:.1f} MB", static_cast<double>(bytes) * 1e-6);
  };
  std::vector<std::string> lines;
  const auto add = [&](const std::string& name, const std::string& value) {
    lines.push_back(fmt::format("{:<20} {}", name, value));
  };
  for (const auto& [seam, rung] : run.rungs) add(seam, rung);
  add("decode", fmt::format("{:.1f} tok/s", run.timings.decode_tok_s));
  add("time to first token", fmt::format("{:.2f} ms", run.timings.ttft_s * 1e3));
  add("weights (mapped)", mb(memory.weights_bytes));
  add("KV cache", mb(memory.kv_bytes));
  add("workspace", mb(memory.workspace_bytes));
  add("peak RSS", mb(run.memory.peak_rss_bytes));
  return lines;
}

/// The first difference of two runs, in their tokens and in their texts.
struct Parting {
  std::size_t token = 0;    // counted from 0
  std::string left, right;  // the text of that token in each run; empty if the run has ended before it
  std::size_t same = 0;     // length of the texts' common prefix in bytes
};

/// REQUIRES: the runs have different tokens.
Parting parting(const GenerateReport& left, const GenerateReport& right, const Tokenizer& tokenizer) {
  const std::vector<std::int32_t>&a = left.token_ids, &b = right.token_ids;
  Parting found;
  const auto [at, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  found.token = static_cast<std::size_t>(at - a.begin());
  if (at != a.end()) found.left = utf8_repaired(tokenizer.decode(std::span(&*at, 1)));
  if (other != b.end()) found.right = utf8_repaired(tokenizer.decode(std::span(&*other, 1)));
  found.same = utf8_common_prefix(left.text, right.text);
  return found;
}

std::string continuation(const std::string& token) {
  return token.empty() ? "end there" : fmt::format("continue with \"{}\"", printable(token));
}

struct DemoCommand {
  std::string model, prompt = kPrompt;
  int tokens = kTokens;
  bool exact = false;

  GenerateReport run_preset(const std::string& preset) const {
    GenerateOptions options;
    options.run.model = model;
    options.run.preset = preset;
    options.sampling.temperature = 0.7f;
    options.sampling.top_p = 0.9f;
    options.sampling.seed = kSeed;
    options.max_tokens = tokens;
    options.ignore_end = true;
    GenerateReport report = run_generate_in_child(options, prompt);
    check_interrupted();
    return report;
  }

  void execute(bool json) const {
    if (!json) fmt::print("{}\n\n\"{}\" continued by {} tokens:\n\n", machine_name(), prompt, tokens);
    std::fflush(stdout);
    const OtherLoad others;
    const std::string preset = exact ? "exact" : "auto";
    const GenerateReport naive = run_preset("naive"), best = run_preset(preset);
    std::optional<Parting> parted;
    if (naive.token_ids != best.token_ids) {
      RunOptions options;
      options.model = model;
      parted = parting(naive, best, *options.load()->tokenizer);
    }
    const double factor = best.timings.decode_tok_s / naive.timings.decode_tok_s;
    if (json) {
      Json result = {{"prompt", prompt},
                     {"same_text", !parted},
                     {"decode_factor", factor},
                     {"other_load", others.processors()},
                     {"runs", {run_json(naive, "naive"), run_json(best, preset)}}};
      if (parted) result["first_difference"] = parted->token;
      print_json(result);
    } else {
      print(naive, best, parted, factor);
      print_note(others);
      fmt::print("Next: lesson 0, 01_challenges/one_token/README.md.\n");
    }
    if (parted && exact) {
      fail("the naive and the exact rungs wrote different texts; this is a bug; please report it");
    }
  }

  static Json run_json(const GenerateReport& report, const std::string& preset) {
    Json json = to_json(report);
    json["engine"] = preset;
    return json;
  }

  void print(const GenerateReport& naive, const GenerateReport& best, const std::optional<Parting>& parted,
             double factor) const {
    constexpr std::size_t kWidth = 50;
    const auto text_of = [&](const GenerateReport& run) {
      std::string text = run.text;
      if (parted) text.insert(parted->same, kMark);
      return wrap(text, kWidth);
    };
    const std::string line(kWidth, '-');
    print_columns({"NAIVE RUNGS"}, {exact ? "EXACT RUNGS" : "DEFAULT RUNGS"}, kWidth);
    print_columns({line}, {line}, kWidth);
    print_columns(text_of(naive), text_of(best), kWidth);
    print_columns({line}, {line}, kWidth);
    print_columns(summary(naive), summary(best), kWidth);
    fmt::print("\n");
    const char* const kind = exact ? "exact" : "default";
    if (parted) {
      fmt::print("The texts are the same up to {}, token {}: the naive rungs {}, the {} rungs {}.\n", kMark,
                 parted->token + 1, continuation(parted->left), kind, continuation(parted->right));
      if (!exact) {
        fmt::print(
            "The default rungs round keys and values, and for quantized weights also activations, to be "
            "faster."
            "\nProbabilities therefore differ a little, and this can change which of two almost equally "
            "probable "
            "tokens\nis drawn. `rung demo --exact` rounds nothing.\n");
      }
    } else {
      fmt::print("The texts are the same. ");
    }
    fmt::print("The {} rungs decode {:.1f} times as fast as the naive rungs.\n", kind, factor);
  }
};

}  // namespace

void add_demo(Command& app, Program& program) {
  Command* command = add_command(
      app, program, "demo",
      "continue one prompt with the naive rungs and with the default rungs, and show both side by side");
  const auto state = std::make_shared<DemoCommand>();
  add_model_option(*command, state->model);
  command->add_option("-p,--prompt", state->prompt, "text to continue (default: Once upon a time)");
  command->add_option("-n,--tokens", state->tokens, "number of tokens to generate")->range(1);
  command->add_flag(
      "--exact", state->exact,
      "compare the naive rungs with the fastest rungs that avoid rounding; both generate the same text");
  command->callback([&program, state] { program.run = [&program, state] { state->execute(program.json); }; });
}

}  // namespace rung::cli
