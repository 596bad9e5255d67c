// rung pull: fetch a model from the Hugging Face hub into the cache that Python's tools use too.

#include "cli/cli.hpp"
#include "core/error.hpp"
#include "model/hub_cache.hpp"
#ifdef RUNG_HAS_CURL
#include "cli/hub_download.hpp"
#endif

namespace rung::cli {
namespace {

struct PullCommand {
  std::string name, revision = "main", to, endpoint;
  int retries = 5;

  void execute(bool json) const;
};

#ifdef RUNG_HAS_CURL
void PullCommand::execute(bool json) const {
  const auto parsed = parse_hub_name(name);
  if (!parsed) fail_usage("'{}' is no model of the hub; write OWNER/NAME or OWNER/NAME:FILE", name);
  PullOptions options;
  options.name = *parsed;
  options.revision = revision;
  options.to = to;
  options.endpoint = endpoint;
  options.retries = retries;
  options.note = [](const std::string& sentence) { tell("{}\n", sentence); };
  std::string shown;
  std::unique_ptr<Progress> progress;
  options.progress = [&](const std::string& file, std::uint64_t done, std::uint64_t size) {
    if (file != shown) progress = std::make_unique<Progress>(file);
    shown = file;
    progress->update(size == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(size));
  };
  const Timer timer;
  const PullResult result = pull(options);
  progress.reset();

  if (!json) {
    fmt::print("{}\n", result.path);
    return;
  }
  Json files = Json::array();
  for (const PulledFile& f : result.files) {
    files.push_back({{"name", f.name},
                     {"bytes", f.size},
                     {f.hash.size() == 64 ? "sha256" : "git_sha1", f.hash},
                     {"already_there", f.already_there},
                     {"resumed_from", f.resumed_from}});
  }
  print_json({{"model", parsed->repository()},
              {"revision", revision},
              {"commit", result.commit},
              {"path", result.path},
              {"files", files},
              {"bytes_downloaded", result.downloaded},
              {"seconds", timer.seconds()}});
}
#else
void PullCommand::execute(bool) const {
  fail(
      "this build cannot fetch '{}': libcurl or OpenSSL was absent; install libcurl4-openssl-dev and "
      "libssl-dev and "
      "build again, or fetch the model with another tool",
      name);
}
#endif

}  // namespace

void add_pull(Command& app, Program& program) {
  Command* command = add_command(app, program, "pull", "fetch a model from the Hugging Face hub");
  const auto state = std::make_shared<PullCommand>();
  command
      ->add_option("model", state->name,
                   "OWNER/NAME, or OWNER/NAME:FILE where FILE is a file or a quantisation such as Q4_K_M")
      ->required();
  command->add_option("--revision", state->revision, "branch, tag or commit (default: main)");
  command->add_option("--to", state->to, "put the files into this folder instead of the cache");
  command->add_option("--endpoint", state->endpoint,
                      "another hub (default: $HF_ENDPOINT or https://huggingface.co)");
  command
      ->add_option("--retries", state->retries, "attempts to go on after the connection broke (default: 5)")
      ->range(0, 1000);
  command->footer(
      "Without FILE: the safetensors model with its configuration and tokenizer, else the only GGUF.\n"
      "The cache is $HF_HUB_CACHE, $HF_HOME/hub or ~/.cache/huggingface/hub; afterwards -m OWNER/NAME[:FILE] "
      "works.\n"
      "Gated models need a token in $HF_TOKEN or from `hf auth login`. An interrupted download goes on when "
      "repeated.");
  command->callback([&program, state] {
    program.threads = false;
    program.run = [&program, state] { state->execute(program.json); };
  });
}

}  // namespace rung::cli
