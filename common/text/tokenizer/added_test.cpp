// Added tokens of a tokenizer.json beside the model's own, and characters without a token. The right ids are
// those of the Hugging Face `tokenizers` library 0.23.3.

#include <functional>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "testing/catch.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "text/tokenizer/models/bpe.hpp"
#include "text/tokenizer/models/merge.hpp"

using namespace rung;
using nlohmann::json;

namespace {

using Ids = std::vector<std::int32_t>;

json bpe(const std::vector<std::string>& tokens, const json& options = json::object()) {
  json model = {{"type", "BPE"}, {"vocab", json::object()}, {"merges", json::array()}};
  for (std::size_t id = 0; id < tokens.size(); ++id) model["vocab"][tokens[id]] = id;
  model.update(options);
  return model;
}

/// The first token is the unknown one.
json unigram_of(const std::vector<std::pair<std::string, double>>& tokens, bool byte_fallback = false) {
  json vocab = json::array();
  for (const auto& [text, score] : tokens) vocab.push_back(json::array({text, score}));
  return {{"type", "Unigram"}, {"unk_id", 0}, {"byte_fallback", byte_fallback}, {"vocab", vocab}};
}

/// An added token that is found in the text as it stands; `flags` are those that it has.
json added(int id, const std::string& content, const std::vector<std::string>& flags = {}) {
  json token = {{"id", id}, {"content", content}, {"normalized", false}};
  for (const std::string& flag : flags) token[flag] = true;
  return token;
}

std::shared_ptr<const Tokenizer> load(const json& model, const std::vector<json>& added_tokens,
                                      const json& around = json::object()) {
  json root = {{"added_tokens", added_tokens}, {"model", model}};
  root.update(around);
  return tokenizer_from_json_text(root.dump(), "test", {});
}

void refused(const std::function<void()>& call, const std::string& part) {
  try {
    call();
  } catch (const Error& error) {
    INFO(error.what());
    CHECK(std::string(error.what()).find(part) != std::string::npos);
    return;
  }
  FAIL("accepted; expected a sentence with \"" << part << "\"");
}

}  // namespace

TEST_CASE("an added token is no word of the model: ignore_merges") {
  const auto t = load(bpe({"z", "Z"}, {{"ignore_merges", true}}), {added(2, "zzz")},
                      {{"normalizer", {{"type", "Lowercase"}}}});
  CHECK(t->encode("ZZZ", false) == Ids{0, 0, 0});
  CHECK(t->encode("zzz", false) == Ids{2});
  CHECK(t->with_merger(default_merger())->encode("ZZZ", false) == Ids{0, 0, 0});
}

TEST_CASE("an added token is no word of the model: characters, merges, bytes, the unknown token") {
  const std::vector<std::string> word = {"single_word"};
  CHECK(load(bpe({"a", "<unk>"}, {{"unk_token", "<unk>"}}), {added(2, "b", word)})->encode("abab", false) ==
        Ids{0, 1, 0, 1});
  CHECK(load(bpe({"a", "<unk>"}, {{"unk_token", "<unk>"}, {"byte_fallback", true}}), {added(2, "<0x62>")})
            ->encode("ab", false) == Ids{0, 1});
  refused(
      [] {
        load(bpe({"a", "b"}, {{"merges", json::array({json::array({"a", "b"})})}}), {added(2, "ab")});
      },
      "\"ab\" is not a token of the model");
  // A name that the model does not know matters only where it is needed.
  const auto t = load(bpe({"a"}, {{"unk_token", "<unk>"}}), {added(1, "<unk>", {"special"})});
  CHECK(t->encode("aa", false) == Ids{0, 0});
  refused([&] { t->encode("ab", false); }, "the unknown token \"<unk>\" is not in the model's vocabulary");
}

TEST_CASE("an added token is no word of the model: WordPiece, whole words, unigram") {
  const std::vector<std::string> word = {"single_word"};
  const json word_piece = {{"type", "WordPiece"},
                           {"vocab", {{"[UNK]", 0}, {"q", 1}, {"##u", 2}, {"##i", 3}}},
                           {"unk_token", "[UNK]"}};
  CHECK(load(word_piece, {added(4, "qu", word)})->encode("qui", false) == Ids{1, 2, 3});
  const json words = {{"type", "WordLevel"}, {"vocab", {{"a", 0}, {"u", 1}}}, {"unk_token", "u"}};
  const json dashes = {
      {"pre_tokenizer",
       {{"type", "Split"}, {"pattern", {{"String", "-"}}}, {"behavior", "Isolated"}, {"invert", false}}}};
  CHECK(load(words, {added(2, "qu", word)}, dashes)->encode("xqu-qu-qua-a", false) ==
        Ids{1, 1, 2, 1, 1, 1, 0});
  const json unigram = unigram_of({{"<unk>", 0.0}, {"q", -1.0}, {"u", -1.0}});
  CHECK(load(unigram, {added(3, "qu", word)})->encode("qui", false) == Ids{1, 2, 0});
  json nameless = unigram;
  nameless["unk_id"] = nullptr;
  CHECK(load(nameless, {})->encode("qu", false) == Ids{1, 2});
  refused([&] { load(nameless, {})->encode("qui", false); }, "names no unknown token");
}

TEST_CASE("an added token of the model's own is a word as well, unless special tokens are text") {
  const std::vector<std::string> flags = {"single_word", "special"};
  const auto t = load(bpe({"a", "b", "ab"}, {{"merges", json::array({json::array({"a", "b"})})}}),
                      {added(2, "ab", flags)});
  CHECK(t->encode("xabab ab", false) == Ids{2, 2, 2});
  CHECK(t->encode("abab", false, false) == Ids{0, 1, 0, 1});  // what users wrote makes no special token
  CHECK(t->with_merger(default_merger())->encode("abab", false, false) == Ids{0, 1, 0, 1});
  const json words = {{"type", "WordLevel"}, {"vocab", {{"a", 0}, {"u", 1}}}, {"unk_token", "u"}};
  CHECK(load(words, {added(0, "a", flags)})->encode("a", false, false) == Ids{1});
  const json unigram = unigram_of({{"<unk>", 0.0}, {"</s>", 0.0}, {"s", -1.0}});
  CHECK(load(unigram, {added(1, "</s>", {"special"})})->encode("s</s>", false, false) == Ids{2, 0, 2, 0});
  CHECK(load(unigram, {added(1, "</s>", {"special", "single_word"})})->encode("s</s>s", false) ==
        Ids{2, 1, 2});
}

TEST_CASE("the search for added tokens goes on behind the match, not behind the space it takes along") {
  const std::vector<std::string> rstrip = {"rstrip", "special"};
  const auto t = load(bpe({"a", "b"}), {added(2, "<e>", rstrip), added(3, "\n\n")});
  CHECK(t->encode("a<e>\n\nb", false) == Ids{0, 2, 3, 1});
  CHECK(t->encode("a<e>\n\n\n\n b", false) == Ids{0, 2, 3, 3, 1});
  CHECK(t->encode("a<e> \n\n a", false) == Ids{0, 2, 3, 0});

  const auto more =
      load(bpe({"a", "b", " ", "\n"}), {added(4, "<e>", rstrip), added(5, "\n\n"),
                                        added(6, "<l>", {"lstrip"}), added(7, " x", {"single_word"})});
  CHECK(more->encode("a<e>\n\n\n b", false) == Ids{0, 4, 5, 3, 2, 1});  // the rest of the space is text again
  CHECK(more->encode(" a<e>  <l> b", false) == Ids{2, 0, 4, 6, 2, 1});
  CHECK(more->encode("<e> \n<l>", false) == Ids{4, 6});
  CHECK(more->encode("<e>  x b", false) == Ids{4, 7, 2, 1});
  CHECK(more->encode("<e>  xa", false) == Ids{4, 0});
  CHECK(more->encode("a \n<l><e>\n\n", false) == Ids{0, 6, 4, 5});
  // A token that takes space on both sides finds none left.
  const auto spaces = load(bpe({"a", "b"}), {added(2, " ", {"lstrip", "rstrip"})});
  CHECK(spaces->encode("a   a", false) == Ids{0, 2, 0});
}

TEST_CASE("tokens inside the space that others take along cost linear time") {
  const auto t = load(bpe({"a"}), {added(1, "\n", {"rstrip"})});
  const std::string text(300'000, '\n');
  CHECK(t->encode(text, false).size() == text.size());
}

TEST_CASE("byte fallback without all bytes: a character that lacks one is unknown") {
  const json options = {{"unk_token", "<unk>"}, {"byte_fallback", true}, {"fuse_unk", true}};
  const auto t = load(bpe({"a", "<unk>", "<0xC3>", "<0xA9>", "<0xE2>"}, options), {});
  CHECK(t->encode("\xC3\xA9", false) == Ids{2, 3});
  CHECK(t->encode("\xC3\xA8", false) == Ids{1});
  // The library keeps the unknown token waiting for the next known character, behind the bytes of others.
  CHECK(t->encode("a\xE2\x98\x83\xC3\xA9"
                  "a",
                  false) == Ids{0, 2, 3, 1, 0});
  CHECK(t->encode("\xE2\x98\x83\xE2\x98\x83"
                  "a",
                  false) == Ids{1, 0});
  const auto nameless = load(bpe({"a", "<0xC3>", "<0xA9>"}, {{"byte_fallback", true}}), {});
  CHECK(nameless->encode("a\xC3\xA9", false) == Ids{0, 1, 2});
  CHECK(nameless->encode("a\xC3\xA8"
                         "a",
                         false) == Ids{0, 0});

  const json unigram = unigram_of(
      {{"<unk>", 0.0}, {"a", -1.0}, {"<0xF0>", -2.0}, {"<0x9F>", -2.0}, {"<0xC3>", -2.0}, {"<0xA9>", -2.0}},
      true);
  const auto u = load(unigram, {});
  CHECK(u->encode("a\xF0\x9F\x98\x80"
                  "a",
                  false) == Ids{1, 0, 1});
  CHECK(u->encode("a\xC3\xA9\xC3\xA9", false) == Ids{1, 4, 5, 4, 5});
  CHECK(u->encode("\xC3\xA9\xE2\x98\x83", false) == Ids{0});  // a run of unknown characters is one
}

TEST_CASE("byte fallback in a byte-level vocabulary has nothing to do") {
  json vocab = json::object();
  for (std::size_t byte = 0; byte < 256; ++byte) vocab[visible_bytes()[byte]] = byte;
  const json model = {{"type", "BPE"}, {"vocab", vocab}, {"merges", json::array()}, {"byte_fallback", true}};
  const json around = {{"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
                       {"decoder", {{"type", "ByteLevel"}}}};
  const auto t = load(model, {}, around);
  CHECK(t->encode("a\xC3\xA9", false) == Ids{'a', 0xC3, 0xA9});
  CHECK(t->decode(Ids{'a', 0xC3, 0xA9}) == "a\xC3\xA9");
}

TEST_CASE("unigram: a run of unknown characters that is a token together is that token") {
  const auto t = load(unigram_of({{"<unk>", 20.0}, {"a", 20.0}, {"xy", 20.0}}), {});
  CHECK(t->encode("xy", false) == Ids{2});
  CHECK(t->encode("axy", false) == Ids{1, 2});
}
