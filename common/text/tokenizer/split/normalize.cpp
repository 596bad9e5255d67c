// The steps of normalizers.

#include "text/tokenizer/split/normalize.hpp"

#include <algorithm>

#include "text/tokenizer/models/bpe.hpp"
#include "text/tokenizer/split/regex.hpp"
#include "text/utf8.hpp"

namespace rung {
namespace {

/// Maps a text character by character: change(code, character, out) appends the replacement of each
/// character.
template <class Change>
std::string by_character(std::string_view text, NormalizerState& state, Change&& change) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_next(text, at).length;
    change(utf8_code_point(text, at, length), text.substr(at, length), out);
    if (at == 0 && out.empty()) state.removed_front = true;
    at += length;
  }
  return out;
}

bool is_bert_control(char32_t code) {
  // The last four became format characters after Unicode 8, the version of the tables in `tokenizers`.
  return unicode::is_other(code) && code != '\t' && code != '\n' && code != '\r' &&
         !(code >= 0x890 && code <= 0x891) && code != 0x8E2 && code != 0x110CD &&
         !(code >= 0x13430 && code <= 0x1343F);
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

std::string Normalizer::apply(std::string_view text, NormalizerState& state) const {
  std::string result(text);
  for (const NormalizerStep& step : steps_) result = step(result, state);
  return result;
}

namespace normalizer {

NormalizerStep form(unicode::Form form) {
  return [form](std::string_view text, NormalizerState&) { return unicode::normal_form(text, form); };
}

NormalizerStep lowercase() {
  return [](std::string_view text, NormalizerState& state) {
    return by_character(text, state, [](char32_t code, std::string_view, std::string& out) {
      unicode::append_lower(code, out);
    });
  };
}

NormalizerStep strip_accents() {
  return [](std::string_view text, NormalizerState& state) {
    return by_character(text, state, [](char32_t code, std::string_view character, std::string& out) {
      if (!unicode::tokenizers_mark(code)) out += character;
    });
  };
}

NormalizerStep strip(bool left, bool right) {
  return [=](std::string_view text, NormalizerState& state) {
    std::size_t begin = text.size(), end = 0;  // bounds of the text without white space at its ends
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = utf8_next(text, at).length;
      if (!unicode::is_space(utf8_code_point(text, at, length))) {
        begin = std::min(begin, at);
        end = at + length;
      }
      at += length;
    }
    if (!left || state.continued) begin = 0;
    state.removed_front = state.removed_front || begin > 0;
    if (!right) end = text.size();
    return std::string(text.substr(begin, end > begin ? end - begin : 0));
  };
}

NormalizerStep replace_text(std::string from, std::string to) {
  return [from = std::move(from), to = std::move(to)](std::string_view text, NormalizerState& state) {
    std::string out;
    out.reserve(text.size() + text.size() / 2);
    while (true) {
      const std::size_t at = text.find(from);
      out += text.substr(0, at);
      if (at == std::string_view::npos) return out;
      out += to;
      text.remove_prefix(at + from.size());
      if (out.empty()) state.removed_front = true;
    }
  };
}

NormalizerStep replace_pattern(const std::string& source, const std::string& pattern, std::string to) {
  const auto regex = std::make_shared<const Regex>(source, pattern);
  return [regex, to = std::move(to)](std::string_view text, NormalizerState& state) {
    std::string out;
    std::size_t done = 0;
    Regex::Search search(*regex, text.size());
    search.run(text, [&](std::size_t begin, std::size_t end) {
      out += text.substr(done, begin - done);
      out += to;
      done = end;
      if (out.empty() && done > 0) state.removed_front = true;
    });
    out += text.substr(done);
    return out;
  };
}

NormalizerStep prepend(std::string text) {
  return [front = std::move(text)](std::string_view text, NormalizerState& state) {
    return (text.empty() || state.continued ? std::string() : front) + std::string(text);
  };
}

NormalizerStep nmt() {
  return [](std::string_view text, NormalizerState& state) {
    return by_character(text, state, [](char32_t code, std::string_view character, std::string& out) {
      const bool control = (code >= 1 && code <= 8) || code == 0xB || (code >= 0xE && code <= 0x1F) ||
                           code == 0x7F || code == 0x8F || code == 0x9F;
      const bool space = code == 9 || code == 0xA || code == 0xC || code == 0xD || code == 0x1680 ||
                         (code >= 0x200B && code <= 0x200F) || code == 0x2028 || code == 0x2029 ||
                         code == 0x2581 || code == 0xFEFF || code == 0xFFFD;
      if (space) {
        out += ' ';
      } else if (!control) {
        out += character;
      }
    });
  };
}

NormalizerStep visible_bytes() {
  return [](std::string_view text, NormalizerState&) {
    std::string out;
    for (const char c : text) out += rung::visible_bytes()[static_cast<unsigned char>(c)];
    return out;
  };
}

NormalizerStep bert(BertRules rules) {
  return [rules](std::string_view text, NormalizerState& state) {
    std::string result =
        by_character(text, state, [&](char32_t code, std::string_view character, std::string& out) {
          if (rules.clean_text) {
            if (code == 0 || code == 0xFFFD || is_bert_control(code)) return;
            if (unicode::is_space(code)) {
              out += ' ';
              return;
            }
          }
          const bool apart = rules.space_around_cjk && unicode::is_cjk(code);
          if (apart) out += ' ';
          out += character;
          if (apart) out += ' ';
        });
    if (rules.strip_accents.value_or(rules.lowercase)) {
      result = by_character(unicode::normal_form(result, unicode::Form::nfd), state,
                            [](char32_t code, std::string_view character, std::string& out) {
                              if (!unicode::tokenizers_nonspacing_mark(code)) out += character;
                            });
    }
    return rules.lowercase ? lowercase()(result, state) : result;
  };
}

NormalizerStep precompiled(Charsmap map) {
  const auto shared = std::make_shared<const Charsmap>(std::move(map));
  return [shared](std::string_view text, NormalizerState& state) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = unicode::grapheme_length(text, at);
      const std::string_view cluster = text.substr(at, length);
      at += length;
      constexpr std::size_t kMaxCluster = 5;
      if (length <= kMaxCluster) {
        // As in `tokenizers`, the first matching sequence replaces the whole cluster.
        const Charsmap::Match match = shared->shortest(cluster);
        if (match.length > 0) {
          out += match.replacement;
          if (out.empty()) state.removed_front = true;
          continue;
        }
      }
      for (std::size_t i = 0; i < cluster.size();) {
        const std::string_view character = cluster.substr(i, utf8_next(cluster, i).length);
        const Charsmap::Match match = shared->shortest(character);
        out += match.length > 0 ? match.replacement : character;
        i += character.size();
      }
    }
    return out;
  };
}

NormalizerStep sentence_piece(SentencePieceRules rules) {
  SpecialMatcher kept;
  for (const std::string& text : rules.kept) {
    if (!text.empty()) kept.add(text, 0);
  }
  const auto shared = std::make_shared<const SentencePieceRules>(std::move(rules));
  return [shared, kept](std::string_view text, NormalizerState& state) {
    const SentencePieceRules& r = *shared;
    const std::string_view space = r.visible_spaces ? kVisibleSpace : " ";
    std::size_t at = 0;
    SpecialMatcher::Match next_kept = kept.find(text, 0);
    // Returns the replacement of the text at `at`, and the number of bytes that it replaces.
    const auto prefix = [&]() -> Charsmap::Match {
      if (next_kept.begin < at) next_kept = kept.find(text, at);
      if (next_kept.id >= 0 && next_kept.begin == at) {
        const std::size_t length = next_kept.end - at;
        return {length, text.substr(at, length)};
      }
      const Charsmap::Match match = r.map.longest(text.substr(at));
      if (match.length > 0) return match;
      const std::size_t length = utf8_next(text, at).length;
      return {length, text.substr(at, length)};
    };
    std::string out;
    out.reserve(text.size() + text.size() / 2 + 3);
    bool after_space = r.remove_extra_spaces && !state.continued;
    bool any = false, entered = false;
    while (at < text.size()) {
      const Charsmap::Match match = prefix();
      at += match.length;
      std::string_view piece = match.replacement;
      entered = entered || piece != " " || !r.remove_extra_spaces;
      while (after_space && !piece.empty() && piece.front() == ' ') piece.remove_prefix(1);
      if (!any && (!piece.empty() || !r.remove_extra_spaces)) {
        any = true;
        if (r.space_in_front && !r.space_behind && !state.continued) out += space;
      }
      if (!piece.empty()) {
        for (const char c : piece) {
          if (c == ' ') {
            out += space;
          } else {
            out += c;
          }
        }
        after_space = piece.back() == ' ';
      }
      if (!r.remove_extra_spaces) after_space = false;
    }
    if (r.remove_extra_spaces) {
      while (ends_with(out, space)) out.resize(out.size() - space.size());
    }
    if (r.space_in_front && r.space_behind && entered) out += space;
    return out;
  };
}

}  // namespace normalizer
}  // namespace rung
