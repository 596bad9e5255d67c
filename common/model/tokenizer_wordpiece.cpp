// WordPiece.

#include "model/tokenizer_wordpiece.hpp"

#include "core/error.hpp"
#include "model/tokenizer_utf8.hpp"

namespace rung {

WordPieceModel::WordPieceModel(const Vocab& vocab, WordPieceOptions options)
    : options_(std::move(options)), unknown_(vocab.unknown) {
  if (unknown_ < 0)
    fail("{}: a WordPiece vocabulary needs an unknown token, and none is named", vocab.source);
  std::vector<Trie::Key> keys;
  for (std::int32_t id = 0; id < vocab.size(); ++id) {
    const bool text = vocab.type(id) == TokenType::normal || vocab.type(id) == TokenType::user_defined;
    if (text && !vocab.token(id).empty()) keys.emplace_back(vocab.token(id), id);
  }
  trie_ = Trie(std::move(keys));
  continuing_ = trie_.find(options_.continuing_prefix);
}

void WordPieceModel::encode(std::string_view word, WordScratch& /*scratch*/,
                            std::vector<std::int32_t>& ids) const {
  if (!options_.whole_words) {
    std::size_t characters = 0;
    for (const char c : word) characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (characters > options_.max_characters) {
      ids.push_back(unknown_);
      return;
    }
  }
  const std::size_t begin = ids.size();
  for (std::size_t at = 0; at < word.size();) {
    std::uint32_t node = at == 0 ? Trie::kRoot : continuing_;
    std::size_t longest = at;
    std::int32_t id = -1;
    for (std::size_t end = at; node != Trie::kNone && end < word.size();) {
      node = trie_.child(node, word[end++]);
      if (node == Trie::kNone || trie_.value(node) < 0) continue;
      if (options_.whole_words && end < word.size()) continue;
      longest = end, id = trie_.value(node);
    }
    if (id < 0) {
      ids.resize(begin);
      ids.push_back(unknown_);
      return;
    }
    ids.push_back(id);
    at = longest;
  }
}

}  // namespace rung
