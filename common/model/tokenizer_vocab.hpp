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

#include "model/tokenizer.hpp"
#include "model/tokenizer_special.hpp"

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

struct Vocab {
  std::string source;  // the file, for the sentences of errors
  std::vector<std::string> tokens;
  std::vector<TokenType> types;  // one per token
  std::int32_t bos = -1;         // -1: none, here and below
  std::int32_t eos = -1;
  std::int32_t unknown = -1;
  bool add_bos = false;
  std::vector<std::int32_t> ends;  // more tokens that end generation (end of turn)

  int size() const { return static_cast<int>(tokens.size()); }
  TokenType type(std::int32_t id) const { return types[static_cast<std::size_t>(id)]; }
  const std::string& token(std::int32_t id) const { return tokens[static_cast<std::size_t>(id)]; }
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
    EncodeWork work;
    return encode_counted(text, add_special, work);
  }
  /// encode() that also says how much it had to do.
  std::vector<std::int32_t> encode_counted(std::string_view text, bool add_special, EncodeWork& work) const;

  /// Throws Error for an id outside the vocabulary.
  std::string piece(std::int32_t id) const override;
  std::string decode(std::span<const std::int32_t> ids) const override;
  int vocab_size() const override { return vocab_.size(); }
  std::int32_t bos() const override { return vocab_.bos; }
  std::int32_t eos() const override { return vocab_.eos; }
  bool adds_bos() const override { return vocab_.add_bos; }
  bool is_end(std::int32_t id) const override { return ends_.count(id) > 0; }

 protected:
  /// Checks the vocabulary; throws Error naming the first token or id that cannot be.
  explicit VocabTokenizer(Vocab vocab);

  /// Appends the ids of a text without special tokens. `first`: nothing but control tokens came before.
  virtual void encode_text(std::string_view text, bool first, std::vector<std::int32_t>& ids,
                           EncodeWork& work) const = 0;

  const std::string& piece_ref(std::int32_t id) const { return pieces_[static_cast<std::size_t>(id)]; }
  void set_piece(std::int32_t id, std::string piece) {
    pieces_[static_cast<std::size_t>(id)] = std::move(piece);
  }
  /// The id of a normal, user-defined or unused token; -1: none.
  std::int32_t find_text(std::string_view token) const {
    const auto found = id_by_text_.find(token);
    return found == id_by_text_.end() ? -1 : found->second;
  }
  void check_id(std::int32_t id) const;

  const Vocab vocab_;

 private:
  std::unordered_map<std::string_view, std::int32_t> id_by_text_;  // views of vocab_.tokens
  std::vector<std::string> pieces_;
  std::unordered_set<std::int32_t> ends_;
  SpecialMatcher specials_;
};

}  // namespace rung
