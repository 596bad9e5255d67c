// Fuzz target: uses the bytes up to a zero byte as tokenizer.json, and the rest as a text to encode.

#include "text/tokenizer/formats/load.hpp"
#include "text/tokenizer/fuzz/exercise_tokenizer.hpp"

using namespace rung;

namespace {

struct Folder {
  fuzz::ScratchFolder folder;
  fuzz::MemoryFile json;
  Folder() { folder.link("tokenizer.json", json.path()); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Folder folder;
  const std::string_view all = fuzz::text_of(data, size);
  const std::size_t end = std::min(all.find('\0'), all.size());
  folder.json.set(all.substr(0, end));
  const std::string_view text = end == all.size() ? fuzz::kSampleText : all.substr(end + 1);
  fuzz::accepted_or_refused([&] { fuzz::exercise_tokenizer(*load_tokenizer(folder.folder.path()), text); });
  return 0;
}
