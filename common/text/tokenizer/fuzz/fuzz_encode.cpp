// Fuzz target: encodes any bytes with one of the committed vocabularies. The first byte selects the
// vocabulary.

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "text/tokenizer/formats/load.hpp"
#include "text/tokenizer/fuzz/exercise_tokenizer.hpp"

using namespace rung;

namespace {

namespace fs = std::filesystem;

/// Loads every folder with a tokenizer file and every GGUF file with a vocabulary under golden/.
std::vector<std::shared_ptr<const Tokenizer>> tokenizers() {
  std::vector<fs::path> paths;
  for (const auto& entry :
       fs::recursive_directory_iterator(RUNG_FUZZ_SOURCE "/common/text/tokenizer/golden")) {
    const fs::path& path = entry.path();
    const std::string name = path.filename().string();
    if (name == "tokenizer.json" || name == "tokenizer.model") paths.push_back(path.parent_path());
    if (path.extension() == ".gguf") paths.push_back(path);
  }
  paths.emplace_back(RUNG_FUZZ_SOURCE "/models/tiny");
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  std::vector<std::shared_ptr<const Tokenizer>> result;
  for (const fs::path& path : paths) {
    auto tokenizer = load_tokenizer(path.string());
    if (tokenizer->vocab_size() > 0) result.push_back(std::move(tokenizer));  // else it has only tensors
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto all = tokenizers();
  if (size == 0) return 0;
  const Tokenizer& tokenizer = *all[data[0] % all.size()];
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  fuzz::exercise_tokenizer(tokenizer, text);  // no text is ever rejected
  return 0;
}
