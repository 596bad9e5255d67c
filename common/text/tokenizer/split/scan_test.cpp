// Compares the hand-written scanners with the regular expressions that they implement.

#include "core/rng.hpp"
#include "testing/catch.hpp"
#include "text/tokenizer/split/pretokenize.hpp"
#include "text/utf8.hpp"

using namespace rung;

namespace {

std::vector<Span> by_regex(const Regex& regex, std::string_view text) {
  std::vector<Span> words;
  std::uint32_t done = 0;
  Regex::Search search(regex, text.size());
  search.run(text, [&](std::uint32_t begin, std::uint32_t end) {
    if (begin > done) words.push_back({done, begin});
    words.push_back({begin, end});
    done = end;
  });
  if (done < text.size()) words.push_back({done, static_cast<std::uint32_t>(text.size())});
  return words;
}

/// Uses few distinct characters, so that every alternative of the patterns occurs often and in all orders.
std::string random_text(Rng& rng) {
  static const std::vector<std::string> pieces = {" ",
                                                  " ",
                                                  "  ",
                                                  "\n",
                                                  "\r",
                                                  "\t",
                                                  "a",
                                                  "Z",
                                                  "s",
                                                  "S",
                                                  "'",
                                                  "'s",
                                                  "'LL",
                                                  "'Ve",
                                                  "'\xC5\xBF",
                                                  "7",
                                                  "42",
                                                  ".",
                                                  "!?",
                                                  "_",
                                                  "\xC3\xA9",
                                                  "\xCC\x81",
                                                  "\xC2\xA0",
                                                  "\xE3\x80\x80",
                                                  "\xE2\x80\xA8",
                                                  "\xE4\xBD\xA0",
                                                  "\xD9\xA1",
                                                  "\xC2\xBD",
                                                  "\xC2\x85",
                                                  "\xE1\xA0\x8E",
                                                  "\xF0\x9F\x98\x80",
                                                  "\xF0\x9D\x9F\x98",
                                                  "\xE2\x85\xA7",
                                                  "\x01",
                                                  "\xEF\xBB\xBF"};
  std::string text;
  for (std::uint64_t count = rng.below(25); count > 0; --count) text += pieces[rng.below(pieces.size())];
  return text;
}

}  // namespace

TEST_CASE("scanners cut like the patterns that they stand for") {
  for (const std::string_view pattern : {kGpt2Pattern, kLlama3Pattern, kQwen2Pattern}) {
    const Scanner scanner = find_scanner(pattern);
    REQUIRE(scanner != nullptr);
    const Regex regex("test", std::string(pattern));
    Rng rng(12);
    std::size_t words = 0;
    for (int round = 0; round < 20'000; ++round) {
      const std::string text = random_text(rng);
      std::vector<Span> found;
      scanner(text, {0, static_cast<std::uint32_t>(text.size())}, found);
      const auto expected = by_regex(regex, text);
      INFO("pattern " << pattern << ", text \"" << text << "\"");
      REQUIRE(found.size() == expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) REQUIRE(found[i].end == expected[i].end);
      words += found.size();
    }
    CHECK(words > 100'000);
  }
  CHECK(find_scanner("x+") == nullptr);
}

TEST_CASE("scanners cut a span as if nothing stood around it") {
  const std::string text = "abc 's  \n12345  ";
  std::vector<Span> words;
  find_scanner(kLlama3Pattern)(text, {4, 14}, words);
  std::vector<std::string> found;
  for (const Span span : words) found.push_back(text.substr(span.begin, span.end - span.begin));
  CHECK(found == std::vector<std::string>{"'s", "  \n", "123", "45"});
}
