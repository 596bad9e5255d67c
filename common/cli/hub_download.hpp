#pragma once
// Fetches a model from the Hugging Face hub, or from a server with the same interface, into the cache of
// files/hub_cache.hpp or into a folder.
//
// The server is not trusted. File names must stay inside their folder. A file gets its name only after its
// size and checksum agree with the announced ones. If the connection breaks, the received bytes stay in
// HASH.incomplete (NAME.incomplete in a folder), and the next attempt continues from there.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "files/hub_cache.hpp"

namespace rung::cli {

struct PullOptions {
  HubName name;
  std::string revision = "main";  // branch, tag or commit
  std::string to;                 // target folder; empty: the cache
  std::string endpoint;           // empty: $HF_ENDPOINT, else https://huggingface.co
  int retries = 5;                // attempts per file after the connection broke
  // Reports the progress of a file: its name, the bytes so far, and its size.
  std::function<void(const std::string& file, std::uint64_t done, std::uint64_t size)> progress;
  std::function<void(const std::string& sentence)> note;
  // The expected SHA-256 of the only file. Nothing is fetched if the hub announces another one. Empty: not
  // known.
  std::string sha256;
};

struct PulledFile {
  std::string name;
  std::uint64_t size = 0;
  std::string hash;  // SHA-256 of LFS files, git's SHA-1 of others
  bool already_there = false;
  std::uint64_t resumed_from = 0;  // bytes of an earlier attempt that were reused
};

struct PullResult {
  std::string path;  // value for the option -m
  std::string commit;
  std::vector<PulledFile> files;
  std::uint64_t downloaded = 0;  // bytes
};

/// Throws SourceError or Error: no such model, gated, not reachable, no room, wrong checksum, or
/// "interrupted".
PullResult pull(const PullOptions& options);

}  // namespace rung::cli
