// Fuzz target: uses any bytes as the config.json of a Hugging Face folder whose other files are valid. The
// first byte selects one of the folders in common/model/parity/models.

#include <algorithm>
#include <memory>
#include <vector>

#include "model/model.hpp"
#include "testing/fuzz/target.hpp"

using namespace rung;

namespace {

namespace fs = std::filesystem;

struct Folder {
  fuzz::ScratchFolder folder;
  fuzz::MemoryFile config;
};

std::vector<std::unique_ptr<Folder>> folders() {
  std::vector<fs::path> models;
  for (const auto& entry : fs::directory_iterator(RUNG_FUZZ_SOURCE "/common/model/parity/models"))
    if (entry.is_directory()) models.push_back(entry.path());
  std::sort(models.begin(), models.end());
  std::vector<std::unique_ptr<Folder>> result;
  for (const fs::path& model : models) {
    auto made = std::make_unique<Folder>();
    for (const auto& file : fs::directory_iterator(model)) {
      const std::string name = file.path().filename().string();
      if (name != "config.json" && name != "golden.safetensors")
        made->folder.link(name, file.path().string());
    }
    made->folder.link("config.json", made->config.path());
    result.push_back(std::move(made));
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto all = folders();
  if (size == 0 || all.empty()) return 0;
  Folder& folder = *all[data[0] % all.size()];
  folder.config.set(fuzz::text_of(data + 1, size - 1));
  fuzz::accepted_or_refused([&] { static_cast<void>(load_model(folder.folder.path())); });
  return 0;
}
