// rung demo: the embedded model writes a text twice, once with the bottom rung of every ladder and once with
// those that are the default, side by side.

#include <algorithm>
#include <cstdio>
#include <optional>
#include <span>

#include "cli/run_generate.hpp"
#include "core/machine.hpp"
#include "core/printable.hpp"
#include "text/utf8.hpp"

namespace rung::cli {
namespace {

constexpr const char* kPrompt = "Once upon a time";
constexpr int kTokens = 100;
constexpr const char* kMark = "\u00BB";  // », where two texts part
constexpr std::uint64_t kSeed =
    2;  // sampled, because small models repeat themselves when greedy; a seed repeats on any rung

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

std::vector<std::string> summary(const Json& run) {
  const auto& timings = run["timings"];
  const auto& memory = run["memory"];
  const double mb = 1e-6;
  std::vector<std::string> lines;
  for (const auto& [seam, rung] : run["rungs"].items())
    lines.push_back(fmt::format("{:<20} {}", seam, rung.get<std::string>()));
  lines.push_back(fmt::format("{:<20} {:.1f} tok/s", "decode", timings["decode_tok_s"].get<double>()));
  lines.push_back(
      fmt::format("{:<20} {:.2f} ms", "time to first token", timings["ttft_s"].get<double>() * 1e3));
  lines.push_back(
      fmt::format("{:<20} {:.1f} MB", "weights (mapped)", memory["weights_bytes"].get<double>() * mb));
  lines.push_back(fmt::format("{:<20} {:.1f} MB", "KV cache", memory["kv_bytes"].get<double>() * mb));
  lines.push_back(fmt::format("{:<20} {:.1f} MB", "workspace", memory["workspace_bytes"].get<double>() * mb));
  lines.push_back(fmt::format("{:<20} {:.1f} MB", "peak RSS", memory["peak_rss_bytes"].get<double>() * mb));
  return lines;
}

/// Where two runs part: the first token that differs, and in the texts.
struct Parting {
  std::size_t token = 0;    // counted from 0
  std::string left, right;  // that token in each of them; empty: this one ended
  std::size_t same = 0;     // bytes of the text that both have
};

std::optional<Parting> parting(const Json& left, const Json& right, const Tokenizer& tokenizer) {
  const auto a = left["token_ids"].get<std::vector<std::int32_t>>();
  const auto b = right["token_ids"].get<std::vector<std::int32_t>>();
  if (a == b) return std::nullopt;
  Parting found;
  const auto [at, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  found.token = static_cast<std::size_t>(at - a.begin());
  if (at != a.end()) found.left = utf8_repaired(tokenizer.decode(std::span(&*at, 1)));
  if (other != b.end()) found.right = utf8_repaired(tokenizer.decode(std::span(&*other, 1)));
  const auto text = left["text"].get<std::string>(), text2 = right["text"].get<std::string>();
  found.same = utf8_common_prefix(text, text2);
  return found;
}

std::string continuation(const std::string& token) {
  return token.empty() ? "end there" : fmt::format("continue with \"{}\"", printable(token));
}

struct DemoCommand {
  std::string model, prompt = kPrompt;
  int tokens = kTokens;
  bool exact = false;

  Json run_preset(const std::string& preset) const {
    // Each in a process of its own, so that peak RSS is its own too.
    const ChildResult child = run_in_child([&](const Begin&) {
      GenerateOptions options;
      options.run.model = model;
      options.run.preset = preset;
      options.sampling.temperature = 0.7f;
      options.sampling.top_p = 0.9f;
      options.sampling.seed = kSeed;
      options.max_tokens = tokens;
      options.ignore_end = true;
      return dump_json(run_generate(options, prompt, {}));
    });
    if (!child.failure.empty()) fail("the run with the {} rungs failed: {}", preset, child.failure);
    Json run = Json::parse(child.output);
    run["engine"] = preset;
    run["memory"]["peak_rss_bytes"] = child.peak_rss_bytes;
    check_interrupted();
    return run;
  }

  void execute(bool json) const {
    if (!json) fmt::print("{}\n\n\"{}\" continued by {} tokens:\n\n", machine_name(), prompt, tokens);
    std::fflush(stdout);
    const OtherLoad others;
    const Json naive = run_preset("naive"), best = run_preset(exact ? "exact" : "auto");
    std::optional<Parting> parted;
    if (naive["token_ids"] != best["token_ids"]) {
      RunOptions options;
      options.model = model;
      parted = parting(naive, best, *options.load()->tokenizer);
    }
    const double factor =
        best["timings"]["decode_tok_s"].get<double>() / naive["timings"]["decode_tok_s"].get<double>();
    if (json) {
      Json result = {{"prompt", prompt},
                     {"same_text", !parted},
                     {"decode_factor", factor},
                     {"other_load", others.processors()},
                     {"runs", {naive, best}}};
      if (parted) result["first_difference"] = parted->token;
      print_json(result);
    } else {
      print(naive, best, parted, factor);
      print_note(others);
      fmt::print(
          "Next: \"rung ladder\" lists all rungs, and the first lesson is "
          "03_techniques/attention/README.md.\n");
    }
    if (parted && exact) {
      fail("the naive and the exact rungs wrote different texts; this is a bug; please report it");
    }
  }

  void print(const Json& naive, const Json& best, const std::optional<Parting>& parted, double factor) const {
    constexpr std::size_t kWidth = 50;
    const auto text_of = [&](const Json& run) {
      auto text = run["text"].get<std::string>();
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
  Command* command =
      add_command(app, program, "demo",
                  "continue one prompt with the naive rungs and with the default rungs, side by side");
  const auto state = std::make_shared<DemoCommand>();
  add_model_option(*command, state->model);
  command->add_option("-p,--prompt", state->prompt, "the text to continue");
  command->add_option("-n,--tokens", state->tokens, "tokens to generate")->range(1);
  command->add_flag(
      "--exact", state->exact,
      "compare the naive rungs with the fastest rungs that round nothing; both write the same text");
  command->callback([&program, state] { program.run = [&program, state] { state->execute(program.json); }; });
}

}  // namespace rung::cli
