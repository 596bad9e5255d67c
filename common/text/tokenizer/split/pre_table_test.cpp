// Tests the rows of the table of pre-tokenizers by the words into which they split texts.

#include <algorithm>

#include "core/rng.hpp"
#include "testing/catch.hpp"
#include "text/tokenizer/split/pretokenize.hpp"

using namespace rung;

namespace {

using Strings = std::vector<std::string>;

Strings words_of(const PreTokenizer& pre_tokenizer, const std::string& text) {
  Words words;
  pre_tokenizer.run(text, true, words);
  Strings result;
  for (const Span span : words.spans) result.emplace_back(words.word(span));
  return result;
}

Strings words_of(std::string_view name, const std::string& text) {
  const auto& patterns = find_pre_tokenizer("test", name).patterns;
  return words_of(PreTokenizer("test", Strings(patterns.begin(), patterns.end())), text);
}

}  // namespace

TEST_CASE("every row's patterns run, keep all text, and its name stands there once") {
  const std::string text =
      "It's 1234567.89 Caf\xC3\xA9 \xE4\xBD\xA0\xE5\xA5\xBD\xE3\x80\x82 (x_1)  \n\n\t'LL \xF0\x9F\x98\x80";
  Strings names;
  for (const PreTokenizerRow& row : pre_tokenizers()) {
    INFO(row.name);
    std::string all;
    const Strings words = words_of(row.name, text);
    for (const std::string& word : words) all += word;
    CHECK(all == text);
    CHECK(words.size() > 5);
    names.emplace_back(row.name);
  }
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}

TEST_CASE("deepseek-llm spells its letters out: U+2CF2 is one of them") {
  CHECK(words_of("deepseek-llm", "\xE2\xB3\xB2\xE2\xB3\xB3 a") == Strings{"\xE2\xB3\xB2\xE2\xB3\xB3", " a"});
}

TEST_CASE("rows that differ from their relatives by a detail") {
  CHECK(words_of("minicpm5", "a1234 b") == Strings{"a", "123", "4", " b"});
  CHECK(words_of("ufakzeka", "Ankara'da it's 12") == Strings{"Ankara", "'da", " it", "'s", " ", "1", "2"});
  CHECK(words_of("qwen2", "Ankara'da") == Strings{"Ankara", "'d", "a"});
  CHECK(words_of("spark2_5", "a!\n\nb") == Strings{"a", "!", "\n", "\n", "b"});
  CHECK(words_of("deepseek-v3", "a!\n\nb") == Strings{"a", "!\n\n", "b"});
  CHECK(words_of("joyai-llm", "a!\n\nb") == Strings{"a", "!\n\n", "b"});
  CHECK(words_of("laguna", "a!\n\nb") == Strings{"a", "!", "\n\n", "b"});
  CHECK(words_of("exaone-moe", "one two  three\n\nx/") ==
        Strings{"one two", " ", " three", "\n\n", "x", "/"});
  CHECK(words_of("chameleon", "aIMGIMGABZ    b12 \tc") ==
        Strings{"a", "IMGIMGABZ", "    ", "b", "1", "2", " ", "\t", "c"});
  // Hangul, CJK punctuation and Han are separate words.
  CHECK(words_of("youtu",
                 "\xED\x95\x9C\xEA\xB5\xAD\xE3\x80\x82\xE4\xBD\xA0\xE5\xA5\xBD"
                 "12") ==
        Strings{"\xED\x95\x9C\xEA\xB5\xAD", "\xE3\x80\x82", "\xE4\xBD\xA0\xE5\xA5\xBD", "1", "2"});
  // A run of Han is a separate word, without the letters before it.
  CHECK(words_of("kimi-k2", "abc\xE4\xBD\xA0\xE5\xA5\xBD\xE3\x80\x82it's 1234") ==
        Strings{"abc", "\xE4\xBD\xA0\xE5\xA5\xBD", "\xE3\x80\x82it's", " ", "123", "4"});
  CHECK(words_of("gpt-4o", "abc\xE4\xBD\xA0") == Strings{"abc\xE4\xBD\xA0"});
  // Thai is written without spaces: a run of Thai is one word, without the space before it.
  CHECK(words_of("afmoe",
                 "a \xE0\xB9\x80\xE0\xB9\x84"
                 " 1234567") == Strings{"a", " ", "\xE0\xB9\x80\xE0\xB9\x84", " ", "1", "234", "567"});
}

TEST_CASE("GLM 4: a word that is a token is that token, whatever the merges say") {
  CHECK(find_pre_tokenizer("test", "glm4").ignore_merges);
  CHECK(find_pre_tokenizer("test", "glm5").ignore_merges);
  CHECK_FALSE(find_pre_tokenizer("test", "chatglm-bpe").ignore_merges);
  CHECK_FALSE(find_pre_tokenizer("test", "glm4").add_bos);
}

TEST_CASE("Tiny Aya: digits in threes from the right, unless a word goes on behind them") {
  CHECK(words_of("tiny_aya", "x 1234567, 12") == Strings{"x", " ", "1", "234", "567", ",", " ", "12"});
  CHECK(words_of("tiny_aya", "12345y") == Strings{"123", "45", "y"});  // as with GPT-4o's pattern
  // Oniguruma, which runs these patterns, treats superscripts and fractions of Latin-1 as word characters.
  CHECK(words_of("tiny_aya", "1234\xC2\xB2") == Strings{"123", "4\xC2\xB2"});
}

TEST_CASE("the groups of three digits by hand equal those of the pattern") {
  const std::string pattern = R"(\d{1,3}(?=(?:\d{3})*\b))";
  const PreTokenizer by_hand("test", {pattern}), by_regex("test", {"(?:" + pattern + ")"});
  const Strings pieces = {"1",
                          "23",
                          "456",
                          "7890",
                          " ",
                          "a",
                          ".",
                          "_",
                          "\xC2\xB2",
                          "\xE0\xA5\xA7",
                          "\xCC\x81",
                          "\xE2\x80\x8D",
                          "\xE2\x85\xA3",
                          "\xE4\xB8\xAD"};
  Rng rng(5);
  int longest = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::uint64_t i = rng.below(12) + 1; i > 0; --i) text += pieces[rng.below(pieces.size())];
    INFO(text);
    const Strings words = words_of(by_hand, text);
    REQUIRE(words == words_of(by_regex, text));
    longest = std::max(longest, static_cast<int>(words.size()));
  }
  CHECK(longest > 8);
}

TEST_CASE("the name of a script in a pattern means that script, not what is written along with it") {
  // U+3002 is used with Han, Hiragana and other scripts, and belongs to none of them.
  const std::string text = "\xE4\xBD\xA0\xE3\x80\x82\xE3\x81\x82";
  CHECK(words_of(PreTokenizer("test", {R"(\p{Han}+)"}), text) ==
        Strings{"\xE4\xBD\xA0", "\xE3\x80\x82\xE3\x81\x82"});
  CHECK(words_of(PreTokenizer("test", {R"([\p{Han}a]+)"}), "a" + text) ==
        Strings{"a\xE4\xBD\xA0", "\xE3\x80\x82\xE3\x81\x82"});
  CHECK(words_of(PreTokenizer("test", {R"(\P{Han}+)"}), text) ==
        Strings{"\xE4\xBD\xA0", "\xE3\x80\x82\xE3\x81\x82"});
  CHECK(words_of(PreTokenizer("test", {R"(\p{^Hiragana}+)"}), text) ==
        Strings{"\xE4\xBD\xA0\xE3\x80\x82", "\xE3\x81\x82"});
}

TEST_CASE("word characters of patterns are Oniguruma's") {
  const PreTokenizer words("test", {R"(\w+)"}), edges("test", {R"(\b)"});
  CHECK(words_of(words, "a\xC2\xB2.") == Strings{"a\xC2\xB2", "."});  // superscript two
  CHECK(words_of(words,
                 "a\xE2\x80\x8D"
                 "b") == Strings{"a", "\xE2\x80\x8D", "b"});  // a zero-width joiner
  CHECK(words_of(edges, "a\xC2\xB2-\xCC\x81 b") == Strings{"a\xC2\xB2", "-", "\xCC\x81", " ", "b"});
  CHECK(words_of(PreTokenizer("test", {R"(\Ba)"}), "aa -a") == Strings{"a", "a", " -a"});
}
