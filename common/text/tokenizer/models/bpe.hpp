#pragma once
// Byte-pair encoding (Sennrich, Haddow, Birch 2016, arXiv 1508.07909) of a word.
//
// Byte-level (GPT-2: Radford et al. 2019): the bytes of a word are the first symbols, and learned merges join
// them in the order in which they were learned. Tokens are written with one visible character per byte (a
// space is "Ġ"), so that they are valid text in files. Every byte has a token, so every text can be encoded
// and decoded exactly. (Some vocabularies lack bytes that do not occur in text, or control characters.)
// Character-level (SentencePiece, the first BPE tokenizers): the characters are the first symbols. A
// character without a token becomes its bytes ("<0xC3>") if all of them have tokens, and otherwise the
// unknown token.

#include <array>
#include <optional>
#include <unordered_map>

#include "text/tokenizer/models/pairs.hpp"
#include "text/tokenizer/models/word_model.hpp"
#include "text/tokenizer/text.hpp"

namespace rung {

/// Returns the table of merges that are given as texts. `skip` is the number of bytes of every right part
/// that are removed when it is joined (continuing_subword_prefix). Throws Error for a merge whose parts or
/// result are no tokens of the model.
PairTable make_pair_table(const Vocab& vocab, const Merges& merges, std::size_t skip = 0);

struct BpeOptions {
  bool byte_level = false;
  bool ignore_merges = false;  // a word that is a token is that token
  bool fuse_unknown = false;   // a run of unknown characters is one unknown token
  bool byte_fallback = false;  // a character without a token becomes its bytes, if all of them have tokens
  bool lone_bytes = false;     // or those of its bytes that have tokens; it never becomes the unknown token
  bool freeze_user_defined = false;  // user-defined tokens are one symbol in the text and are never merged
  std::string continuing_prefix;     // before every character of a word except the first
  std::string word_suffix;           // after the last one ("</w>")
  std::string absent_unknown;        // an unknown token that the file names, but that the model does not have
};

class BpeModel final : public WordModel {
 public:
  /// Merges by rank. Throws Error for an unusable vocabulary.
  BpeModel(const Vocab& vocab, const Merges& merges, BpeOptions options);
  /// Merges by score, as SentencePiece does: two neighbors that together are a token are merged, and the
  /// token with the highest score comes first. `scores` has one score per token.
  BpeModel(const Vocab& vocab, const std::vector<float>& scores, BpeOptions options);

  void encode(std::string_view word, WordScratch& scratch, std::vector<std::int32_t>& ids) const override;
  bool encodes_all() const override { return merger_ != nullptr; }
  void encode_all(std::string_view text, std::span<const Span> words, bool specials,
                  std::vector<std::int32_t>& ids) const override;
  std::shared_ptr<const WordModel> with_merger(std::shared_ptr<const BpeMerger> merger) const override;
  bool spaces_begin_words() const override { return tables_->spaces_begin_words; }
  std::string name() const override {
    return tables_->options.byte_level ? "byte-level BPE" : "SentencePiece-style BPE";
  }

 private:
  struct Tables {
    Tables(const Vocab& vocab, BpeOptions given);
    std::string source;
    std::int32_t vocab_size;
    std::int32_t unknown;
    BpeOptions options;
    bool by_rank = true;  // false: by score
    PairTable pairs{0};
    std::optional<PairTable> text_pairs;  // without the merges that produce special tokens, if there are any
    std::vector<bool> special;            // Vocab::special_words()
    std::array<std::int32_t, 256> byte_ids;       // byte-level: the first symbols; -1: has no token
    std::array<std::int32_t, 256> named_bytes;    // "<0x41>"; -1: has no token
    std::array<std::int32_t, 128> ascii_symbols;  // characters by themselves
    std::unordered_map<std::uint32_t, std::int32_t> symbols;
    /// Characters that occur in tokens but are no tokens themselves: ids from vocab_size on
    std::vector<std::string> loose;
    std::unordered_map<std::string, std::int32_t> words;  // texts of tokens, if the options need them
    SpecialMatcher frozen;
    bool spaces_begin_words = true;

    bool may_make(std::int32_t id, bool specials) const {
      return specials || special.empty() || !special[static_cast<std::size_t>(id)];
    }
    /// Returns the symbol of a single character; -1: none.
    std::int32_t symbol_of(std::string_view character) const;
  };
  static void pairs_from_scores(const Vocab& vocab, const std::vector<float>& scores, Tables& tables);
  const PairTable& pairs(bool specials) const;
  std::int32_t whole_word(std::string_view word, bool specials) const;
  void append_symbols(std::string_view word, bool specials, std::vector<std::int32_t>& symbols) const;
  void append_loose(std::string_view word, std::vector<std::int32_t>& symbols) const;
  void append_ids(std::span<const std::int32_t> symbols, std::vector<std::int32_t>& ids) const;
  bool append_bytes(std::string_view text, std::vector<std::int32_t>& ids) const;
  void append_unknown(std::string_view text, bool& waits, std::vector<std::int32_t>& ids) const;

  std::shared_ptr<const Tables> tables_;
  std::shared_ptr<const BpeMerger> merger_;  // null: merge_word, word by word
};

/// Returns the visible character of each byte, in UTF-8 (GPT-2's bytes_to_unicode).
const std::array<std::string, 256>& visible_bytes();
/// Returns the bytes that a token's text stands for, or nothing if it is not written in visible bytes.
std::optional<std::string> bytes_of_visible(std::string_view token);
/// Does the same, but returns the text itself if it is not written in visible bytes.
std::string from_visible_bytes(std::string_view token);
/// Returns the byte that "<0x41>" names, or -1 for any other text.
int named_byte(std::string_view token);

struct BpeVocab : Vocab {
  Merges merges;                      // best first
  std::vector<std::string> patterns;  // patterns of the pre-tokenizer
  bool ignore_merges = false;
};

/// Byte-level BPE with only the patterns of a pre-tokenizer around it, as GGUF files describe it.
class BpeTokenizer final : public TextTokenizer {
 public:
  explicit BpeTokenizer(BpeVocab vocab);
};

}  // namespace rung
