// A model that comes without a tokenizer: it runs on token ids, and says so when a text is asked for.

#include "core/error.hpp"
#include "text/tokenizer/formats/load.hpp"

namespace rung {
namespace {

class NoTokenizer final : public Tokenizer {
 public:
  explicit NoTokenizer(std::string source) : source_(std::move(source)) {}

  std::vector<std::int32_t> encode(std::string_view, bool) const override { refuse(); }
  std::vector<std::int32_t> encode(std::string_view, bool, bool) const override { refuse(); }
  std::string piece(std::int32_t) const override { refuse(); }
  std::string decode(std::span<const std::int32_t>) const override { refuse(); }
  int vocab_size() const override { return 0; }
  std::int32_t bos() const override { return -1; }
  std::int32_t eos() const override { return -1; }
  bool adds_bos() const override { return false; }
  bool is_end(std::int32_t) const override { return false; }
  std::string describe() const override { return "none"; }

 private:
  [[noreturn]] void refuse() const {
    fail(
        "{} has no tokenizer (a folder has it in tokenizer.json or tokenizer.model, a GGUF file in "
        "tokenizer.ggml.*), so it cannot read or write a text; rung logits --tokens takes ids",
        source_);
  }

  std::string source_;
};

}  // namespace

std::shared_ptr<const Tokenizer> no_tokenizer(std::string source) {
  return std::make_shared<NoTokenizer>(std::move(source));
}

}  // namespace rung
