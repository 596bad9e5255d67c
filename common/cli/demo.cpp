// rung demo: the embedded model writes the same text twice, once with the bottom rung of every ladder and
// once with the best ones, side by side.

#include <algorithm>
#include <cstdio>

#include "cli/run_generate.hpp"
#include "core/machine.hpp"

namespace rung::cli {
namespace {

constexpr const char* kPrompt = "Once upon a time";
constexpr int kTokens = 100;
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

struct DemoCommand {
  std::string model, prompt = kPrompt;
  int tokens = kTokens;

  void execute(bool json) const {
    if (!json) fmt::print("{}\n\n\"{}\" continued by {} tokens:\n\n", machine_name(), prompt, tokens);
    std::fflush(stdout);
    Json runs = Json::array();
    const OtherLoad others;
    for (const char* preset : {"naive", "auto"}) {
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
      runs.push_back(std::move(run));
      check_interrupted();
    }
    const bool same = runs[0]["text"] == runs[1]["text"];
    const double factor =
        runs[1]["timings"]["decode_tok_s"].get<double>() / runs[0]["timings"]["decode_tok_s"].get<double>();
    if (json) {
      print_json({{"prompt", prompt},
                  {"same_text", same},
                  {"decode_factor", factor},
                  {"other_load", others.processors()},
                  {"runs", runs}});
    } else {
      constexpr std::size_t kWidth = 50;
      print_columns({"NAIVE RUNGS"}, {"BEST RUNGS"}, kWidth);
      print_columns({std::string(kWidth, '-')}, {std::string(kWidth, '-')}, kWidth);
      print_columns(wrap(runs[0]["text"], kWidth), wrap(runs[1]["text"], kWidth), kWidth);
      print_columns({std::string(kWidth, '-')}, {std::string(kWidth, '-')}, kWidth);
      print_columns(summary(runs[0]), summary(runs[1]), kWidth);
      fmt::print("\n{}; decode is {:.1f} times as fast.\n",
                 same ? "The texts are the same" : "THE TEXTS DIFFER", factor);
      print_note(others);
      fmt::print(
          "Next: rung ladder shows all rungs, 03_techniques/attention/README.md is the first lesson.\n");
    }
    if (!same) fail("the naive and the best rungs wrote different texts; that is a bug, please report it");
  }
};

}  // namespace

void add_demo(Command& app, Program& program) {
  Command* command =
      add_command(app, program, "demo", "the same text with the naive and with the best rungs, side by side");
  const auto state = std::make_shared<DemoCommand>();
  add_model_option(*command, state->model);
  command->add_option("-p,--prompt", state->prompt, "the text to continue");
  command->add_option("-n,--tokens", state->tokens, "tokens to generate")->range(1);
  command->callback([&program, state] { program.run = [&program, state] { state->execute(program.json); }; });
}

}  // namespace rung::cli
