// Turns the value of -m into a path: that of a file, a folder, an embedded model, or a model that `rung pull`
// has fetched.

#include <fmt/ranges.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "cli/cli.hpp"
#include "cli/pull_list.hpp"
#include "core/output_file.hpp"
#include "files/hub_cache.hpp"

namespace rung::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultModel = "tiny";

std::set<std::string> embedded_models() {
  std::set<std::string> names;
  for (const fs::path& folder : model_folders()) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
      const fs::path& path = entry.path();
      if (path.extension() == ".gguf" || fs::exists(path / "config.json", ignored))
        names.insert(path.extension() == ".gguf" ? path.stem().string() : path.filename().string());
    }
  }
  return names;
}

std::string find_pulled(const ListedModel& model) {
  if (model.is_pulled()) return model.pulled_path().string();
  std::error_code error;
  if (fs::exists(model.pulled_path(), error)) {
    fail("'{}' is damaged, because its size is not the {} bytes of the model '{}'; run: rung pull {}",
         model.pulled_path().string(), model.bytes, model.name, model.name);
  }
  fail("the model '{}' ({}) is not here yet; run: rung pull {}", model.name, model.summary(), model.name);
}

[[noreturn]] void fail_unknown(const std::string& name) {
  const std::set<std::string> embedded = embedded_models();
  std::vector<std::string> listed;
  for (const ListedModel& model : read_pull_list()) listed.push_back(model.name);
  fail(
      "there is no model '{}', because it is neither a file nor a folder; the embedded models are: {}, and "
      "rung pull fetches by name: {}",
      name,
      embedded.empty() ? "none found (set RUNG_MODELS to their folder)"
                       : fmt::format("{}", fmt::join(embedded, ", ")),
      listed.empty() ? "none" : fmt::format("{}", fmt::join(listed, ", ")));
}

std::string find_model(const std::string& name) {
  if (fs::exists(name)) return name;
  if (name.find('/') == std::string::npos) {
    for (const fs::path& folder : model_folders()) {
      for (const fs::path& candidate : {folder / (name + ".gguf"), folder / name}) {
        if (fs::exists(candidate)) return candidate.string();
      }
    }
  }
  if (const auto listed = find_listed_model(name)) return find_pulled(*listed);
  if (const auto hub_name = parse_hub_name(name)) return find_in_hub_cache(*hub_name);
  fail_unknown(name);
}

}  // namespace

std::vector<fs::path> model_folders() {
  std::vector<fs::path> folders;
  if (const char* given = std::getenv("RUNG_MODELS"); given != nullptr && *given != '\0')
    folders.emplace_back(given);
  folders.emplace_back(RUNG_MODELS_DIR);
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  folders.push_back(program.parent_path().parent_path() / "share/rung/models");
  return folders;
}

std::string resolve_model(const std::string& model) {
  const std::string path = find_model(model.empty() ? kDefaultModel : model);
  protect_input(path);
  return path;
}

}  // namespace rung::cli
