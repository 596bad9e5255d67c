#pragma once
// Fetches a model from the Hugging Face hub, or a server that speaks like it, into the cache of
// files/hub_cache.hpp or into a folder.
//
// What the server says is not trusted: file names must stay inside their folder, every file must have the
// announced size and checksum, and only then gets its name. What came before a break lies in
// HASH.incomplete (NAME.incomplete in a folder) and the next attempt goes on from there.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "files/hub_cache.hpp"

namespace rung::cli {

struct PullOptions {
  HubName name;
  std::string revision = "main";  // branch, tag or commit
  std::string to;                 // a folder; empty: the cache
  std::string endpoint;           // empty: $HF_ENDPOINT, else https://huggingface.co
  int retries = 5;                // of one file, when the connection breaks
  // How far a file is: its name, bytes so far, its size.
  std::function<void(const std::string& file, std::uint64_t done, std::uint64_t size)> progress;
  std::function<void(const std::string& sentence)> note;
  // What the only file must be, where that is known beforehand: nothing is fetched when the hub announces
  // another one. Empty: not known.
  std::string sha256;
};

struct PulledFile {
  std::string name;
  std::uint64_t size = 0;
  std::string hash;  // sha256 of LFS files, git's sha1 of others
  bool already_there = false;
  std::uint64_t resumed_from = 0;  // bytes of an earlier attempt that were used
};

struct PullResult {
  std::string path;  // what -m takes
  std::string commit;
  std::vector<PulledFile> files;
  std::uint64_t downloaded = 0;  // bytes
};

/// Throws SourceError or Error with a sentence: no such model, gated, not reachable, no room, wrong checksum,
/// "interrupted".
PullResult pull(const PullOptions& options);

}  // namespace rung::cli
