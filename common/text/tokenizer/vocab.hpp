#pragma once
// A vocabulary as plain data, and what all tokenizers over one share: special tokens, pieces, the start
// token, the end tokens. What is left to a kind of tokenizer is the text between special tokens.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "text/tokenizer/special.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace rung {

/// The numbers are those of GGUF's tokenizer.ggml.token_type.
enum class TokenType : std::uint8_t {
  normal = 1,
  unknown = 2,
  control = 3,
  user_defined = 4,  // recognised in text like a control token, but it is text
  unused = 5,
  byte = 6,  // "<0x41>"
};

/// A token that is found in text as it stands, whatever lies around it.
struct AddedToken {
  std::int32_t id = -1;
  bool special = false;      // not text: left alone where special tokens are not to be parsed
  bool lstrip = false;       // takes the white space in front of it along
  bool rstrip = false;       // takes the white space behind it along
  bool single_word = false;  // only where no letter, digit or underscore touches it
  bool normalized = false;   // looked for in the normalized text
  bool operator==(const AddedToken&) const = default;
};

struct Vocab {
  std::string source;  // the file, for the sentences of errors
  std::vector<std::string> tokens;
  std::vector<TokenType> types;  // one per token
  std::int32_t bos = -1;         // -1: none, here and below
  std::int32_t eos = -1;
  std::int32_t unknown = -1;
  bool add_bos = false;
  bool add_eos = false;
  std::vector<std::int32_t> before, after;  // what stands around a text; empty: as add_bos and add_eos say
  std::vector<AddedToken> added;            // found in text; empty: as their types say
  bool added_from_types = true;             // false: those in `added` and no others
  std::vector<std::int32_t> ends;           // more tokens that end generation (end of turn)
  TokenRoles roles;                         // tokens by the names that chat templates know them by
  /// Which tokens are the model's own, where a file tells them from those that were added to it: the model
  /// finds no others in a text. Empty where a file has one list for both; then types decide.
  std::vector<bool> of_model;

  int size() const { return static_cast<int>(tokens.size()); }
  TokenType type(std::int32_t id) const { return types[static_cast<std::size_t>(id)]; }
  const std::string& token(std::int32_t id) const { return tokens[static_cast<std::size_t>(id)]; }
  /// Whether the model may make words of this token.
  bool makes_words(std::int32_t id) const;
  /// Of every token, whether the model must leave it alone in a text whose special tokens are text. Empty
  /// where makes_words() is false for all such tokens.
  std::vector<bool> special_words() const;
};

/// Work done by an encode() call, counted.
struct EncodeWork {
  std::uint64_t heap_pops = 0;
  std::uint64_t words = 0;         // pieces after the pre-tokenizer
  std::uint64_t cached_words = 0;  // of these, taken from the call's cache
};

class VocabTokenizer : public Tokenizer {
 public:
  std::vector<std::int32_t> encode(std::string_view text, bool add_special) const override {
    return encode(text, add_special, true);
  }
  std::vector<std::int32_t> encode(std::string_view text, bool add_special,
                                   bool parse_special) const override {
    EncodeWork work;
    return encode_counted(text, add_special, parse_special, work);
  }
  /// encode() that also says how much it had to do.
  std::vector<std::int32_t> encode_counted(std::string_view text, bool add_special, bool parse_special,
                                           EncodeWork& work) const;

  int vocab_size() const override { return vocab_.size(); }
  int text_vocab_size() const override;
  std::int32_t bos() const override { return vocab_.bos; }
  std::int32_t eos() const override { return vocab_.eos; }
  bool adds_bos() const override {
    return vocab_.bos >= 0 && !vocab_.before.empty() && vocab_.before.front() == vocab_.bos;
  }
  bool is_end(std::int32_t id) const override { return ends_.count(id) > 0; }
  TokenRoles roles() const override { return vocab_.roles; }
  /// What the tokenizer was made from, completed: `before`, `after` and `added` are written out.
  const Vocab& vocab() const { return vocab_; }

 protected:
  /// Checks the vocabulary; throws Error naming the first token or id that cannot be.
  explicit VocabTokenizer(Vocab vocab);

  /// The text as the model wants to see it, in `buffer` unless it is `text` itself. Special tokens are
  /// looked for before; those that say so, behind it. removed_front is set when the first character went.
  virtual std::string_view normalized(std::string_view text, std::string& buffer, bool& removed_front) const {
    (void)buffer, (void)removed_front;
    return text;
  }
  /// Appends the ids of a normalized text between added tokens. `first`: nothing came before it. `specials`:
  /// whether the model may make special tokens of it that are in its vocabulary.
  virtual void encode_text(std::string_view text, bool first, bool specials, std::vector<std::int32_t>& ids,
                           EncodeWork& work) const = 0;

  /// Throws Error for an id outside the vocabulary.
  void check_id(std::int32_t id) const;

  /// To be called when normalized() can be: enters the added tokens that are looked for in such text.
  void add_normalized_tokens();

  const Vocab vocab_;

 private:
  template <class Piece>
  void split_specials(const SpecialMatcher& matcher, std::string_view text, bool parse_special,
                      std::vector<std::int32_t>& ids, Piece&& piece) const;
  std::unordered_set<std::int32_t> ends_;
  std::unordered_map<std::int32_t, AddedToken> added_;
  SpecialMatcher specials_;             // in the text as it stands
  SpecialMatcher normalized_specials_;  // in the normalized text
};

}  // namespace rung
