// tokenizer_difference(): reads a written tokenizer back and compares it with its source.

#include <algorithm>
#include <array>
#include <map>

#include "convert/convert_tokenizer.hpp"
#include "core/error.hpp"
#include "core/rng.hpp"
#include "text/tokenizer/vocab.hpp"
#include "text/utf8.hpp"

namespace rung {
namespace {

/// What tokenizers trip over: spaces in front, behind and in rows, lines, digits, contractions, letters that
/// normal forms change, bytes that are no text.
constexpr std::array<std::string_view, 12> kTexts = {"Hello, world! It's 1234567 o'clock.",
                                                     " hello",
                                                     "hello ",
                                                     "  two  spaces\tand a tab",
                                                     "\n\nlines\r\n  \n",
                                                     "hello</s>world <s> hello",
                                                     "<|endoftext|> and <|im_end|>\n",
                                                     "na\xC3\xAFve e\xCC\x81 \xEF\xAC\x81 \xC4\xB0STANBUL",
                                                     "\xE4\xB8\xAD\xE6\x96\x87\xE3\x80\x82 \xD9\xA3\xD9\xA4",
                                                     "\xF0\x9F\x99\x82\xE2\x80\x8D\xE2\x96\x81 \xE2\x96\x81x",
                                                     "====aaaa    ----",
                                                     "\xFF broken \xC3"};

std::string shown(const std::vector<std::int32_t>& ids) {
  std::string text = "[";
  for (std::size_t i = 0; i < std::min<std::size_t>(ids.size(), 12); ++i) {
    text += fmt::format("{}{}", i > 0 ? ", " : "", ids[i]);
  }
  return text + (ids.size() > 12 ? ", ...]" : "]");
}

std::string texts_difference(const Tokenizer& written, const Tokenizer& source, int rows) {
  const auto differs = [&](std::string_view text) {
    const auto is = written.encode(text, true), was = source.encode(text, true);
    return is == was ? std::string()
                     : fmt::format("the text \"{}\" gives the tokens {} and gave {}",
                                   utf8_repaired(std::string(text)), shown(is), shown(was));
  };
  for (const std::string_view text : kTexts) {
    if (std::string found = differs(text); !found.empty()) return found;
  }
  Rng rng(1);
  for (int i = 0; i < 300; ++i) {
    std::vector<std::int32_t> ids(1 + rng.below(12));
    for (std::int32_t& id : ids) id = static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(rows)));
    if (std::string found = differs(source.decode(ids)); !found.empty()) return found;
  }
  return {};
}

}  // namespace

std::string tokenizer_difference(const Tokenizer& written, const Tokenizer& source, int rows) {
  if (source.vocab_size() == 0) return written.vocab_size() == 0 ? "" : "it has a tokenizer, and had none";
  const auto* is = dynamic_cast<const VocabTokenizer*>(&written);
  const auto* was = dynamic_cast<const VocabTokenizer*>(&source);
  if (is == nullptr || was == nullptr) return "its kind of tokenizer cannot be compared";
  // Rows without a token are written as unused ones, or left out.
  const auto has_token = [&](std::int32_t id) {
    return was->vocab().type(id) != TokenType::unused && !was->vocab().token(id).empty();
  };
  int count = std::min(source.vocab_size(), rows);
  while (count > 0 && !has_token(count - 1)) --count;
  if (written.vocab_size() < count) {
    return fmt::format("it has {} tokens and had {}", written.vocab_size(), count);
  }
  for (std::int32_t id = 0; id < count; ++id) {
    if (!has_token(id)) continue;
    if (is->vocab().token(id) != was->vocab().token(id)) {
      return fmt::format("the token {} is \"{}\" and was \"{}\"", id, utf8_repaired(is->vocab().token(id)),
                         utf8_repaired(was->vocab().token(id)));
    }
    if (written.is_end(id) != source.is_end(id)) {
      return fmt::format("the token {} ends generation in one of them only", id);
    }
  }
  const auto role_difference = [](const char* role, std::int32_t now, std::int32_t before) {
    return now == before ? std::string() : fmt::format("the {} is {} and was {}", role, now, before);
  };
  if (std::string found = role_difference("start token", written.bos(), source.bos()); !found.empty()) {
    return found;
  }
  if (std::string found = role_difference("end token", written.eos(), source.eos()); !found.empty()) {
    return found;
  }
  std::map<std::string, std::string> now, before;
  for (const auto& [role, text] : written.roles()) now[role] = text;
  for (const auto& [role, text] : source.roles()) before[role] = text;
  for (const auto* names : {&now, &before}) {
    for (const auto& [role, text] : *names) {
      if (now[role] == before[role]) continue;
      return fmt::format("the {} is \"{}\" and was \"{}\"", role, utf8_repaired(now[role]),
                         utf8_repaired(before[role]));
    }
  }
  return count == 0 ? std::string() : texts_difference(written, source, count);
}

}  // namespace rung
