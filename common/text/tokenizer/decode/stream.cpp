// StreamDecoder.

#include <algorithm>

#include "text/tokenizer/tokenizer.hpp"
#include "text/utf8.hpp"

namespace rung {

void StreamDecoder::follow(std::span<const std::int32_t> ids) {
  for (const std::int32_t id : ids) {
    if (id >= 0 && id < tokenizer_.vocab_size()) push(id);
  }
  // Some of their text may still be kept back. It must not come out as if tokens of the stream had it.
  known_ = StreamDecoder(*this).finish();
}

std::string StreamDecoder::push(std::int32_t id) {
  std::string text;
  tokenizer_.decode_next(progress_, id, text);
  return without_known(whole_characters(text));
}

std::string StreamDecoder::finish() {
  std::string text;
  tokenizer_.decode_finish(progress_, text);
  text = whole_characters(text);
  text += utf8_repaired(pending_);  // which whole_characters() has just set
  pending_.clear();
  return without_known(std::move(text));
}

/// Everything but an unfinished character at the very end can be said now.
std::string StreamDecoder::whole_characters(std::string_view text) {
  pending_ += text;
  std::string ready;
  pending_.erase(0, utf8_append_repaired(pending_, ready));
  return ready;
}

/// Drops the beginning that known_ has too.
std::string StreamDecoder::without_known(std::string text) {
  if (known_.empty()) return text;
  const std::size_t same = utf8_common_prefix(text, known_);
  const bool differs = same < text.size() && same < known_.size();
  known_.erase(0, differs ? known_.size() : same);
  text.erase(0, same);
  return text;
}

}  // namespace rung
