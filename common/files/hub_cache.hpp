#pragma once
// Models of the Hugging Face hub that lie in the cache which Python's huggingface_hub shares:
//
//   HUB/models--OWNER--NAME/blobs/HASH            the files, named by sha256 (LFS) or git's sha1
//                          /snapshots/COMMIT/FILE links to blobs, with the names of the repository
//                          /refs/main             the commit that a branch or tag was at
//
// HUB is $HF_HUB_CACHE, $HF_HOME/hub or ~/.cache/huggingface/hub. Nothing here uses the network;
// `rung pull` (cli/hub_download.hpp) fills the cache.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

/// OWNER/NAME[:FILE]. FILE is a file of the repository or a quantisation such as Q4_K_M; may be empty.
struct HubName {
  std::string owner, name, file;
  std::string repository() const { return owner + "/" + name; }
  std::string text() const { return file.empty() ? repository() : repository() + ":" + file; }
};

/// None when `text` is no such name; the hub's rules for names are kept (letters, digits, "-", "_", ".").
std::optional<HubName> parse_hub_name(std::string_view text);

/// Whether a name that came from elsewhere stays inside the folder it is put into: relative, no empty, "." or
/// ".." part, no backslash, no control character, at most 255 bytes per part.
bool is_safe_file_name(std::string_view name);

/// The part of the environment that says where things are. Throws Error when there is no home folder.
std::filesystem::path hub_home();   // $HF_HOME, else $XDG_CACHE_HOME/huggingface, else ~/.cache/huggingface
std::filesystem::path hub_cache();  // $HF_HUB_CACHE, else hub_home()/hub
std::filesystem::path hub_folder(const std::filesystem::path& cache, const HubName& name);

struct HubFile {
  std::string name;  // inside the repository, with "/"
  std::uint64_t size = 0;
};

/// Which of `files` make up the model that `name` asks for. Without FILE: the safetensors model with its
/// configuration and tokenizer; where there is none, the only GGUF. With FILE: that file, or the only GGUF
/// of that quantisation; split GGUFs come with all parts, in order.
struct HubChoice {
  std::vector<std::size_t> files;  // indices; empty when nothing fits or several GGUFs do
  std::vector<std::size_t>
      choices;          // GGUFs (first parts) to choose from, when there are several or none fits
  bool folder = false;  // a Hugging Face folder rather than a GGUF
};
HubChoice choose_hub_files(const std::vector<HubFile>& files, const std::string& file);

/// The path to give to load_model(): a GGUF or a snapshot folder. Throws Error with the remedy when the
/// model was not pulled, or when several GGUFs of it were.
std::string find_in_hub_cache(const HubName& name);

}  // namespace rung
