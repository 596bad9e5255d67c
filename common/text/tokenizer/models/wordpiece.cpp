// WordPiece.

#include "text/tokenizer/models/wordpiece.hpp"

#include "core/error.hpp"
#include "text/utf8.hpp"

namespace rung {

WordPieceModel::WordPieceModel(const Vocab& vocab, WordPieceOptions options)
    : source_(vocab.source), options_(std::move(options)), unknown_(vocab.unknown) {
  if (unknown_ < 0 && options_.absent_unknown.empty())
    fail("{}: a WordPiece vocabulary needs an unknown token, and none is named", vocab.source);
  std::vector<Trie::Key> keys;
  for (std::int32_t id = 0; id < vocab.size(); ++id) {
    const bool text = vocab.makes_words(id) && vocab.type(id) != TokenType::unused;
    if (text && !vocab.token(id).empty()) keys.emplace_back(vocab.token(id), id);
  }
  trie_ = Trie(std::move(keys));
  special_ = vocab.special_words();
  continuing_ = trie_.find(options_.continuing_prefix);
}

void WordPieceModel::append_unknown(std::string_view word, std::vector<std::int32_t>& ids) const {
  if (unknown_ < 0) {
    fail(
        "{}: the text has the word \"{}\", for which there is no token, and the unknown token \"{}\" is not "
        "in the model's vocabulary",
        source_, utf8_repaired(word), options_.absent_unknown);
  }
  ids.push_back(unknown_);
}

void WordPieceModel::encode(std::string_view word, WordScratch& scratch,
                            std::vector<std::int32_t>& ids) const {
  const bool all = scratch.specials || special_.empty();
  if (!options_.whole_words) {
    std::size_t characters = 0;
    for (const char c : word) characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (characters > options_.max_characters) return append_unknown(word, ids);
  }
  const std::size_t begin = ids.size();
  for (std::size_t at = 0; at < word.size();) {
    std::uint32_t node = at == 0 ? Trie::kRoot : continuing_;
    std::size_t longest = at;
    std::int32_t id = -1;
    for (std::size_t end = at; node != Trie::kNone && end < word.size();) {
      node = trie_.child(node, word[end++]);
      if (node == Trie::kNone || trie_.value(node) < 0) continue;
      if (!all && special_[static_cast<std::size_t>(trie_.value(node))]) continue;
      if (options_.whole_words && end < word.size()) continue;
      longest = end, id = trie_.value(node);
    }
    if (id < 0) {
      ids.resize(begin);
      return append_unknown(word, ids);
    }
    ids.push_back(id);
    at = longest;
  }
}

}  // namespace rung
