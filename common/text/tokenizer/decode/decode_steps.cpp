// The steps of decoders.

#include <algorithm>

#include "core/ascii.hpp"
#include "text/tokenizer/decode/decode.hpp"
#include "text/tokenizer/models/bpe.hpp"
#include "text/tokenizer/split/regex.hpp"
#include "text/utf8.hpp"

namespace rung {
namespace {

/// A step that must see a token as a whole. It uses DecodeState::held for the beginning of one.
class WholeTokenStep : public DecodeStep {
 public:
  void part(DecodeState& state, std::string_view text, bool ends, DecodeNext next) const final {
    if (!ends) {
      state.held += text;
    } else if (state.held.empty()) {
      token(state, text, next);
    } else {
      std::string whole = std::move(state.held) + std::string(text);
      state.held.clear();
      token(state, whole, next);
    }
  }

 protected:
  virtual void token(DecodeState& state, std::string_view token, DecodeNext next) const = 0;
};

class VisibleBytesStep final : public WholeTokenStep {
 public:
  bool is_local() const override { return true; }
  std::string local(std::string_view token) const override { return from_visible_bytes(token); }
  std::string inside(std::string_view token, bool) const override { return local(token); }

 private:
  void token(DecodeState&, std::string_view token, DecodeNext next) const override {
    next.part(local(token), true);
  }
};

/// The second half of ByteLevel: one text of all bytes. Unlike other steps it is given bytes, not characters;
/// DecodeState::held is the beginning of a character.
class JoinBytesStep final : public DecodeStep {
 public:
  void part(DecodeState& state, std::string_view text, bool, DecodeNext next) const override {
    if (state.held.empty() && utf8_valid_length(text, 0) == text.size()) return next.part(text, false);
    state.held += text;
    std::string ready;
    state.held.erase(0, utf8_append_repaired(state.held, ready));
    next.part(ready, false);
  }
  void finish(DecodeState& state, DecodeNext next) const override {
    next.part(utf8_repaired(state.held), true);
    next.finish();
  }
  bool only_repairs() const override { return true; }
  bool fuses() const override { return true; }
  std::string inside(std::string_view token, bool) const override { return std::string(token); }
};

class FuseStep final : public DecodeStep {
 public:
  void part(DecodeState&, std::string_view text, bool, DecodeNext next) const override {
    next.part(text, false);
  }
  void finish(DecodeState&, DecodeNext next) const override {
    next.part("", true);
    next.finish();
  }
  bool fuses() const override { return true; }
  std::string inside(std::string_view token, bool) const override { return std::string(token); }
};

/// DecodeState::tokens counts tokens.
class WordPieceStep final : public WholeTokenStep {
 public:
  WordPieceStep(std::string prefix, bool clean_up) : prefix_(std::move(prefix)), clean_up_(clean_up) {}
  std::string inside(std::string_view token, bool fused) const override { return text_of(token, fused); }

 private:
  std::string text_of(std::string_view token, bool first) const {
    std::string text(token);
    if (!first && token.substr(0, prefix_.size()) == prefix_) {
      text.erase(0, prefix_.size());
    } else if (!first) {
      text.insert(0, " ");
    }
    return clean_up_ ? cleaned_up(std::move(text)) : text;
  }
  void token(DecodeState& state, std::string_view token, DecodeNext next) const override {
    next.part(text_of(token, state.tokens++ == 0), true);
  }

  std::string prefix_;
  bool clean_up_;
};

/// DecodeState::tokens counts the tokens that are complete.
class MetaspaceStep final : public DecodeStep {
 public:
  MetaspaceStep(std::string replacement, bool drop_first)
      : replacement_(std::move(replacement)), drop_first_(drop_first) {}
  void part(DecodeState& state, std::string_view text, bool ends, DecodeNext next) const override {
    next.part(inside(text, state.tokens == 0), ends);
    if (ends) ++state.tokens;
  }
  std::string inside(std::string_view token, bool first) const override {
    return replaced_all(token, replacement_, first && drop_first_ ? "" : " ");
  }

 private:
  std::string replacement_;
  bool drop_first_;
};

/// DecodeState::kept is the last token from its first suffix on: whether that is a space, the next token
/// says.
class WordSuffixStep final : public WholeTokenStep {
 public:
  explicit WordSuffixStep(std::string suffix) : suffix_(std::move(suffix)) {}
  void finish(DecodeState& state, DecodeNext next) const override {
    flush(state, "", next);
    next.finish();
  }
  std::string inside(std::string_view token, bool fused) const override {
    return replaced_all(token, suffix_, fused ? "" : " ");
  }

 private:
  void flush(DecodeState& state, std::string_view space, DecodeNext next) const {
    if (state.tokens > 0) next.part(replaced_all(state.kept, suffix_, space), true);
  }
  void token(DecodeState& state, std::string_view token, DecodeNext next) const override {
    flush(state, " ", next);
    ++state.tokens;
    const std::size_t at = std::min(token.find(suffix_), token.size());
    if (at > 0) next.part(token.substr(0, at), false);
    state.kept = token.substr(at);
  }

  std::string suffix_;
};

/// DecodeState::kept is a run of bytes: one that is invalid makes all of them U+FFFD.
class ByteFallbackStep final : public WholeTokenStep {
 public:
  void finish(DecodeState& state, DecodeNext next) const override {
    flush(state, next);
    next.finish();
  }
  std::string inside(std::string_view token, bool) const override {
    const int byte = byte_of(token);
    return byte < 0 ? std::string(token) : std::string{static_cast<char>(byte)};
  }

 private:
  /// As Rust reads a number of base 16: "<0xc3>", "<0xC3>", "<0x+3>".
  static int byte_of(std::string_view token) {
    if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return -1;
    int byte = 0;
    for (const char c : token.substr(token[3] == '+' ? 4 : 3, token[3] == '+' ? 1 : 2)) {
      if (!is_digit_of_base(c, 16)) return -1;
      byte = 16 * byte + ascii_digit_value(c);
    }
    return byte;
  }
  static void flush(DecodeState& state, DecodeNext next) {
    if (state.kept.empty()) return;
    if (utf8_valid_length(state.kept, 0) == state.kept.size()) {
      next.part(state.kept, true);
    } else {
      for (std::size_t i = 0; i < state.kept.size(); ++i) next.part(kReplacementCharacter, true);
    }
    state.kept.clear();
  }
  void token(DecodeState& state, std::string_view token, DecodeNext next) const override {
    const int byte = byte_of(token);
    if (byte >= 0) {
      state.kept += static_cast<char>(byte);
    } else {
      flush(state, next);
      next.part(token, true);
    }
  }
};

/// DecodeState::kept is the last token, DecodeState::tokens counts them.
class CtcStep final : public WholeTokenStep {
 public:
  CtcStep(std::string pad, std::string word_delimiter, bool clean_up)
      : pad_(std::move(pad)), word_delimiter_(std::move(word_delimiter)), clean_up_(clean_up) {}
  std::string inside(std::string_view token, bool) const override {
    std::string text = pad_.empty() ? std::string(token) : replaced_all(token, pad_, "");
    return clean_up_ ? replaced_all(cleaned_up(std::move(text)), word_delimiter_, " ") : text;
  }

 private:
  void token(DecodeState& state, std::string_view token, DecodeNext next) const override {
    if (state.tokens++ > 0 && state.kept == token) return;
    state.kept = token;
    const std::string text = inside(token, false);
    if (!text.empty()) next.part(text, true);
  }

  std::string pad_, word_delimiter_;
  bool clean_up_;
};

class JoinWithSpacesStep final : public WholeTokenStep {
 public:
  std::string inside(std::string_view token, bool) const override { return " " + std::string(token); }

 private:
  void token(DecodeState& state, std::string_view token, DecodeNext next) const override {
    if (state.tokens++ > 0) next.part(" ", true);
    next.part(token, true);
  }
};

}  // namespace

namespace decode_step {

void add_byte_level(DecodeSteps& steps) {
  steps.push_back(std::make_shared<VisibleBytesStep>());
  steps.push_back(std::make_shared<JoinBytesStep>());
}

std::shared_ptr<const DecodeStep> word_piece(std::string prefix, bool clean_up) {
  return std::make_shared<WordPieceStep>(std::move(prefix), clean_up);
}

std::shared_ptr<const DecodeStep> metaspace(std::string replacement, bool drop_first) {
  return std::make_shared<MetaspaceStep>(std::move(replacement), drop_first);
}

std::shared_ptr<const DecodeStep> word_suffix(std::string suffix) {
  return std::make_shared<WordSuffixStep>(std::move(suffix));
}

std::shared_ptr<const DecodeStep> fuse() { return std::make_shared<FuseStep>(); }

std::shared_ptr<const DecodeStep> byte_fallback() { return std::make_shared<ByteFallbackStep>(); }

std::shared_ptr<const DecodeStep> ctc(std::string pad, std::string word_delimiter, bool clean_up) {
  return std::make_shared<CtcStep>(std::move(pad), std::move(word_delimiter), clean_up);
}

std::shared_ptr<const DecodeStep> join_with_spaces() { return std::make_shared<JoinWithSpacesStep>(); }

}  // namespace decode_step
}  // namespace rung
