#pragma once
// A vocabulary as plain data, and the functions that all tokenizers with a vocabulary share: special tokens,
// pieces, the start token and the end tokens. Each kind of tokenizer only encodes the text between special
// tokens.

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

/// The type of a token, with the numbers of GGUF's tokenizer.ggml.token_type.
enum class TokenType : std::uint8_t {
  normal = 1,
  unknown = 2,
  control = 3,
  user_defined = 4,  // recognized in text like a control token, but stands for text
  unused = 5,
  byte = 6,  // "<0x41>"
};

/// A token that is found in a text literally, independent of the text around it.
struct AddedToken {
  std::int32_t id = -1;
  bool special = false;      // no text; not recognized if special tokens are not parsed
  bool lstrip = false;       // includes the white space before it
  bool rstrip = false;       // includes the white space after it
  bool single_word = false;  // only if no letter, digit or underscore is next to it
  bool normalized = false;   // searched in the normalized text
  bool operator==(const AddedToken&) const = default;
};

struct Vocab {
  std::string source;  // the file, for error messages
  std::vector<std::string> tokens;
  std::vector<TokenType> types;  // one per token
  std::int32_t bos = -1;         // -1: none, here and below
  std::int32_t eos = -1;
  std::int32_t unknown = -1;
  bool add_bos = false;
  bool add_eos = false;
  /// Tokens before and after a text; empty: according to add_bos and add_eos.
  std::vector<std::int32_t> before, after;
  std::vector<AddedToken> added;   // tokens that are found in text; empty: according to their types
  bool added_from_types = true;    // false: only those in `added`
  std::vector<std::int32_t> ends;  // further tokens that end generation (end of turn)
  TokenRoles roles;                // tokens, by the names that chat templates use for them
  /// The tokens of the model itself, if a file distinguishes them from added tokens. The model finds no
  /// others in a text. Empty if a file has one list for both; the types then decide.
  std::vector<bool> of_model;

  int size() const { return static_cast<int>(tokens.size()); }
  TokenType type(std::int32_t id) const { return types[static_cast<std::size_t>(id)]; }
  const std::string& token(std::int32_t id) const { return tokens[static_cast<std::size_t>(id)]; }
  /// Returns whether the model can produce this token from a word.
  bool makes_words(std::int32_t id) const;
  /// Returns, for every token, whether the model must not produce it in a text whose special tokens are
  /// ordinary text. Empty if makes_words() is false for all such tokens.
  std::vector<bool> special_words() const;
};

/// Counts the work of an encode() call.
struct EncodeWork {
  std::uint64_t heap_pops = 0;
  std::uint64_t words = 0;         // pieces after the pre-tokenizer
  std::uint64_t cached_words = 0;  // those of them that were taken from the call's cache
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
  /// Does the same as encode(), and also reports how much work it was.
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
  /// Returns the complete description of the tokenizer, with `before`, `after` and `added` filled in.
  const Vocab& vocab() const { return vocab_; }

 protected:
  /// Checks the vocabulary. Throws Error, which names the first invalid token or id.
  explicit VocabTokenizer(Vocab vocab);

  /// Returns the text in the form that the model needs. The result is stored in `buffer` unless it is `text`
  /// itself. Special tokens are found before this step, except those that are searched in the normalized
  /// text. Sets removed_front if the first character was removed.
  virtual std::string_view normalized(std::string_view text, std::string& buffer, bool& removed_front) const {
    (void)buffer, (void)removed_front;
    return text;
  }
  /// Appends the ids of a normalized text between added tokens. `first` says that nothing precedes the text.
  /// `specials` says whether the model can produce special tokens that are in its vocabulary.
  virtual void encode_text(std::string_view text, bool first, bool specials, std::vector<std::int32_t>& ids,
                           EncodeWork& work) const = 0;

  /// Throws Error for an id outside the vocabulary.
  void check_id(std::int32_t id) const;

  /// Registers the added tokens that are searched in normalized text. Call it as soon as normalized() can be
  /// called.
  void add_normalized_tokens();

  const Vocab vocab_;

 private:
  template <class Piece>
  void split_specials(const SpecialMatcher& matcher, std::string_view text, bool parse_special,
                      std::vector<std::int32_t>& ids, Piece&& piece) const;
  std::unordered_set<std::int32_t> ends_;
  std::unordered_map<std::int32_t, AddedToken> added_;
  SpecialMatcher specials_;             // in the unchanged text
  SpecialMatcher normalized_specials_;  // in the normalized text
};

}  // namespace rung
