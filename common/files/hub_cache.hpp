#pragma once
// Finds models of the Hugging Face hub in the cache that Python's huggingface_hub uses as well:
//
//   HUB/models--OWNER--NAME/blobs/HASH            the files, named by sha256 (LFS) or git's sha1
//                          /snapshots/COMMIT/FILE links to blobs, with the names of the repository
//                          /refs/main             the commit that a branch or tag was at
//
// HUB is $HF_HUB_CACHE, $HF_HOME/hub or ~/.cache/huggingface/hub. Nothing in this file uses the network.
// `rung pull` (cli/hub_download.hpp) fills the cache.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

/// The name OWNER/NAME[:FILE]. FILE is a file of the repository or a quantization such as Q4_K_M, and can be
/// empty.
struct HubName {
  std::string owner, name, file;
  std::string repository() const { return owner + "/" + name; }
  std::string text() const { return file.empty() ? repository() : repository() + ":" + file; }
};

/// Returns nothing if `text` is not such a name. Follows the hub's rules for names (letters, digits, "-",
/// "_", ".").
std::optional<HubName> parse_hub_name(std::string_view text);

/// Returns whether a name from an external source stays inside the folder in which it is placed. It must be
/// relative, without empty, "." or ".." parts, backslashes and control characters, and with at most 255 bytes
/// per part.
bool is_safe_file_name(std::string_view name);

/// The folders that the environment variables select. Throws Error if there is no home folder.
std::filesystem::path hub_home();   // $HF_HOME, else $XDG_CACHE_HOME/huggingface, else ~/.cache/huggingface
std::filesystem::path hub_cache();  // $HF_HUB_CACHE, else hub_home()/hub
std::filesystem::path hub_folder(const std::filesystem::path& cache, const HubName& name);

struct HubFile {
  std::string name;  // path inside the repository, with "/"
  std::uint64_t size = 0;
};

/// Selects the files of the model `name` from `files`. Without FILE, these are the safetensors model with its
/// configuration and tokenizer or, if there is none, the only GGUF. With FILE, it is that file, or the only
/// GGUF of that quantization. Split GGUFs come with all parts, in order.
struct HubChoice {
  std::vector<std::size_t> files;    // indices; empty if no file matches or several GGUFs match
  std::vector<std::size_t> choices;  // GGUFs (first parts) to choose from, if several match or none does
  bool folder = false;               // a Hugging Face folder instead of a GGUF
};
HubChoice choose_hub_files(const std::vector<HubFile>& files, const std::string& file);

/// Returns the path for load_model(): a GGUF or a snapshot folder. Throws Error, which names the remedy, if
/// the model was not fetched, or if several of its GGUFs were.
std::string find_in_hub_cache(const HubName& name);

}  // namespace rung
