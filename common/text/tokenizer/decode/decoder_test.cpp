// Decoders of tokenizer.json, one by one and in sequences, whole and as streams. The right texts are those of
// the Hugging Face `tokenizers` library 0.23.3, decode(ids) with its default of leaving special tokens out.

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "testing/catch.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "text/tokenizer/models/bpe.hpp"
#include "text/utf8.hpp"

using namespace rung;
using nlohmann::json;

namespace {

using Ids = std::vector<std::int32_t>;

/// The same sixteen tokens under any decoder, and two added ones: 16 is text, 17 is special.
std::shared_ptr<const Tokenizer> with_decoder(const json& decoder) {
  const std::string space(kVisibleSpace);
  const std::vector<std::string> tokens = {"a",
                                           "b",
                                           "##b",
                                           space,
                                           space + "a",
                                           ".",
                                           "<0xC3>",
                                           "<0xA9>",
                                           "<pad>",
                                           "|",
                                           "c</w>",
                                           "</w>d",
                                           visible_bytes()[' '] + "e",
                                           visible_bytes()[0xC3],
                                           visible_bytes()[0xA9],
                                           "<0xE2>"};
  json vocab = json::object();
  for (std::size_t id = 0; id < tokens.size(); ++id) vocab[tokens[id]] = id;
  const json root = {{"added_tokens",
                      {{{"id", 16}, {"content", "<x>"}, {"special", false}, {"normalized", false}},
                       {{"id", 17}, {"content", "<s>"}, {"special", true}, {"normalized", false}}}},
                     {"decoder", decoder},
                     {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", json::array()}}}};
  return tokenizer_from_json_text(root.dump(), "test", {});
}

std::string text_of(const json& decoder, const Ids& ids) {
  const auto tokenizer = with_decoder(decoder);
  const std::string text = utf8_repaired(tokenizer->decode(ids));
  // A stream of the same ids is the same text, whatever was said in between.
  StreamDecoder stream(*tokenizer);
  std::string streamed;
  for (const std::int32_t id : ids) streamed += stream.push(id);
  streamed += stream.finish();
  INFO(decoder.dump());
  CHECK(streamed == text);
  return text;
}

json sequence(const std::vector<json>& steps) { return {{"type", "Sequence"}, {"decoders", steps}}; }

const json kReplace = {{"type", "Replace"}, {"pattern", {{"String", "\xE2\x96\x81"}}}, {"content", " "}};
const json kBytes = {{"type", "ByteFallback"}};
const json kFuse = {{"type", "Fuse"}};
const json kStrip = {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}};
const json kWordPiece = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
const json kByteLevel = {{"type", "ByteLevel"}};

}  // namespace

TEST_CASE("decoder: without one there is a space between any two tokens") {
  CHECK(text_of(nullptr, {4, 0, 1}) ==
        "\xE2\x96\x81"
        "a a b");
  CHECK(text_of(nullptr, {16, 0, 17, 2}) == "<x> a ##b");  // the special token leaves no space behind
  CHECK(text_of(nullptr, {17, 0}) == "a");
  CHECK(text_of(nullptr, {}).empty());
}

TEST_CASE("decoder: WordPiece puts spaces around added tokens too") {
  CHECK(text_of(kWordPiece, {0, 2, 16, 0, 2}) == "ab <x> ab");
  CHECK(text_of(kWordPiece, {2, 0}) == "##b a");  // the first token is left as it is
  CHECK(text_of(kWordPiece, {0, 2, 5, 0}) == "ab. a");
  json plain = kWordPiece;
  plain["cleanup"] = false;
  CHECK(text_of(plain, {0, 2, 5, 0}) == "ab . a");
}

TEST_CASE("decoder: ByteLevel turns tokens of visible bytes into bytes, and leaves others") {
  CHECK(text_of(kByteLevel, {12, 13, 14, 0}) ==
        " e\xC3\xA9"
        "a");
  CHECK(text_of(kByteLevel, {13, 0}) ==
        "\xEF\xBF\xBD"
        "a");  // half a character
  CHECK(text_of(kByteLevel, {4, 16}) ==
        "\xE2\x96\x81"
        "a<x>");
}

TEST_CASE("decoder: ByteLevel keeps bytes that are no valid UTF-8, except for steps behind it") {
  CHECK(with_decoder(kByteLevel)->decode(Ids{13, 0}) == "\xC3" + std::string("a"));
  CHECK(with_decoder(sequence({kByteLevel, kFuse}))->decode(Ids{13, 0}) ==
        std::string(kReplacementCharacter) + "a");
}

TEST_CASE("decoder: Metaspace drops its character in the first token only") {
  json metaspace = {{"type", "Metaspace"}, {"replacement", "\xE2\x96\x81"}, {"prepend_scheme", "always"}};
  CHECK(text_of(metaspace, {3, 3, 4, 1}) == "  ab");
  CHECK(text_of(metaspace, {16, 4}) == "<x> a");
  CHECK(text_of(metaspace, {17, 4}) == "a");  // a special token is not the first
  metaspace["prepend_scheme"] = "never";
  CHECK(text_of(metaspace, {3, 3, 4, 1}) == "   ab");
}

TEST_CASE("decoder: BPEDecoder writes no space for the last token's suffix") {
  const json bpe = {{"type", "BPEDecoder"}, {"suffix", "</w>"}};
  CHECK(text_of(bpe, {10, 11, 10}) == "c  dc");
  CHECK(text_of(bpe, {10, 17}) == "c");  // a special token behind it changes nothing
  // An empty suffix is found around every character (Rust's replace).
  CHECK(text_of({{"type", "BPEDecoder"}, {"suffix", ""}}, {0, 5, 10}) == " a  . c</w>");
}

TEST_CASE("decoder: Strip is executed, token by token or on the whole text") {
  CHECK(text_of(sequence({kReplace, kFuse, kStrip}), {3, 3, 0}) == " a");
  CHECK(text_of(sequence({kReplace, kStrip}), {3, 3, 4, 1}) == "ab");
  CHECK(text_of({{"type", "Strip"}, {"content", "b"}, {"start", 0}, {"stop", 1}}, {0, 1, 2, 16}) == "a##<x>");
  const json both = {{"type", "Strip"}, {"content", "b"}, {"start", 1}, {"stop", 2}};
  CHECK(text_of(sequence({kFuse, both}), {1, 1, 0, 1, 1, 1}) == "bab");
  // The library fails where a token has fewer characters than that; here they just go.
  CHECK(text_of(both, {1, 0}) == "a");
}

TEST_CASE("decoder: Replace takes any text and any pattern") {
  CHECK(text_of({{"type", "Replace"}, {"pattern", {{"String", "b"}}}, {"content", "\xC3\xA9"}}, {0, 1, 2}) ==
        "a\xC3\xA9##\xC3\xA9");
  CHECK(text_of({{"type", "Replace"}, {"pattern", {{"Regex", "[ab]"}}}, {"content", "x"}}, {8, 0, 1}) ==
        "<pxd>xx");
  // A match may span tokens that were fused before.
  const json across = {{"type", "Replace"}, {"pattern", {{"String", "ab"}}}, {"content", "-"}};
  CHECK(text_of(sequence({kFuse, across}), {0, 0, 1, 0, 0, 2}) == "a-aa##b");
  CHECK(text_of(across, {0, 1}) == "ab");
  const json empty = {{"type", "Replace"}, {"pattern", {{"Regex", "x*"}}}, {"content", "-"}};
  CHECK(text_of(empty, {16, 0}) == "-<->--a-");  // no empty match right behind the one of "x"
}

TEST_CASE("decoder: ByteFallback makes a text of a run of bytes, or U+FFFD of each of them") {
  const std::string r(kReplacementCharacter);
  CHECK(text_of(kBytes, {6, 7, 0}) ==
        "\xC3\xA9"
        "a");
  CHECK(text_of(kBytes, {6, 7, 6, 0, 7}) == r + r + r + "a" + r);
  CHECK(text_of(kBytes, {6, 17, 7}) == "\xC3\xA9");  // a special token does not end the run
  const json llama = sequence({kReplace, kBytes, kFuse, kStrip});
  CHECK(text_of(llama, {4, 0, 6, 7, 4}) == "aa\xC3\xA9 a");
  CHECK(text_of(llama, {15, 0}) == r + "a");
}

TEST_CASE("decoder: CTC keeps one of equal neighbors, without the pad token") {
  json ctc = {{"type", "CTC"}, {"pad_token", "<pad>"}, {"word_delimiter_token", "|"}, {"cleanup", true}};
  CHECK(text_of(ctc, {8, 0, 0, 8, 0, 9, 1}) == "aa b");
  ctc["cleanup"] = false;
  CHECK(text_of(ctc, {8, 0, 0, 8, 0, 9, 1}) == "aa|b");
}

TEST_CASE("decoder: Sequences may be nested, empty, and in any order") {
  const json across = {{"type", "Replace"}, {"pattern", {{"String", "ab"}}}, {"content", "<"}};
  const json stop = {{"type", "Strip"}, {"content", "b"}, {"start", 0}, {"stop", 2}};
  CHECK(text_of(sequence({sequence({kFuse}), across, stop}), {3, 4, 1, 1}) == "\xE2\x96\x81\xE2\x96\x81<");
  CHECK(text_of(sequence({}), {0, 16}) == "a<x>");
  const json metaspace = {
      {"type", "Metaspace"}, {"replacement", "\xE2\x96\x81"}, {"prepend_scheme", "first"}};
  CHECK(text_of(sequence({kFuse, metaspace}), {3, 3, 4, 1}) == "ab");  // all is the first token
  CHECK(text_of(sequence({kWordPiece, kByteLevel}), {0, 2, 0}) == "ab a");
}

TEST_CASE("decoder: the added token that goes into the decoder is the normalized one") {
  const json root = {{"added_tokens", {{{"id", 1}, {"content", "ABC"}, {"normalized", true}}}},
                     {"normalizer", {{"type", "Lowercase"}}},
                     {"model", {{"type", "BPE"}, {"vocab", {{"a", 0}}}, {"merges", json::array()}}}};
  CHECK(tokenizer_from_json_text(root.dump(), "test", {})->decode(Ids{0, 1}) == "a abc");
}

TEST_CASE("decoder: a stream says what is certain at once") {
  const auto parts = [](const json& decoder, const Ids& ids) {
    const auto tokenizer = with_decoder(decoder);
    StreamDecoder stream(*tokenizer);
    std::vector<std::string> all;
    for (const std::int32_t id : ids) all.push_back(stream.push(id));
    all.push_back(stream.finish());
    return all;
  };
  using Parts = std::vector<std::string>;
  const json llama = sequence({kReplace, kBytes, kFuse, kStrip});
  CHECK(parts(llama, {4, 4, 3, 1}) == Parts{"a", " a", " ", "b", ""});
  const std::string acute = "\xC3\xA9";
  CHECK(parts(llama, {0, 6, 7, 1}) == Parts{"a", "", "", acute + "b", ""});
  CHECK(parts(kByteLevel, {0, 13, 14, 12}) == Parts{"a", "", "\xC3\xA9", " e", ""});
  CHECK(parts(kWordPiece, {0, 2, 0}) == Parts{"a", "b", " a", ""});
  CHECK(parts({{"type", "BPEDecoder"}, {"suffix", "</w>"}}, {10, 10}) == Parts{"c", " c", ""});
  CHECK(parts(nullptr, {0, 0}) == Parts{"a", " a", ""});
  // What a match of a pattern may still reach is kept back.
  const json across = {{"type", "Replace"}, {"pattern", {{"String", "ab"}}}, {"content", "-"}};
  CHECK(parts(sequence({kFuse, across}), {1, 0, 1, 0, 5}) == Parts{"b", "", "-", "", "a.", ""});
}

TEST_CASE("decoder: a stream that ends in half a character after text that was kept back says both") {
  const json suffix = {{"type", "BPEDecoder"}, {"suffix", "</w>"}};
  CHECK(text_of(sequence({suffix, kByteLevel}), {0, 13}) == "a" + std::string(kReplacementCharacter));
}

TEST_CASE("decoder: a stream that follows a prompt gives what the text has more than the prompt's") {
  const auto follow = [](const json& decoder, const Ids& prompt, const Ids& ids) {
    const auto tokenizer = with_decoder(decoder);
    StreamDecoder stream(*tokenizer);
    stream.follow(prompt);
    std::string text;
    for (const std::int32_t id : ids) text += stream.push(id);
    text += stream.finish();
    Ids all = prompt;
    all.insert(all.end(), ids.begin(), ids.end());
    INFO(decoder.dump());
    const std::string before = utf8_repaired(tokenizer->decode(prompt));
    const std::string whole = utf8_repaired(tokenizer->decode(all));
    if (whole.starts_with(before)) CHECK(before + text == whole);
    return text;
  };
  const json llama = sequence({kReplace, kBytes, kFuse, kStrip});
  CHECK(follow(llama, {17, 4}, {4, 1}) == " ab");  // the space in front is not that of a text's beginning
  CHECK(follow(llama, {17}, {4, 1}) == "ab");
  CHECK(follow(llama, {0, 6, 7}, {1}) == "b");  // the prompt's bytes are not said again
  CHECK(follow(llama, {0, 6}, {7, 1}) ==
        "\xC3\xA9"
        "b");
  CHECK(follow(kByteLevel, {13}, {14, 0}) ==
        "\xC3\xA9"
        "a");
  CHECK(follow(kByteLevel, {13}, {}).empty());
  CHECK(follow(kWordPiece, {0}, {2, 1}) == "b b");
  CHECK(follow({{"type", "BPEDecoder"}, {"suffix", "</w>"}}, {10}, {10}) == " c");
  CHECK(follow(nullptr, {0}, {0}) == " a");
  const json whole_text =
      sequence({kFuse, {{"type", "Replace"}, {"pattern", {{"Regex", "^a"}}}, {"content", "x"}}});
  CHECK(follow(whole_text, {0, 1}, {0, 1}) == "ab");
}

TEST_CASE("decoder: steps with settings that cannot be are refused with a sentence") {
  const auto refused = [](const json& decoder, const std::string& part) {
    try {
      with_decoder(decoder);
    } catch (const Error& error) {
      INFO(error.what());
      CHECK(std::string(error.what()).find(part) != std::string::npos);
      return;
    }
    FAIL("accepted " << decoder.dump());
  };
  refused({{"type", "Strip"}, {"content", "ab"}, {"start", 1}, {"stop", 0}}, "should be one character");
  refused({{"type", "Strip"}, {"start", 1}, {"stop", 0}}, "should be one character");
  refused({{"type", "Strip"}, {"content", "a"}, {"start", -1}, {"stop", 0}}, "should be 0 or more");
  refused({{"type", "Metaspace"}, {"replacement", "ab"}}, "should be one character");
  refused({{"type", "Metaspace"}, {"prepend_scheme", "sometimes"}}, "\"sometimes\" is not known");
  refused({{"type", "Replace"}, {"content", "a"}}, "neither a \"Regex\" nor a \"String\"");
  refused({{"type", "Replace"}, {"pattern", {{"Regex", "("}}}, {"content", "a"}}, "regular expression");
  refused({{"type", "Sequence"}, {"decoders", {{{"type", "Morse"}}}}}, "\"Morse\" is not supported");
}
