// What all tokenizers over a vocabulary share.

#include "text/tokenizer/vocab.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/error.hpp"
#include "text/unicode.hpp"
#include "text/utf8.hpp"

namespace rung {
namespace {

/// Tokens that end a turn in the chat formats of known families; a file names one of them as EOS and
/// generation must stop at the others too. Files often have them as user-defined instead of control tokens.
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

/// The vocabulary with `before`, `after` and `added` written out.
Vocab completed(Vocab v) {
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
  if (v.add_eos && v.eos < 0) {
    fail("{}: texts are to end with an end token, but the vocabulary names none", v.source);
  }
  if (v.before.empty() && v.add_bos) v.before = {v.bos};
  if (v.after.empty() && v.add_eos) v.after = {v.eos};
  if (!v.added.empty() || !v.added_from_types) return v;
  for (std::int32_t id = 0; id < v.size(); ++id) {
    const TokenType type = v.type(id);
    const bool special = type == TokenType::control || type == TokenType::unknown;
    if (special || type == TokenType::user_defined) v.added.push_back({id, special});
  }
  return v;
}

/// Bytes of white space at the beginning of `text`.
std::size_t space_at_start(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const Utf8Step step = utf8_next(text, at);
    if (step.kind != Utf8Step::Kind::character || !unicode::is_space(utf8_code_point(text, at, step.length)))
      break;
    at += step.length;
  }
  return at;
}

/// The code point that ends in front of text[end], and where it begins; -1 for none or broken ones.
std::int64_t code_point_before(std::string_view text, std::size_t end, std::size_t& begin) {
  for (std::size_t length = 1; length <= 4 && length <= end; ++length) {
    begin = end - length;
    if ((static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) continue;
    const Utf8Step step = utf8_next(text.substr(0, end), begin);
    if (step.kind != Utf8Step::Kind::character || step.length != length) return -1;
    return utf8_code_point(text, begin, length);
  }
  return -1;
}

bool is_word(std::int64_t code) { return code >= 0 && unicode::is_word(static_cast<char32_t>(code)); }

/// Whether a letter, digit or underscore touches text[begin, end).
bool inside_word(std::string_view text, std::size_t begin, std::size_t end) {
  std::size_t at = 0;
  if (is_word(code_point_before(text, begin, at))) return true;
  if (end == text.size()) return false;
  const Utf8Step step = utf8_next(text, end);
  return step.kind == Utf8Step::Kind::character && is_word(utf8_code_point(text, end, step.length));
}

}  // namespace

bool Vocab::makes_words(std::int32_t id) const {
  if (!of_model.empty()) return of_model[static_cast<std::size_t>(id)];
  return type(id) == TokenType::normal || type(id) == TokenType::user_defined ||
         type(id) == TokenType::unused;
}

std::vector<bool> Vocab::special_words() const {
  std::vector<bool> special;
  for (const AddedToken& token : added) {
    if (!token.special || !makes_words(token.id)) continue;
    special.resize(tokens.size());
    special[static_cast<std::size_t>(token.id)] = true;
  }
  return special;
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, bool add_special,
                                            bool parse_special) const {
  if (!parse_special) fail("this tokenizer cannot take special tokens that are written in a text as text");
  return encode(text, add_special);
}

std::shared_ptr<const Tokenizer> Tokenizer::with_merger(std::shared_ptr<const BpeMerger>) const {
  return nullptr;
}

VocabTokenizer::VocabTokenizer(Vocab vocab) : vocab_(completed(std::move(vocab))) {
  const Vocab& v = vocab_;
  std::unordered_map<std::string_view, std::int32_t> seen;
  seen.reserve(v.tokens.size());
  for (std::int32_t id = 0; id < v.size(); ++id) {
    const std::string& token = v.token(id);
    const TokenType type = v.type(id);
    if (type < TokenType::normal || type > TokenType::byte) {
      fail("{}: token {} has type {}; types are 1 (normal) to 6 (byte)", v.source, id,
           static_cast<int>(type));
    }
    if (token.empty()) continue;  // some vocabularies are padded with these; they match nothing
    constexpr std::size_t kMaxToken = 1 << 16;
    if (token.size() > kMaxToken) {
      fail("{}: token {} has {} bytes; the limit is {}", v.source, id, token.size(), kMaxToken);
    }
    const auto [other, fresh] = seen.try_emplace(token, id);
    if (!fresh) {
      fail("{}: tokens {} and {} are both \"{}\"; every token must be there once", v.source, other->second,
           id, utf8_repaired(token));
    }
  }
  for (const AddedToken& token : v.added) {
    check_special_id(v, "added", token.id);
    if (v.token(token.id).empty()) continue;
    added_[token.id] = token;
    if (!token.normalized) specials_.add(v.token(token.id), token.id);
  }

  if (v.eos >= 0) ends_.insert(v.eos);
  ends_.insert(v.ends.begin(), v.ends.end());
  ends_.erase(-1);
  for (const std::string_view name : kEndTokens) {
    const auto found = seen.find(name);
    if (found == seen.end()) continue;
    const TokenType type = v.type(found->second);
    if (type == TokenType::control || type == TokenType::user_defined) ends_.insert(found->second);
  }
}

int VocabTokenizer::text_vocab_size() const {
  int size = vocab_.size();
  while (size > 0 && (added_.count(size - 1) > 0 || vocab_.token(size - 1).empty())) --size;
  return size;
}

void VocabTokenizer::add_normalized_tokens() {
  for (const AddedToken& token : vocab_.added) {
    if (!token.normalized) continue;
    std::string buffer;
    bool removed = false;
    const std::string_view text = normalized(vocab_.token(token.id), buffer, removed);
    if (!text.empty()) normalized_specials_.add(text, token.id);
  }
}

/// Calls piece(begin, end) for what lies between the tokens that `matcher` finds, and appends those.
///
/// As in `tokenizers`, the search goes on behind a token's own text, wherever the white space ends that the
/// token takes along. A token that begins inside that white space is found too, and what follows it is text
/// again, white space included.
template <class Piece>
void VocabTokenizer::split_specials(const SpecialMatcher& matcher, std::string_view text, bool parse_special,
                                    std::vector<std::int32_t>& ids, Piece&& piece) const {
  std::size_t done = 0, spaces_end = 0;  // where the white space ends that was taken along last
  for (std::size_t at = 0; at < text.size();) {
    const SpecialMatcher::Match match = matcher.find(text, at);
    at = match.end;
    if (match.id < 0) break;
    const AddedToken& token = added_.find(match.id)->second;
    if (token.special && !parse_special) continue;
    if (token.single_word && inside_word(text, match.begin, match.end)) continue;
    std::size_t begin = match.begin;
    if (token.lstrip) {
      for (std::size_t before = begin; begin > done; begin = before) {
        const std::int64_t code = code_point_before(text, begin, before);
        if (code < 0 || !unicode::is_space(static_cast<char32_t>(code))) break;
      }
    }
    if (begin > done) piece(done, begin);
    std::size_t end = match.end;
    if (token.rstrip) {
      // White space that was measured once is not measured again for each token inside it.
      if (end >= spaces_end) spaces_end = end + space_at_start(text.substr(end));
      end = spaces_end;
    }
    // A token that takes white space in front of it begins behind the one before, which may leave nothing.
    if (!token.lstrip || end > done) ids.push_back(match.id);
    done = end;
  }
  if (done < text.size()) piece(done, text.size());
}

std::vector<std::int32_t> VocabTokenizer::encode_counted(std::string_view text, bool add_special,
                                                         bool parse_special, EncodeWork& work) const {
  constexpr std::size_t kMaxBytes = std::size_t{1}
                                    << 28;  // offsets have 32 bits, and normalizing grows texts
  if (text.size() > kMaxBytes) {
    fail("a text of {} bytes is too long to be encoded at once; the limit is {} bytes: pass it in parts",
         text.size(), kMaxBytes);
  }
  std::vector<std::int32_t> ids;
  ids.reserve(text.size() / 4 + 2);
  if (add_special) ids = vocab_.before;
  std::string buffer;
  split_specials(specials_, text, parse_special, ids, [&](std::size_t begin, std::size_t end) {
    bool removed = false;
    const std::string_view plain = normalized(text.substr(begin, end - begin), buffer, removed);
    constexpr std::size_t kMaxNormalized = std::size_t{1} << 30;
    if (plain.size() > kMaxNormalized) {
      fail("a text of {} bytes has {} after normalizing; the limit is {}: pass it in parts", text.size(),
           plain.size(), kMaxNormalized);
    }
    split_specials(normalized_specials_, plain, parse_special, ids, [&](std::size_t from, std::size_t to) {
      encode_text(plain.substr(from, to - from), begin == 0 && from == 0 && !removed, parse_special, ids,
                  work);
    });
  });
  if (add_special) ids.insert(ids.end(), vocab_.after.begin(), vocab_.after.end());
  return ids;
}

void VocabTokenizer::check_id(std::int32_t id) const {
  if (id < 0 || id >= vocab_.size()) {
    fail("token {} is not in the vocabulary, which has {} tokens (0 to {})", id, vocab_.size(),
         vocab_.size() - 1);
  }
}

}  // namespace rung
