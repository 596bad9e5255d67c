#pragma once
// Byte-level BPE (GPT-2: Radford et al. 2019): text is split into words, the bytes of a word are the
// first symbols, and learned merges join them in the order in which they were learned.
//
// Tokens are written with one visible character per byte (a space is "Ġ"), so that they are valid text in
// files. Every byte has a token, so every text can be encoded and comes back exactly (some vocabularies
// lack bytes that stand in no text).

#include <array>
#include <utility>

#include "model/tokenizer_merge.hpp"
#include "model/tokenizer_pretokenize.hpp"
#include "model/tokenizer_vocab.hpp"

namespace rung {

/// Two neighbours, by id, and what they become: a hash table with open addressing.
class PairTable {
 public:
  struct Entry {
    std::uint64_t key = kEmpty;
    std::int32_t rank = -1;
    std::int32_t id = -1;
  };
  explicit PairTable(std::size_t pairs);
  /// False when the pair is there already.
  bool insert(std::int32_t left, std::int32_t right, std::int32_t rank, std::int32_t id);
  /// Null when these two do not merge.
  const Entry* find(std::int32_t left, std::int32_t right) const {
    const std::uint64_t key = make_key(left, right);
    for (std::size_t i = place(key);; i = (i + 1) & mask_) {
      if (entries_[i].key == key) return &entries_[i];
      if (entries_[i].key == kEmpty) return nullptr;
    }
  }

 private:
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};
  static std::uint64_t make_key(std::int32_t left, std::int32_t right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
  }
  std::size_t place(std::uint64_t key) const { return (key * 0x9e3779b97f4a7c15ull >> 32) & mask_; }
  std::vector<Entry> entries_;
  std::size_t mask_;
};

/// Merges as texts; the table of their ids. Throws Error for a merge whose parts or result are no tokens.
using Merges = std::vector<std::pair<std::string, std::string>>;
PairTable make_pair_table(const Vocab& vocab, const Merges& merges);

struct BpeVocab : Vocab {
  Merges merges;                      // best first
  std::vector<std::string> patterns;  // of the pre-tokenizer
  bool ignore_merges = false;         // a word that is a token is that token
};

/// The visible character that stands for a byte, in UTF-8 (GPT-2's bytes_to_unicode), and back.
const std::array<std::string, 256>& visible_bytes();
/// The bytes that a token's text stands for; the text itself where it is not written in visible bytes.
std::string from_visible_bytes(std::string_view token);

class BpeTokenizer final : public VocabTokenizer {
 public:
  /// Throws Error with one sentence for a vocabulary that cannot be used.
  explicit BpeTokenizer(BpeVocab vocab);
  std::string describe() const override;

 private:
  void encode_text(std::string_view text, bool first, std::vector<std::int32_t>& ids,
                   EncodeWork& work) const override;
  void encode_word(std::string_view word, MergeScratch& scratch, std::vector<std::int32_t>& ids) const;
  void append_byte(unsigned char byte, std::vector<std::int32_t>& ids) const;

  std::array<std::int32_t, 256> byte_ids_;  // -1: has no token
  PairTable pairs_;
  PreTokenizer pre_tokenizer_;
  std::unordered_map<std::string, std::int32_t> words_;  // by bytes; only with ignore_merges
};

}  // namespace rung
