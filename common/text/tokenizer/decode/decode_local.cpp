// The steps of decoders that look at each token by itself: Strip and Replace. Behind a step that fuses all
// tokens to one, that token is the whole text, which Strip and Replace for a plain text pass on as it comes.

#include <algorithm>

#include "text/tokenizer/decode/decode.hpp"
#include "text/tokenizer/split/regex.hpp"
#include "text/utf8.hpp"

namespace rung {
namespace {

/// DecodeState::count is how many characters of the front were dropped, or start_ once that is over;
/// DecodeState::held are the last characters that are `content`, of which the end may drop all.
class StripStep final : public DecodeStep {
 public:
  StripStep(std::string content, std::size_t start, std::size_t stop)
      : content_(std::move(content)), start_(start), stop_(stop) {}

  void part(DecodeState& state, std::string_view text, bool ends, DecodeNext next) const override {
    text.remove_prefix(front_of(text, start_ - state.count, state.count));
    if (!text.empty()) state.count = start_;
    if (stop_ == 0) {
      if (ends) state.count = 0;
      return next.part(text, ends);
    }
    const std::string joined = state.held.empty() ? std::string() : state.held + std::string(text);
    if (!state.held.empty()) text = joined;
    const std::size_t keep = text.size() - back_of(text);
    const std::string held(text.substr(keep));
    next.part(text.substr(0, keep), ends);
    state.held = ends ? "" : held;
    if (ends) state.count = 0;
  }
  bool is_local() const override { return true; }
  std::string local(std::string_view token) const override {
    std::size_t dropped = 0;
    token.remove_prefix(front_of(token, start_, dropped));
    return std::string(token.substr(0, token.size() - back_of(token)));
  }
  std::string inside(std::string_view token, bool fused) const override {
    return fused ? std::string(token) : local(token);
  }

 private:
  /// Bytes of the characters at the front that are `content`, at most `most`, which `count` counts.
  std::size_t front_of(std::string_view text, std::size_t most, std::size_t& count) const {
    std::size_t at = 0;
    for (; most > 0 && text.substr(at, content_.size()) == content_; --most, ++count) at += content_.size();
    return at;
  }
  std::size_t back_of(std::string_view text) const {
    std::size_t bytes = 0;
    for (std::size_t most = stop_; most > 0 && text.ends_with(content_); --most) {
      text.remove_suffix(content_.size());
      bytes += content_.size();
    }
    return bytes;
  }

  std::string content_;  // one character
  std::size_t start_, stop_;
};

/// DecodeState::held is what may be the beginning of `from`.
class ReplaceTextStep final : public DecodeStep {
 public:
  ReplaceTextStep(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}

  void part(DecodeState& state, std::string_view text, bool ends, DecodeNext next) const override {
    if (ends && state.held.empty()) return next.part(local(text), true);
    state.held += text;
    constexpr std::size_t kLong = 64;  // looking for the beginning of a long text would take too much work
    if (!ends && from_.size() > kLong) return;
    // Matches are found from the front; the rest behind the last one may be the beginning of another.
    std::string_view rest = state.held;
    std::string ready;
    for (std::size_t at; (at = rest.find(from_)) != std::string_view::npos;) {
      (ready += rest.substr(0, at)) += to_;
      rest.remove_prefix(at + from_.size());
    }
    std::size_t keep = ends ? 0 : std::min(rest.size(), from_.size() - 1);
    while (keep > 0 && !std::string_view(from_).starts_with(rest.substr(rest.size() - keep))) --keep;
    ready += rest.substr(0, rest.size() - keep);
    state.held = std::string(rest.substr(rest.size() - keep));
    next.part(ready, ends);
  }
  bool is_local() const override { return true; }
  std::string local(std::string_view token) const override { return replaced_all(token, from_, to_); }
  std::string inside(std::string_view token, bool) const override { return local(token); }

 private:
  std::string from_, to_;
};

/// DecodeState::held is the beginning of a token: what a pattern finds may depend on all of it.
class ReplacePatternStep final : public DecodeStep {
 public:
  ReplacePatternStep(const std::string& source, const std::string& pattern, std::string to)
      : regex_(source, pattern), to_(std::move(to)) {}

  void part(DecodeState& state, std::string_view text, bool ends, DecodeNext next) const override {
    state.held += text;
    if (!ends) return;
    next.part(local(state.held), true);
    state.held.clear();
  }
  bool is_local() const override { return true; }
  std::string local(std::string_view token) const override {
    std::string text;
    if (token.empty()) return text;  // in which `tokenizers` looks for nothing
    std::size_t done = 0;
    bool found = false;
    Regex::Search search(regex_, token.size());
    search.run(token, [&](std::size_t begin, std::size_t end) {
      if (begin == end && found && begin == done) return;  // an empty match right behind the last one is none
      found = true;
      (text += token.substr(done, begin - done)) += to_;
      done = end;
    });
    return text += token.substr(done);
  }
  std::string inside(std::string_view token, bool) const override { return local(token); }

 private:
  Regex regex_;
  std::string to_;
};

}  // namespace

namespace decode_step {

std::shared_ptr<const DecodeStep> strip(std::string content, std::size_t start, std::size_t stop) {
  return std::make_shared<StripStep>(std::move(content), start, stop);
}

std::shared_ptr<const DecodeStep> replace_text(std::string from, std::string to) {
  return std::make_shared<ReplaceTextStep>(std::move(from), std::move(to));
}

std::shared_ptr<const DecodeStep> replace_pattern(const std::string& source, const std::string& pattern,
                                                  std::string to) {
  return std::make_shared<ReplacePatternStep>(source, pattern, std::move(to));
}

}  // namespace decode_step
}  // namespace rung
