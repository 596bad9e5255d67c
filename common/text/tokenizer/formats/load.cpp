#include "text/tokenizer/formats/load.hpp"

#include "files/file_bytes.hpp"

namespace rung {

std::shared_ptr<const Tokenizer> load_tokenizer(const std::string& path) {
  return is_model_folder(path) ? tokenizer_from_folder(path) : tokenizer_from_gguf(*Gguf::open(path));
}

}  // namespace rung
