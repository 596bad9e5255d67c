// Byte-level BPE.

#include "model/tokenizer_bpe.hpp"

#include <bit>

#include "core/error.hpp"
#include "model/tokenizer_cache.hpp"
#include "model/tokenizer_utf8.hpp"

namespace rung {

namespace {

/// Bytes that begin no character that Unicode has assigned. Vocabularies learned from text may lack them;
/// they are encoded as U+FFFD then, not as the unknown token: StarCoder names its end-of-text token as that,
/// which would end the prompt.
bool in_no_text(unsigned byte) {
  return byte == 0xC0 || byte == 0xC1 || byte == 0xF1 || byte == 0xF2 || byte >= 0xF5;
}

}  // namespace

PairTable::PairTable(std::size_t pairs)
    : entries_(std::bit_ceil(2 * pairs + 2)), mask_(entries_.size() - 1) {}

bool PairTable::insert(std::int32_t left, std::int32_t right, std::int32_t rank, std::int32_t id) {
  const std::uint64_t key = make_key(left, right);
  std::size_t i = place(key);
  while (entries_[i].key != kEmpty) {
    if (entries_[i].key == key) return false;
    i = (i + 1) & mask_;
  }
  entries_[i] = {key, rank, id};
  return true;
}

PairTable make_pair_table(const Vocab& vocab, const Merges& merges) {
  std::unordered_map<std::string_view, std::int32_t> ids;
  ids.reserve(vocab.tokens.size());
  for (std::int32_t id = 0; id < vocab.size(); ++id) ids.emplace(vocab.token(id), id);
  PairTable table(merges.size());
  std::string joined;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    joined = left + right;
    const std::string* names[] = {&left, &right, &joined};
    std::int32_t found[3];
    for (int i = 0; i < 3; ++i) {
      const auto it = ids.find(*names[i]);
      if (names[i]->empty() || it == ids.end()) {
        fail("{}: merge {} joins \"{}\" and \"{}\", but \"{}\" is not a token", vocab.source, rank,
             utf8_repaired(left), utf8_repaired(right), utf8_repaired(*names[i]));
      }
      found[i] = it->second;
    }
    // A pair that stands there twice keeps its first, better rank.
    table.insert(found[0], found[1], static_cast<std::int32_t>(rank), found[2]);
  }
  return table;
}

const std::array<std::string, 256>& visible_bytes() {
  static const std::array<std::string, 256> table = [] {
    std::array<std::string, 256> result;
    char32_t next = 256;  // bytes that are no visible Latin-1 character get the code points from here on
    for (unsigned byte = 0; byte < 256; ++byte) {
      const bool visible = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      result[byte] = utf8_encoded(visible ? byte : next++);
    }
    return result;
  }();
  return table;
}

std::string from_visible_bytes(std::string_view token) {
  static const std::unordered_map<std::string_view, char> bytes = [] {
    std::unordered_map<std::string_view, char> result;
    for (std::size_t byte = 0; byte < 256; ++byte)
      result.emplace(visible_bytes()[byte], static_cast<char>(byte));
    return result;
  }();
  std::string text;
  for (std::size_t at = 0; at < token.size();) {
    const std::size_t length = utf8_next(token, at).length;
    const auto found = bytes.find(token.substr(at, length));
    if (found == bytes.end()) return std::string(token);
    text += found->second;
    at += length;
  }
  return text;
}

BpeTokenizer::BpeTokenizer(BpeVocab vocab)
    : VocabTokenizer(vocab),
      pairs_(make_pair_table(vocab, vocab.merges)),
      pre_tokenizer_(vocab.source, std::move(vocab.patterns)) {
  for (std::int32_t id = 0; id < vocab_.size(); ++id) {
    switch (vocab_.type(id)) {
      case TokenType::normal:
        set_piece(id, from_visible_bytes(vocab_.token(id)));
        if (vocab.ignore_merges) words_.try_emplace(piece_ref(id), id);
        break;
      case TokenType::user_defined:  // written as it is, spaces and all
        set_piece(id, vocab_.token(id));
        break;
      case TokenType::unknown:
        set_piece(id, std::string(kReplacementCharacter));
        break;
      case TokenType::byte:
        fail("{}: token {} is of type 6 (byte), which a byte-level vocabulary cannot have", vocab_.source,
             id);
      case TokenType::control:
      case TokenType::unused:
        break;
    }
  }
  for (unsigned byte = 0; byte < 256; ++byte) {
    byte_ids_[byte] = find_text(visible_bytes()[byte]);
    if (byte_ids_[byte] < 0 && vocab_.unknown < 0 && !in_no_text(byte)) {
      fail(
          "{}: the vocabulary has no token for byte 0x{:02X} (\"{}\") and no unknown token to put in its "
          "place",
          vocab_.source, byte, visible_bytes()[byte]);
    }
  }
}

std::string BpeTokenizer::describe() const { return fmt::format("byte-level BPE, {} tokens", vocab_.size()); }

void BpeTokenizer::append_byte(unsigned char byte, std::vector<std::int32_t>& ids) const {
  if (byte_ids_[byte] >= 0) {
    ids.push_back(byte_ids_[byte]);
  } else if (in_no_text(byte)) {
    for (const char c : kReplacementCharacter) {
      const std::int32_t id = byte_ids_[static_cast<unsigned char>(c)];
      ids.push_back(id >= 0 ? id : vocab_.unknown);
    }
  } else {
    ids.push_back(vocab_.unknown);
  }
}

void BpeTokenizer::encode_text(std::string_view text, bool /*first*/, std::vector<std::int32_t>& ids,
                               EncodeWork& work) const {
  MergeScratch scratch;
  WordCache cache;
  const auto word = [&](std::string_view piece) {
    ++work.words;
    const std::size_t begin = ids.size();
    if (cache.repeat(piece, ids)) {
      ++work.cached_words;
      return;
    }
    encode_word(piece, scratch, ids);
    cache.remember(piece, begin, ids);
  };
  // The patterns need valid UTF-8; bytes in between become tokens one by one.
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t valid = utf8_valid_length(text, at);
    pre_tokenizer_.split(text.substr(at, valid), word);
    at += valid;
    if (at == text.size()) break;
    const std::size_t broken = utf8_next(text, at).length;
    for (std::size_t i = 0; i < broken; ++i) append_byte(static_cast<unsigned char>(text[at + i]), ids);
    at += broken;
  }
  work.heap_pops += scratch.pops;
}

void BpeTokenizer::encode_word(std::string_view word, MergeScratch& scratch,
                               std::vector<std::int32_t>& ids) const {
  if (!words_.empty()) {
    const auto found = words_.find(std::string(word));
    if (found != words_.end()) {
      ids.push_back(found->second);
      return;
    }
  }
  auto& symbols = scratch.symbols;
  symbols.clear();
  for (std::size_t i = 0; i < word.size(); ++i) {
    symbols.push_back({static_cast<std::uint32_t>(i), 1, byte_ids_[static_cast<unsigned char>(word[i])]});
  }
  merge_symbols(scratch, [this](const MergeSymbol& left, const MergeSymbol& right) -> MergeResult {
    if (left.id < 0 || right.id < 0) return {};
    const PairTable::Entry* pair = pairs_.find(left.id, right.id);
    return pair == nullptr ? MergeResult{} : MergeResult{static_cast<double>(pair->rank), pair->id};
  });
  for (const MergeSymbol& symbol : symbols) {
    if (symbol.length == 0) continue;
    if (symbol.id >= 0) {
      ids.push_back(symbol.id);
    } else {
      append_byte(static_cast<unsigned char>(word[symbol.begin]), ids);
    }
  }
}

}  // namespace rung
