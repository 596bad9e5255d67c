#pragma once
// The models that `rung pull NAME` knows by a short name. They are listed in models/pull.json, which is read
// without a network.
//
// The list pins the size and the SHA-256 of each model file, so it does not matter which server the bytes
// come from. A pulled model is at CACHE/NAME/FILE, where CACHE is $XDG_CACHE_HOME/rung/models or
// ~/.cache/rung/models.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "files/hub_cache.hpp"

namespace rung::cli {

/// A file of a repository on the Hugging Face hub, at a fixed commit. It has the same name there and here.
struct HubPlace {
  HubName name;
  std::string revision;
};

/// A Python package whose wheel (a zip file) contains the model file.
struct PackagePlace {
  std::string name, version;
  std::string wheel;        // file name in the package index
  std::uint64_t bytes = 0;  // of the wheel
  std::string sha256;       // of the wheel
  std::string path;         // of the model file inside the wheel
};

struct ListedModel {
  std::string name;                         // what -m and rung pull take
  std::string title, license, license_url;  // license: an SPDX identifier
  std::string card_url;                     // the model card of its authors
  std::string file;                         // its name once it is pulled
  std::uint64_t bytes = 0;
  std::string sha256;
  std::optional<HubPlace> hub;  // at least one of the two is known
  std::optional<PackagePlace> package;

  /// "SmolLM2-135M-Instruct, Apache-2.0, 98.5 MB"
  std::string summary() const;
  /// Returns the path of the file after `rung pull`. Throws Error if there is no home folder.
  std::filesystem::path pulled_path() const;
  /// Returns whether this file exists and has the right size. Its checksum was compared when it was fetched.
  bool is_pulled() const;
};

/// Reads the first pull.json in the folders of the embedded models. Returns nothing if there is none. Throws
/// Error if the file is damaged.
std::vector<ListedModel> read_pull_list();

/// Returns the model with this name, or nothing if the list does not contain it.
std::optional<ListedModel> find_listed_model(const std::string& name);

}  // namespace rung::cli
