// Tokenizers over small vocabularies made here: merging, special tokens, UTF-8, and vocabularies that
// must be refused with a sentence.

#include "text/tokenizer/tokenizer.hpp"

#include <functional>
#include <limits>
#include <thread>

#include "core/error.hpp"
#include "core/rng.hpp"
#include "testing/catch.hpp"
#include "text/tokenizer/models/bpe.hpp"
#include "text/tokenizer/models/spm.hpp"
#include "text/utf8.hpp"

using namespace rung;

namespace {

using Ids = std::vector<std::int32_t>;

/// All bytes, then `words` with the merges that make them letter by letter, then special tokens.
BpeVocab bpe_vocab(const std::vector<std::string>& words = {"ab", "abc", "bc"}) {
  BpeVocab v;
  v.source = "test";
  for (const std::string& byte : visible_bytes()) v.tokens.push_back(byte);
  for (const std::string& word : words) {
    v.tokens.push_back(word);
    v.merges.emplace_back(word.substr(0, word.size() - 1), word.substr(word.size() - 1));
  }
  v.types.assign(v.tokens.size(), TokenType::normal);
  for (const char* special : {"<|x|>", "<|x|>y"}) {
    v.tokens.emplace_back(special);
    v.types.push_back(TokenType::control);
  }
  v.tokens.emplace_back("<user>");
  v.types.push_back(TokenType::user_defined);
  v.patterns = {std::string(kGpt2Pattern)};
  return v;
}

SpmVocab spm_vocab() {
  SpmVocab v;
  v.source = "test";
  const auto add = [&](const std::string& token, TokenType type, float score) {
    v.tokens.push_back(token);
    v.types.push_back(type);
    v.scores.push_back(score);
  };
  add("<unk>", TokenType::unknown, 0);
  add("<s>", TokenType::control, 0);
  add("</s>", TokenType::control, 0);
  for (unsigned byte = 0; byte < 256; ++byte) add(fmt::format("<0x{:02X}>", byte), TokenType::byte, 0);
  float score = -1;
  for (const char* token : {"ab",
                            "\xE2\x96\x81"
                            "ab",
                            "aba", "\xE2\x96\x81", "a", "b", "c"}) {
    add(token, TokenType::normal, score--);
  }
  add("<user>", TokenType::user_defined, 0);
  v.bos = 1, v.eos = 2, v.unknown = 0, v.add_bos = true;
  return v;
}

template <class Make>
void refused(const Make& make, const std::string& part) {
  try {
    make();
  } catch (const Error& error) {
    INFO("the sentence: " << error.what());
    CHECK(std::string(error.what()).find(part) != std::string::npos);
    return;
  }
  FAIL("accepted; expected a sentence with \"" << part << "\"");
}

/// The plain quadratic way: look for the best pair, leftmost among equals, until there is none.
Ids merge_plainly(Ids ids, const PairTable& pairs) {
  while (true) {
    std::size_t best = ids.size();
    const PairTable::Entry* best_pair = nullptr;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const PairTable::Entry* pair = pairs.find(ids[i], ids[i + 1]);
      if (pair != nullptr && (best_pair == nullptr || pair->rank < best_pair->rank))
        best = i, best_pair = pair;
    }
    if (best_pair == nullptr) return ids;
    ids[best] = best_pair->id;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

}  // namespace

TEST_CASE("merging by heap equals merging by looking at all pairs") {
  Rng rng(11);
  std::uint64_t merged = 0;
  for (int round = 0; round < 400; ++round) {
    // Random merges over four letters; ids 4 and up are what merges make.
    PairTable pairs(200);
    const auto count = static_cast<std::int32_t>(rng.below(100));
    for (std::int32_t rank = 0; rank < count; ++rank) {
      const std::uint64_t known = 4 + static_cast<std::uint64_t>(rank);
      pairs.insert(static_cast<std::int32_t>(rng.below(known)), static_cast<std::int32_t>(rng.below(known)),
                   rank, 4 + rank);
    }
    MergeScratch scratch;
    const std::uint64_t length = rng.below(round % 2 == 0 ? 30 : 200);  // short words and long ones
    for (std::uint64_t i = 0; i < length; ++i) {
      scratch.symbols.push_back(
          static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(round % 4 + 1))));
    }
    const Ids letters = scratch.symbols;
    merge_word(pairs, scratch);
    const Ids ids = scratch.symbols;
    REQUIRE(ids == merge_plainly(letters, pairs));
    if (letters.size() > 100) REQUIRE(scratch.pops <= 3 * letters.size());
    merged += letters.size() - ids.size();
  }
  CHECK(merged > 2000);
}

TEST_CASE("UTF-8: a common prefix ends between two characters of both texts") {
  CHECK(utf8_common_prefix("", "") == 0);
  CHECK(utf8_common_prefix("abc", "abd") == 2);
  CHECK(utf8_common_prefix("ab", "abc") == 2);
  CHECK(utf8_common_prefix("a\u00e4", "a\u00f6") == 1);  // C3 A4 and C3 B6
  CHECK(utf8_common_prefix("a\u00e4", "a\u00e4b") == 3);
  CHECK(utf8_common_prefix("a\xC3", "a\u00e4") == 1);  // one text ends inside a character
  CHECK(utf8_common_prefix("\u20ac", "\u20ad") == 0);
}

TEST_CASE("UTF-8: maximal subparts as in the Unicode standard") {
  // Tables 3-8 to 3-11 of the standard, chapter 3.9.
  const std::string r(kReplacementCharacter);
  CHECK(utf8_repaired("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41") == r + r + r + r + r + r + r + r + "A");
  CHECK(utf8_repaired("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41") == r + r + r + r + r + r + r + r + "A");
  CHECK(utf8_repaired("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42") == r + r + r + r + r + "A" + r + r + "B");
  CHECK(utf8_repaired("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41") == r + r + r + r + "A");
  for (char32_t code = 0; code < 0x110000; code += code < 0x3000 ? 1 : 37) {
    if (code >= 0xD800 && code < 0xE000) continue;
    const std::string text = utf8_encoded(code);
    const Utf8Step step = utf8_next(text, 0);
    REQUIRE(step.kind == Utf8Step::Kind::character);
    REQUIRE(step.length == text.size());
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      REQUIRE(utf8_next(std::string_view(text).substr(0, cut), 0).kind == Utf8Step::Kind::unfinished);
    }
  }
}

TEST_CASE("a stream never says half a character") {
  const BpeTokenizer tokenizer(bpe_vocab());
  StreamDecoder stream(tokenizer);
  const auto push = [&](unsigned char byte) {
    return stream.push(tokenizer.encode(std::string(1, static_cast<char>(byte)), false).at(0));
  };
  CHECK(push(0xF0).empty());
  CHECK(push(0x9F).empty());
  CHECK(push(0x9A).empty());
  CHECK(push(0x80) == "\xF0\x9F\x9A\x80");
  CHECK(push(0xE2).empty());
  CHECK(push('a') ==
        "\xEF\xBF\xBD"
        "a");                           // a beginning that comes to nothing
  CHECK(push(0xFF) == "\xEF\xBF\xBD");  // can begin nothing
  CHECK(push(0xC3).empty());
  CHECK(stream.finish() == "\xEF\xBF\xBD");
  CHECK(stream.finish().empty());
}

TEST_CASE("byte-level: merges by rank, special tokens longest first, user-defined text") {
  const BpeTokenizer tokenizer(bpe_vocab());
  CHECK(tokenizer.encode("abc", false) == Ids{257});  // a b -> ab, ab c -> abc
  CHECK(tokenizer.encode("abbc", false) == Ids{256, 258});
  CHECK(tokenizer.encode("<|x|>y<|x|>z", false) == Ids{260, 259, 'z'});
  CHECK(tokenizer.encode("<|x|", false).size() == 4);
  CHECK(tokenizer.encode("ab<user>ab", false) == Ids{256, 261, 256});
  CHECK(tokenizer.decode(Ids{256, 261, 260, 256}) == "ab<user>ab");
  CHECK(tokenizer.encode("", true).empty());
  CHECK(tokenizer.describe() == "byte-level BPE, 262 tokens");
  refused([&] { tokenizer.piece(262); }, "0 to 261");
  refused([&] { tokenizer.decode(Ids{-1}); }, "token -1 is not in the vocabulary");
}

TEST_CASE("byte-level: ignore_merges takes a whole word as it is") {
  BpeVocab v = bpe_vocab();
  v.merges.clear();
  CHECK(BpeTokenizer(v).encode("abc", false) == Ids{'a', 'b', 'c'});
  v.ignore_merges = true;
  CHECK(BpeTokenizer(v).encode("abc abc", false) == Ids{257, ' ', 'a', 'b', 'c'});
}

TEST_CASE("SentencePiece style: best score, leftmost first, bytes, spaces") {
  const SpmTokenizer tokenizer(spm_vocab());
  const int ab = 259, _ab = 260, aba = 261, space = 262, a = 263, b = 264, c = 265, user = 266;
  CHECK(tokenizer.encode("ab", true) == Ids{1, _ab});
  CHECK(tokenizer.encode("cabab", false) == Ids{space, c, ab, ab});  // ab before aba
  CHECK(tokenizer.encode("caba", false) == Ids{space, c, aba});
  CHECK(tokenizer.encode("  b", false) == Ids{space, space, space, b});
  CHECK(tokenizer.encode("\xC3\xA9", false) == Ids{space, 3 + 0xC3, 3 + 0xA9});
  CHECK(tokenizer.encode("a\xFF", false) == Ids{space, a, 3 + 0xFF});
  CHECK(tokenizer.encode("a<user>b</s>", false) == Ids{space, a, user, space, b, 2});
  CHECK(tokenizer.encode("", true) == Ids{1});
  for (const std::string text : {"", " ", "  ", "a", " a", "a ", "a<user>b", "<user> b", "\n ab\xF0\x9F"}) {
    CHECK(tokenizer.decode(tokenizer.encode(text, true)) == text);
  }
  CHECK(tokenizer.piece(_ab) == " ab");
  CHECK(tokenizer.piece(0) == "\xEF\xBF\xBD");
  CHECK(tokenizer.piece(1).empty());

  SpmVocab plain = spm_vocab();
  plain.space_prefix = SpacePrefix::none;
  const SpmTokenizer without(plain);
  CHECK(without.encode("ab", false) == Ids{ab});
  CHECK(without.decode(Ids{_ab}) == " ab");
}

TEST_CASE("SentencePiece style: without byte tokens a run of unknown characters is one unknown token") {
  SpmVocab v = spm_vocab();
  v.tokens.erase(v.tokens.begin() + 3, v.tokens.begin() + 259);
  v.types.erase(v.types.begin() + 3, v.types.begin() + 259);
  v.scores.erase(v.scores.begin() + 3, v.scores.begin() + 259);
  const SpmTokenizer tokenizer(v);
  CHECK(tokenizer.encode("a\xC3\xA9\xC3\xA8"
                         "b",
                         false) == Ids{6, 7, 0, 8});
}

TEST_CASE("SentencePiece style: a character of which a byte has no token is unknown") {
  SpmVocab v = spm_vocab();
  v.types[3 + 0xA9] = TokenType::normal;
  const SpmTokenizer tokenizer(v);
  const int space = 262, a = 263;
  CHECK(tokenizer.encode("\xC3\xA8", false) == Ids{space, 3 + 0xC3, 3 + 0xA8});
  CHECK(tokenizer.encode("a\xC3\xA9\xC3\xA9\xC3\xA8", false) == Ids{space, a, 0, 3 + 0xC3, 3 + 0xA8});
}

TEST_CASE("a tokenizer may be used by several threads at once") {
  const BpeTokenizer tokenizer(bpe_vocab());
  std::string text;
  for (int i = 0; i < 2000; ++i) text += i % 3 == 0 ? "abc " : " bcab\n";
  const Ids expected = tokenizer.encode(text, false);
  std::vector<Ids> found(4);
  std::vector<std::thread> threads;
  for (Ids& ids : found) threads.emplace_back([&] { ids = tokenizer.encode(text, false); });
  for (std::thread& thread : threads) thread.join();
  for (const Ids& ids : found) CHECK(ids == expected);
}

TEST_CASE("patterns: those that cannot be run give a sentence") {
  const auto count = [](const std::string& pattern, const std::string& text) {
    int words = 0;
    std::string all;
    Words found;
    PreTokenizer("test", {pattern}).run(text, true, found);
    for (const Span span : found.spans) ++words, all += found.word(span);
    CHECK(all == text);
    return words;
  };
  CHECK(count("b", "abcb") == 4);
  CHECK(count("(?=b)", "abcb") == 3);  // empty matches cut too
  CHECK(count("", "abc") == 3);
  CHECK(count(R"(\s)",
              "a\xE1\xA0\x8E"
              "b c") == 3);  // U+180E is no white space
  refused([&] { count("(", "a"); }, "not a regular expression");
  CHECK(count("[a[bc]]+", "xabcx") == 3);      // a set inside a set is the union
  CHECK(count("[a-c&&[^b]]+", "xacbx") == 3);  // an intersection
  refused([&] { count("(?~ab)", "a"); }, "an absent group");
  refused([&] { count("(a+)+$", std::string(60, 'a') + "b"); }, "match limit");
  refused([] { find_pre_tokenizer("test", "nope"); }, "it must be one of: default, gpt-2, mpt");
}

TEST_CASE("bad byte-level vocabularies are refused with a sentence") {
  const auto bad = [](const std::function<void(BpeVocab&)>& change, const std::string& part) {
    BpeVocab v = bpe_vocab();
    change(v);
    refused([&] { BpeTokenizer{v}; }, part);
  };
  bad([](BpeVocab& v) { v.tokens.clear(), v.types.clear(); }, "no tokens");
  bad([](BpeVocab& v) { v.types.pop_back(); }, "262 tokens but 261 token types");
  bad([](BpeVocab& v) { v.tokens[256] = std::string("a"); }, "both \"a\"");
  bad([](BpeVocab& v) { v.types[3] = TokenType{0}; }, "type 0");
  bad([](BpeVocab& v) { v.types[3] = TokenType::byte; }, "type 6 (byte)");
  bad([](BpeVocab& v) { v.tokens[97] = "Q!"; }, "no token for byte 0x61");
  bad([](BpeVocab& v) { v.tokens['z'] = "zz"; }, "no token for byte 0x7A");
  bad([](BpeVocab& v) { v.merges.emplace_back("q", "q"); }, "\"qq\" is not a token");
  bad([](BpeVocab& v) { v.merges.emplace_back("", "q"); }, "is not a token");
  bad([](BpeVocab& v) { v.bos = 262; }, "start (BOS) token is 262");
  bad([](BpeVocab& v) { v.eos = -5; }, "end (EOS) token is -5");
  bad([](BpeVocab& v) { v.unknown = 1 << 30; }, "unknown token is 1073741824");
  bad([](BpeVocab& v) { v.ends = {999}; }, "end of turn token is 999");
  bad([](BpeVocab& v) { v.add_bos = true; }, "names none");
  bad([](BpeVocab& v) { v.patterns = {"[a-"}; }, "not a regular expression");
}

TEST_CASE("bad SentencePiece-style vocabularies are refused with a sentence") {
  const auto bad = [](const std::function<void(SpmVocab&)>& change, const std::string& part) {
    SpmVocab v = spm_vocab();
    change(v);
    refused([&] { SpmTokenizer{v}; }, part);
  };
  bad([](SpmVocab& v) { v.scores.pop_back(); }, "267 tokens but 266 scores");
  bad([](SpmVocab& v) { v.scores[5] = std::numeric_limits<float>::quiet_NaN(); }, "score of token 5");
  bad([](SpmVocab& v) { v.types[10] = TokenType::normal, v.unknown = -1; }, "of which it has 255");
  bad([](SpmVocab& v) { v.tokens[10] = "<0xZZ>"; }, "<0xZZ>");
  bad([](SpmVocab& v) { v.tokens[10] = v.tokens[11]; }, "tokens 10 and 11");
  bad(
      [](SpmVocab& v) {
        for (int id = 3; id < 259; ++id) v.types[static_cast<std::size_t>(id)] = TokenType::normal;
        v.unknown = -1;
      },
      "neither byte tokens");
  bad([](SpmVocab& v) { v.merges = Merges{{"a", "z"}}; }, "\"z\" is not a token");
}
