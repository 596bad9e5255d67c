// The steps of pre-tokenizers.

#include "text/tokenizer/split/pretokenize.hpp"

#include "core/error.hpp"
#include "text/tokenizer/models/bpe.hpp"
#include "text/unicode.hpp"
#include "text/utf8.hpp"

namespace rung {
namespace {

/// Part of a word: a match, or the text between two matches.
struct Part {
  Span span;
  bool found;
};

/// Converts the parts of one word into words. The parts cover the whole word.
void apply(SplitBehavior behavior, const std::vector<Part>& parts, std::vector<Span>& words) {
  const auto add = [&](Span span) {
    if (span.end > span.begin) words.push_back(span);
  };
  switch (behavior) {
    case SplitBehavior::removed:
      for (const Part& part : parts) {
        if (!part.found) add(part.span);
      }
      return;
    case SplitBehavior::isolated:
      for (const Part& part : parts) add(part.span);
      return;
    case SplitBehavior::merged_with_previous: {
      Span word{parts.front().span.begin, parts.front().span.begin};
      bool after_found = false;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        // A match is merged with the part before it, unless that part is a match, too.
        if (i > 0 && !(parts[i].found && !after_found)) {
          add(word);
          word.begin = parts[i].span.begin;
        }
        word.end = parts[i].span.end;
        after_found = parts[i].found;
      }
      add(word);
      return;
    }
    case SplitBehavior::merged_with_next:
      for (std::size_t i = 0; i < parts.size(); ++i) {
        if (parts[i].found && i + 1 < parts.size() && !parts[i + 1].found) {
          add({parts[i].span.begin, parts[i + 1].span.end});
          ++i;
        } else {
          add(parts[i].span);
        }
      }
      return;
    case SplitBehavior::contiguous:
      for (std::size_t i = 0; i < parts.size();) {
        std::size_t end = i;
        while (end < parts.size() && parts[end].found == parts[i].found) ++end;
        add({parts[i].span.begin, parts[end - 1].span.end});
        i = end;
      }
      return;
  }
}

/// Splits every word at the matches of `find`, which calls place(begin, end) for each match in a text, in
/// order.
template <class Find>
void cut(Words& words, SplitBehavior behavior, bool invert, Find&& find) {
  std::vector<Part> parts;
  words.scratch.clear();
  for (const Span span : words.spans) {
    parts.clear();
    std::uint32_t done = span.begin;
    find(words.word(span), [&](std::uint32_t begin, std::uint32_t end) {
      begin += span.begin, end += span.begin;
      if (begin > done) parts.push_back({{done, begin}, invert});
      parts.push_back({{begin, end}, !invert});
      done = end;
    });
    if (done < span.end) parts.push_back({{done, span.end}, invert});
    if (!parts.empty()) apply(behavior, parts, words.scratch);
  }
  words.spans.swap(words.scratch);
}

/// Rewrites the text: change(word, is_first, may_prefix, out) appends the replacement of a word to `out`.
/// is_first is true for the very beginning of the text. may_prefix is false if the word continues the bytes
/// before it.
template <class Change>
void rewrite(Words& words, Change&& change) {
  std::string out;
  out.reserve(words.text.size() + words.text.size() / 4 + 16);
  for (Span& span : words.spans) {
    const bool is_first = words.first && span.begin == 0;
    const bool may_prefix = !words.continued || span.begin > 0;
    const auto begin = static_cast<std::uint32_t>(out.size());
    change(words.word(span), is_first, may_prefix, out);
    span = {begin, static_cast<std::uint32_t>(out.size())};
  }
  words.buffer.swap(out);
  words.text = words.buffer;
}

template <class Visit>
void each_character(std::string_view text, Visit&& visit) {
  for (std::uint32_t at = 0; at < text.size();) {
    const auto length = static_cast<std::uint32_t>(utf8_next(text, at).length);
    visit(at, at + length, utf8_code_point(text, at, length));
    at += length;
  }
}

/// Splits at (?=(\d{3})+(?!\d)), which is before every group of three decimal digits, counted from the end of
/// the number. Matching the pattern takes quadratic time in the number of digits.
void cut_thousands(Words& words) {
  words.scratch.clear();
  std::vector<std::uint32_t> digits;  // the offsets of the digits of a number
  for (const Span span : words.spans) {
    std::uint32_t done = span.begin;
    const auto number_ends = [&] {
      for (std::size_t i = 0; i < digits.size(); ++i) {
        if ((digits.size() - i) % 3 == 0 && digits[i] > done) {
          words.scratch.push_back({done, digits[i]});
          done = digits[i];
        }
      }
      digits.clear();
    };
    each_character(words.word(span), [&](std::uint32_t begin, std::uint32_t, char32_t code) {
      if (unicode::is_decimal_digit(code)) {
        digits.push_back(span.begin + begin);
      } else {
        number_ends();
      }
    });
    number_ends();
    if (done < span.end) words.scratch.push_back({done, span.end});
  }
  words.spans.swap(words.scratch);
}

/// \w in patterns (see regex_set.cpp).
bool is_word_in_patterns(char32_t code) {
  if (code == 0xB2 || code == 0xB3 || code == 0xB9 || (code >= 0xBC && code <= 0xBE)) return true;
  return code != 0x200C && code != 0x200D && unicode::is_word(code);
}

/// Splits at \d{1,3}(?=(?:\d{3})*\b): the same groups are words, in numbers that no word character follows.
/// The digits of other numbers stay in the words around them. Matching this pattern takes quadratic time,
/// too.
void cut_groups_of_three(Words& words) {
  cut(words, SplitBehavior::isolated, false, [](std::string_view word, auto&& place) {
    std::vector<std::uint32_t> digits;
    const auto number_ends = [&](std::uint32_t end, bool in_a_word) {
      for (std::size_t i = 0; i < digits.size() && !in_a_word;) {
        const std::size_t group = (digits.size() - i) % 3 == 0 ? 3 : (digits.size() - i) % 3;
        const std::size_t next = i + group;
        place(digits[i], next < digits.size() ? digits[next] : end);
        i = next;
      }
      digits.clear();
    };
    each_character(word, [&](std::uint32_t begin, std::uint32_t, char32_t code) {
      if (unicode::is_decimal_digit(code)) {
        digits.push_back(begin);
      } else if (!digits.empty()) {
        number_ends(begin, is_word_in_patterns(code));
      }
    });
    number_ends(static_cast<std::uint32_t>(word.size()), false);
  });
}

}  // namespace

namespace pre_tokenizer {

PreTokenizerStep split(const std::string& source, const std::string& pattern, SplitBehavior behavior,
                       bool invert) {
  const bool keeps_all = behavior == SplitBehavior::isolated;
  if (const Scanner scanner = find_scanner(pattern); scanner != nullptr && keeps_all) {
    return [scanner](Words& words) {
      words.scratch.clear();
      words.scratch.reserve(words.text.size() / 4);
      for (const Span span : words.spans) scanner(words.text, span, words.scratch);
      words.spans.swap(words.scratch);
    };
  }
  if (pattern == R"((?=(\d{3})+(?!\d)))" && keeps_all) return cut_thousands;
  if (pattern == R"(\d{1,3}(?=(?:\d{3})*\b))" && keeps_all && !invert) return cut_groups_of_three;
  const auto regex = std::make_shared<const Regex>(source, pattern);
  return [=](Words& words) {
    Regex::Search search(*regex, words.text.size());
    cut(words, behavior, invert, [&](std::string_view word, auto&& place) { search.run(word, place); });
  };
}

PreTokenizerStep split_at(bool (*is)(char32_t), SplitBehavior behavior) {
  return [=](Words& words) {
    cut(words, behavior, false, [&](std::string_view word, auto&& place) {
      each_character(word, [&](std::uint32_t begin, std::uint32_t end, char32_t code) {
        if (is(code)) place(begin, end);
      });
    });
  };
}

PreTokenizerStep words_and_punctuation() {
  return [](Words& words) {
    words.scratch.clear();
    for (const Span span : words.spans) {
      enum class Kind { space, word, rest } run = Kind::space;
      std::uint32_t begin = span.begin;
      each_character(words.word(span), [&](std::uint32_t at, std::uint32_t, char32_t code) {
        const Kind kind = unicode::is_word(code)    ? Kind::word
                          : unicode::is_space(code) ? Kind::space
                                                    : Kind::rest;
        if (kind == run) return;
        if (run != Kind::space) words.scratch.push_back({begin, span.begin + at});
        begin = span.begin + at;
        run = kind;
      });
      if (run != Kind::space) words.scratch.push_back({begin, span.end});
    }
    words.spans.swap(words.scratch);
  };
}

std::vector<PreTokenizerStep> bert() {
  return {split_at(unicode::is_space, SplitBehavior::removed),
          split_at(unicode::tokenizers_punctuation, SplitBehavior::isolated)};
}

PreTokenizerStep prefix_space() {
  return [](Words& words) {
    rewrite(words, [](std::string_view word, bool, bool may_prefix, std::string& out) {
      if (may_prefix && word.front() != ' ') out += ' ';
      out += word;
    });
  };
}

PreTokenizerStep visible_bytes() {
  return [](Words& words) {
    rewrite(words, [](std::string_view word, bool, bool, std::string& out) {
      for (const char c : word) out += rung::visible_bytes()[static_cast<unsigned char>(c)];
    });
  };
}

PreTokenizerStep metaspace(std::string replacement, Prepend prepend, bool split) {
  return [=](Words& words) {
    rewrite(words, [&](std::string_view word, bool is_first, bool may_prefix, std::string& out) {
      const bool has_one = word.front() == ' ' || word.substr(0, replacement.size()) == replacement;
      const bool wanted =
          prepend == Prepend::even_before_space ||
          (!has_one && (prepend == Prepend::always || (prepend == Prepend::first && is_first)));
      if (may_prefix && wanted) out += replacement;
      for (std::size_t at = 0; at <= word.size();) {
        const std::size_t space = std::min(word.find(' ', at), word.size());
        out += word.substr(at, space - at);
        if (space < word.size()) out += replacement;
        at = space + 1;
      }
    });
    if (!split) return;
    cut(words, SplitBehavior::merged_with_next, false, [&](std::string_view word, auto&& place) {
      for (std::size_t at = 0; (at = word.find(replacement, at)) != std::string_view::npos;) {
        place(static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + replacement.size()));
        at += replacement.size();
      }
    });
  };
}

}  // namespace pre_tokenizer

PreTokenizer::PreTokenizer(const std::string& source, const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    steps_.push_back(pre_tokenizer::split(source, pattern, SplitBehavior::isolated, false));
  }
}

void PreTokenizer::run(std::string_view text, bool first, Words& words) const {
  words.text = text;
  words.first = first;
  words.spans.clear();
  if (text.empty()) return;
  words.spans.push_back({0, static_cast<std::uint32_t>(text.size())});
  for (const PreTokenizerStep& step : steps_) step(words);
}

}  // namespace rung
