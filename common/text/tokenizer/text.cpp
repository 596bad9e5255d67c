// The pipeline.

#include "text/tokenizer/text.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "text/tokenizer/models/bpe.hpp"
#include "text/tokenizer/models/cache.hpp"
#include "text/utf8.hpp"

namespace rung {
namespace {

/// Where the word that begins at text[at] ends: in front of the next U+2581 that follows something else.
std::size_t word_end(std::string_view text, std::size_t at) {
  while (text.substr(at, kVisibleSpace.size()) == kVisibleSpace) at += kVisibleSpace.size();
  return std::min(text.find(kVisibleSpace, at), text.size());
}

}  // namespace

TextTokenizer::TextTokenizer(Vocab vocab, const std::function<TextParts(const Vocab&)>& make)
    : VocabTokenizer(std::move(vocab)), parts_(make(vocab_)) {
  add_normalized_tokens();
}

std::string TextTokenizer::describe() const {
  return fmt::format("{}, {} tokens", parts_.model->name(), vocab_.size());
}

std::shared_ptr<const Tokenizer> TextTokenizer::with_merger(std::shared_ptr<const BpeMerger> merger) const {
  auto model = parts_.model->with_merger(std::move(merger));
  if (model == nullptr) return nullptr;
  return std::make_shared<TextTokenizer>(vocab_, [&](const Vocab&) {
    TextParts parts = parts_;
    parts.model = std::move(model);
    return parts;
  });
}

std::string_view TextTokenizer::normalized(std::string_view text, std::string& buffer,
                                           bool& removed_front) const {
  if (parts_.normalizer.empty()) return text;
  // Normal forms are defined for valid text only; bytes in between stay as they are.
  buffer.clear();
  NormalizerState state;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t valid = utf8_valid_length(text, at);
    if (valid > 0) buffer += parts_.normalizer.apply(text.substr(at, valid), state);
    at += valid;
    if (at == text.size()) break;
    const std::size_t broken = utf8_next(text, at).length;
    buffer += text.substr(at, broken);
    at += broken;
    state.continued = true;
  }
  removed_front = state.removed_front;
  return buffer;
}

void TextTokenizer::encode_text(std::string_view text, bool first, bool specials,
                                std::vector<std::int32_t>& ids, EncodeWork& work) const {
  WordScratch scratch;
  scratch.specials = specials;
  Words words;
  // The pre-tokenizer needs valid UTF-8; bytes in between are words of their own.
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t valid = utf8_valid_length(text, at);
    if (valid > 0) {
      words.continued = at > 0;
      parts_.pre_tokenizer.run(text.substr(at, valid), first && at == 0, words);
      encode_words(words, scratch, ids, work);
    }
    at += valid;
    if (at == text.size()) break;
    const std::size_t broken = utf8_next(text, at).length;
    for (std::size_t i = 0; i < broken; ++i) parts_.model->encode(text.substr(at + i, 1), scratch, ids);
    at += broken;
  }
  work.heap_pops += scratch.merge.pops;
}

void TextTokenizer::encode_words(const Words& words, WordScratch& scratch, std::vector<std::int32_t>& ids,
                                 EncodeWork& work) const {
  const WordModel& model = *parts_.model;
  if (model.encodes_all()) {
    work.words += words.spans.size();
    model.encode_all(words.text, words.spans, scratch.specials, ids);
    return;
  }
  WordCache cache;
  const auto encode = [&](std::string_view word) {
    ++work.words;
    if (cache.repeat(word, ids)) {
      ++work.cached_words;
      return;
    }
    const std::size_t begin = ids.size();
    model.encode(word, scratch, ids);
    cache.remember(word, begin, ids);
  };
  const bool cut = model.spaces_begin_words();
  for (const Span span : words.spans) {
    if (!cut) {
      encode(words.word(span));
      continue;
    }
    const std::string_view text = words.text.substr(0, span.end);
    for (std::size_t at = span.begin; at < span.end;) {
      const std::size_t end = word_end(text, at);
      encode(text.substr(at, end - at));
      at = end;
    }
  }
}

std::string TextTokenizer::piece(std::int32_t id) const {
  check_id(id);
  return parts_.decoder->piece(id);
}

std::string TextTokenizer::decode(std::span<const std::int32_t> ids) const {
  for (const std::int32_t id : ids) check_id(id);
  return parts_.decoder->decode(ids);
}

void TextTokenizer::decode_next(DecodeProgress& progress, std::int32_t id, std::string& text) const {
  check_id(id);
  parts_.decoder->next(progress, id, text);
}

void TextTokenizer::decode_finish(DecodeProgress& progress, std::string& text) const {
  parts_.decoder->finish(progress, text);
}

}  // namespace rung
