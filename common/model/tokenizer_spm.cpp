// SentencePiece-style BPE.

#include "model/tokenizer_spm.hpp"

#include <cmath>

#include "core/error.hpp"
#include "model/tokenizer_cache.hpp"
#include "model/tokenizer_utf8.hpp"

namespace rung {
namespace {

constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581, SentencePiece's visible space

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  result.reserve(text.size() + text.size() / 2);
  while (true) {
    const std::size_t at = text.find(from);
    result += text.substr(0, at);
    if (at == std::string_view::npos) return result;
    result += to;
    text.remove_prefix(at + from.size());
  }
}

/// The byte that "<0x41>" names; -1 for any other text.
int named_byte(std::string_view token) {
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return -1;
  int byte = 0;
  for (const char c : token.substr(3, 2)) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return -1;
    byte = 16 * byte + digit;
  }
  return byte;
}

/// Where the word that begins at text[at] ends: in front of the next U+2581 that follows something else.
std::size_t word_end(std::string_view text, std::size_t at) {
  while (text.substr(at, kSpace.size()) == kSpace) at += kSpace.size();
  return std::min(text.find(kSpace, at), text.size());
}

}  // namespace

SpmTokenizer::SpmTokenizer(SpmVocab vocab)
    : VocabTokenizer(vocab), scores_(std::move(vocab.scores)), space_prefix_(vocab.space_prefix) {
  if (vocab.merges) {
    pairs_ = make_pair_table(vocab_, *vocab.merges);
  } else if (scores_.size() != vocab_.tokens.size()) {
    fail("{}: the vocabulary has {} tokens but {} scores; both arrays must have one entry per token",
         vocab_.source, vocab_.tokens.size(), scores_.size());
  }
  byte_ids_.fill(-1);
  int bytes = 0;
  for (std::int32_t id = 0; id < vocab_.size(); ++id) {
    const std::string& token = vocab_.token(id);
    const TokenType type = vocab_.type(id);
    if (!pairs_ && std::isnan(scores_[static_cast<std::size_t>(id)])) {
      fail("{}: the score of token {} is not a number", vocab_.source, id);
    }
    if (type == TokenType::byte) {
      const int byte = named_byte(token);
      if (byte < 0) {
        fail("{}: token {} is of type 6 (byte), but its text is \"{}\" and not of the form <0x41>",
             vocab_.source, id, utf8_repaired(token));
      }
      byte_ids_[static_cast<std::size_t>(byte)] = id;
      ++bytes;
      set_piece(id, std::string(1, static_cast<char>(byte)));
    } else if (type == TokenType::normal || type == TokenType::user_defined) {
      set_piece(id, replaced(token, kSpace, " "));
    } else if (type == TokenType::unknown) {
      set_piece(id, std::string(kReplacementCharacter));
    }
    if (find_text(token) == id && word_end(token, 0) != token.size()) spaces_begin_words_ = false;
  }
  if (bytes != 0 && bytes != 256) {
    fail("{}: the vocabulary has tokens for {} of the 256 bytes; it needs all of them or none", vocab_.source,
         bytes);
  }
  if (bytes == 0 && vocab_.unknown < 0) {
    fail("{}: the vocabulary has neither byte tokens (<0x00> to <0xFF>) nor an unknown token", vocab_.source);
  }
}

std::string SpmTokenizer::describe() const {
  return fmt::format("SentencePiece-style BPE, {} tokens", vocab_.size());
}

void SpmTokenizer::encode_text(std::string_view text, bool first, std::vector<std::int32_t>& ids,
                               EncodeWork& work) const {
  const bool here = first || space_prefix_ != SpacePrefix::first_unless_space;
  const bool has_space = text.front() == ' ' || text.substr(0, kSpace.size()) == kSpace;
  const bool prefix =
      space_prefix_ == SpacePrefix::every_text || (space_prefix_ != SpacePrefix::none && here && !has_space);
  const std::string visible = (prefix ? std::string(kSpace) : std::string()) + replaced(text, " ", kSpace);
  MergeScratch scratch;
  WordCache cache;
  const std::string_view all = visible;
  for (std::size_t at = 0; at < all.size();) {
    // Merges never cross the border of a word unless some token does.
    const std::size_t end = spaces_begin_words_ ? word_end(all, at) : all.size();
    const std::string_view word = all.substr(at, end - at);
    const std::size_t begin = ids.size();
    ++work.words;
    if (cache.repeat(word, ids)) {
      ++work.cached_words;
    } else {
      encode_word(word, scratch, ids);
      cache.remember(word, begin, ids);
    }
    at = end;
  }
  work.heap_pops += scratch.pops;
}

void SpmTokenizer::encode_word(std::string_view word, MergeScratch& scratch,
                               std::vector<std::int32_t>& ids) const {
  auto& symbols = scratch.symbols;
  symbols.clear();
  for (std::size_t at = 0; at < word.size();) {
    const Utf8Step step = utf8_next(word, at);
    // An invalid byte is a symbol of its own that no token contains.
    const std::size_t length = step.kind == Utf8Step::Kind::character ? step.length : 1;
    symbols.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(length),
                       find_text(word.substr(at, length))});
    at += length;
  }
  if (pairs_) {
    merge_symbols(scratch, [this](const MergeSymbol& left, const MergeSymbol& right) -> MergeResult {
      if (left.id < 0 || right.id < 0) return {};
      const PairTable::Entry* pair = pairs_->find(left.id, right.id);
      return pair == nullptr ? MergeResult{} : MergeResult{static_cast<double>(pair->rank), pair->id};
    });
  } else {
    merge_symbols(scratch, [&](const MergeSymbol& left, const MergeSymbol& right) -> MergeResult {
      const std::int32_t id = find_text(word.substr(left.begin, left.length + right.length));
      return id < 0 ? MergeResult{} : MergeResult{-double{scores_[static_cast<std::size_t>(id)]}, id};
    });
  }
  bool after_unknown = false;
  for (const MergeSymbol& symbol : symbols) {
    if (symbol.length == 0) continue;
    const bool unknown = symbol.id < 0 && byte_ids_[0] < 0;
    if (symbol.id >= 0) {
      ids.push_back(symbol.id);
    } else if (!unknown) {
      for (const char c : word.substr(symbol.begin, symbol.length)) {
        ids.push_back(byte_ids_[static_cast<unsigned char>(c)]);
      }
    } else if (!after_unknown) {  // one unknown token for a run of unknown characters
      ids.push_back(vocab_.unknown);
    }
    after_unknown = unknown;
  }
}

std::string SpmTokenizer::decode(std::span<const std::int32_t> ids) const {
  std::string text;
  bool at_start = space_prefix_ != SpacePrefix::none;
  for (const std::int32_t id : ids) {
    check_id(id);
    const std::string& piece = piece_ref(id);
    const TokenType type = vocab_.type(id);
    if (type == TokenType::control || type == TokenType::user_defined) {
      text += piece;
      at_start = space_prefix_ == SpacePrefix::every_text || (at_start && type == TokenType::control) ||
                 space_prefix_ == SpacePrefix::every_text_unless_space;
      continue;
    }
    text.append(piece, at_start && !piece.empty() && piece.front() == ' ' ? 1 : 0);
    at_start = false;
  }
  return text;
}

}  // namespace rung
