// Fuzz target: uses any bytes as tokenizer.model, which is a SentencePiece model in the protobuf format.

#include "text/tokenizer/formats/load.hpp"
#include "text/tokenizer/fuzz/exercise_tokenizer.hpp"

using namespace rung;

namespace {

struct Folder {
  fuzz::ScratchFolder folder;
  fuzz::MemoryFile model;
  Folder() { folder.link("tokenizer.model", model.path()); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Folder folder;
  folder.model.set(fuzz::text_of(data, size));
  fuzz::accepted_or_refused(
      [&] { fuzz::exercise_tokenizer(*load_tokenizer(folder.folder.path()), fuzz::kSampleText); });
  return 0;
}
