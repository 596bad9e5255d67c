// What all tokenizers over a vocabulary share.

#include "model/tokenizer_vocab.hpp"

#include <array>
#include <utility>

#include "core/error.hpp"
#include "model/tokenizer_utf8.hpp"

namespace rung {
namespace {

/// Control tokens that end a turn in the chat formats of known families; a file names one of them as EOS
/// and generation must stop at the others too.
constexpr std::array<std::string_view, 9> kEndTokens = {
    "<|endoftext|>", "<|im_end|>",    "<|eot_id|>",    "<|eom_id|>", "<|end_of_text|>",
    "<|end|>",       "<end_of_turn>", "<|endofturn|>", "<|return|>",
};

void check_special_id(const Vocab& vocab, std::string_view role, std::int32_t id) {
  if (id < -1 || id >= vocab.size()) {
    fail("{}: the {} token is {}, but the vocabulary has {} tokens (0 to {})", vocab.source, role, id,
         vocab.size(), vocab.size() - 1);
  }
}

}  // namespace

VocabTokenizer::VocabTokenizer(Vocab vocab) : vocab_(std::move(vocab)) {
  const Vocab& v = vocab_;
  if (v.tokens.empty()) fail("{}: the vocabulary has no tokens", v.source);
  if (v.types.size() != v.tokens.size()) {
    fail("{}: the vocabulary has {} tokens but {} token types; both arrays must have one entry per token",
         v.source, v.tokens.size(), v.types.size());
  }
  check_special_id(v, "start (BOS)", v.bos);
  check_special_id(v, "end (EOS)", v.eos);
  check_special_id(v, "unknown", v.unknown);
  for (const std::int32_t id : v.ends) check_special_id(v, "end of turn", id);
  if (v.add_bos && v.bos < 0) {
    fail("{}: texts are to begin with a start token, but the vocabulary names none", v.source);
  }

  pieces_.resize(v.tokens.size());
  std::unordered_map<std::string_view, std::int32_t> seen;
  seen.reserve(v.tokens.size());
  id_by_text_.reserve(v.tokens.size());
  for (std::int32_t id = 0; id < v.size(); ++id) {
    const std::string& token = v.token(id);
    const TokenType type = v.type(id);
    if (type < TokenType::normal || type > TokenType::byte) {
      fail("{}: token {} has type {}; types are 1 (normal) to 6 (byte)", v.source, id,
           static_cast<int>(type));
    }
    if (token.empty()) continue;  // some vocabularies are padded with these; they match nothing
    const auto [other, fresh] = seen.try_emplace(token, id);
    if (!fresh) {
      fail("{}: tokens {} and {} are both \"{}\"; every token must be there once", v.source, other->second,
           id, utf8_repaired(token));
    }
    if (type == TokenType::control || type == TokenType::user_defined || type == TokenType::unknown) {
      specials_.add(token, id);
    }
    if (type == TokenType::normal || type == TokenType::user_defined || type == TokenType::unused) {
      id_by_text_.emplace(token, id);
    }
  }

  if (v.eos >= 0) ends_.insert(v.eos);
  ends_.insert(v.ends.begin(), v.ends.end());
  ends_.erase(-1);
  for (const std::string_view name : kEndTokens) {
    const auto found = seen.find(name);
    if (found != seen.end() && v.type(found->second) == TokenType::control) ends_.insert(found->second);
  }
}

std::vector<std::int32_t> VocabTokenizer::encode_counted(std::string_view text, bool add_special,
                                                         EncodeWork& work) const {
  constexpr std::size_t kMaxBytes = std::size_t{1}
                                    << 30;  // offsets have 32 bits, and SentencePiece grows texts
  if (text.size() > kMaxBytes / 4) {
    fail("a text of {} bytes is too long to be encoded at once; the limit is {} bytes: pass it in parts",
         text.size(), kMaxBytes / 4);
  }
  std::vector<std::int32_t> ids;
  ids.reserve(text.size() / 4 + 2);
  if (add_special && vocab_.add_bos) ids.push_back(vocab_.bos);
  bool first = true;
  for (std::size_t at = 0; at < text.size();) {
    const SpecialMatcher::Match match = specials_.find(text, at);
    if (match.begin > at) {
      encode_text(text.substr(at, match.begin - at), first, ids, work);
      first = false;
    }
    if (match.id >= 0) {
      ids.push_back(match.id);
      first = false;
    }
    at = match.end;
  }
  return ids;
}

void VocabTokenizer::check_id(std::int32_t id) const {
  if (id < 0 || id >= vocab_.size()) {
    fail("token {} is not in the vocabulary, which has {} tokens (0 to {})", id, vocab_.size(),
         vocab_.size() - 1);
  }
}

std::string VocabTokenizer::piece(std::int32_t id) const {
  check_id(id);
  return piece_ref(id);
}

std::string VocabTokenizer::decode(std::span<const std::int32_t> ids) const {
  std::string text;
  for (const std::int32_t id : ids) {
    check_id(id);
    text += piece_ref(id);
  }
  return text;
}

}  // namespace rung
