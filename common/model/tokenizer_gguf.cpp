// tokenizer_from_gguf(): the keys tokenizer.ggml.* (github.com/ggml-org/ggml, docs/gguf.md) as a vocabulary.

#include "core/error.hpp"
#include "model/tokenizer_bpe.hpp"
#include "model/tokenizer_load.hpp"
#include "model/tokenizer_spm.hpp"

namespace rung {
namespace {

constexpr std::string_view kTokens = "tokenizer.ggml.tokens";
constexpr std::string_view kTypes = "tokenizer.ggml.token_type";
constexpr std::string_view kScores = "tokenizer.ggml.scores";
constexpr std::string_view kMerges = "tokenizer.ggml.merges";

/// The id under `key`, `otherwise` where there is none. It is checked against the vocabulary later, so
/// here only what does not fit an id is refused.
std::int32_t token_id(const Gguf& gguf, std::string_view key, std::int32_t otherwise) {
  const std::int64_t id = gguf.get_i64(key, otherwise);
  // Writers that have no such token leave the key out, or write -1 as a signed or an unsigned number.
  if (id == -1 || id == 0xFFFFFFFF) return -1;
  if (id < 0 || id > INT32_MAX) {
    fail("{}: {} is {}, which is no token of the vocabulary", gguf.path(), key, id);
  }
  return static_cast<std::int32_t>(id);
}

void read_vocab(const Gguf& gguf, Vocab& vocab) {
  vocab.source = gguf.path();
  const auto tokens = gguf.string_array(kTokens);
  const auto types = gguf.int_array(kTypes);
  vocab.tokens.assign(tokens.begin(), tokens.end());
  vocab.types.reserve(types.size());
  for (const std::int64_t type : types) {
    // Numbers that are no type become 0, which the constructor refuses with the token's id.
    vocab.types.push_back(type < 1 || type > 6 ? TokenType{} : static_cast<TokenType>(type));
  }
  vocab.bos = token_id(gguf, "tokenizer.ggml.bos_token_id", vocab.bos);
  vocab.eos = token_id(gguf, "tokenizer.ggml.eos_token_id", vocab.eos);
  vocab.unknown = token_id(gguf, "tokenizer.ggml.unknown_token_id", vocab.unknown);
  for (const std::string_view key : {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    const std::int32_t id = token_id(gguf, key, -1);
    if (id >= 0) vocab.ends.push_back(id);
  }
}

std::shared_ptr<const Tokenizer> read_spm(const Gguf& gguf) {
  SpmVocab vocab;
  vocab.bos = 1, vocab.eos = 2, vocab.unknown = 0;  // Llama's, which writers may leave out
  read_vocab(gguf, vocab);
  vocab.scores = gguf.float_array(kScores);
  vocab.add_bos = gguf.get_bool("tokenizer.ggml.add_bos_token", true);
  vocab.space_prefix =
      gguf.get_bool("tokenizer.ggml.add_space_prefix", true) ? SpacePrefix::every_text : SpacePrefix::none;
  return std::make_shared<SpmTokenizer>(std::move(vocab));
}

std::shared_ptr<const Tokenizer> read_bpe(const Gguf& gguf) {
  BpeVocab vocab;
  read_vocab(gguf, vocab);
  const PreTokenizerRow& row = find_pre_tokenizer(gguf.path(), gguf.get_string("tokenizer.ggml.pre"));
  vocab.patterns = row.patterns;
  vocab.ignore_merges = row.ignore_merges;
  vocab.add_bos = gguf.get_bool("tokenizer.ggml.add_bos_token", row.add_bos && vocab.bos >= 0);
  if (gguf.get_bool("tokenizer.ggml.add_space_prefix", false)) {
    fail("{}: tokenizer.ggml.add_space_prefix is set, which is not supported for byte-level BPE",
         gguf.path());
  }
  for (const std::string_view merge : gguf.string_array(kMerges)) {
    // One space between the parts; neither begins or ends with one, since bytes are written visibly.
    const std::size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos || space + 1 == merge.size()) {
      fail("{}: merge {} of {} is \"{}\"; expected two tokens with a space between them", gguf.path(),
           vocab.merges.size(), kMerges, merge);
    }
    vocab.merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
  }
  return std::make_shared<BpeTokenizer>(std::move(vocab));
}

}  // namespace

std::shared_ptr<const Tokenizer> tokenizer_from_gguf(const Gguf& gguf) {
  if (!gguf.has("tokenizer.ggml.model")) {
    fail("{} has no tokenizer: the key tokenizer.ggml.model is missing", gguf.path());
  }
  const std::string model = gguf.get_string("tokenizer.ggml.model");
  if (model == "llama") return read_spm(gguf);
  if (model == "gpt2") return read_bpe(gguf);
  fail(
      "{}: the tokenizer model \"{}\" is not supported; supported are llama (SentencePiece-style BPE) and "
      "gpt2 "
      "(byte-level BPE)",
      gguf.path(), model);
}

}  // namespace rung
