// tokenizer_from_json() and tokenizer_from_gguf() on files written here: what is read, and what is refused.

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/rng.hpp"
#include "testing/catch.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "text/tokenizer/models/bpe.hpp"

using namespace rung;
using nlohmann::json;

namespace {

using Ids = std::vector<std::int32_t>;

/// A folder with these files; a null document is left out.
std::string folder_of(const json& tokenizer, const json& config = {}, const json& generation = {}) {
  const std::filesystem::path folder = testing::scratch_file("tokenizer_json");
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  if (!tokenizer.is_null()) std::ofstream(folder / "tokenizer.json") << tokenizer;
  if (!config.is_null()) std::ofstream(folder / "tokenizer_config.json") << config;
  if (!generation.is_null()) std::ofstream(folder / "generation_config.json") << generation;
  return folder.string();
}

json byte_level() {
  json vocab = json::object();
  for (std::size_t byte = 0; byte < 256; ++byte) vocab[visible_bytes()[byte]] = byte;
  vocab["ab"] = 256;
  vocab
      ["\xC4\xA0"
       "ab"] = 257;  // " ab"
  return {{"added_tokens",
           {{{"id", 258}, {"content", "<|end|>"}, {"special", true}},
            {{"id", 259}, {"content", "<note>"}, {"special", false}}}},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
          {"post_processor", nullptr},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", {"a b", "\xC4\xA0 ab"}}}}};
}

void refused(const std::function<void(json&)>& change, const std::string& part, const json& config = {},
             const json& generation = {}) {
  json root = byte_level();
  change(root);
  const std::string folder = folder_of(root, config, generation);
  try {
    tokenizer_from_json(folder);
  } catch (const Error& error) {
    INFO("the sentence: " << error.what());
    CHECK(std::string(error.what()).find(part) != std::string::npos);
    CHECK(std::string(error.what()).find(folder) != std::string::npos);
    return;
  }
  FAIL("accepted; expected a sentence with \"" << part << "\"");
}

const auto unchanged = [](json&) {};

}  // namespace

TEST_CASE("tokenizer.json: byte-level") {
  const auto t = tokenizer_from_json(folder_of(byte_level()));
  CHECK(t->encode("ab ab<|end|>c<note>", true) == Ids{256, 257, 258, 'c', 259});
  CHECK(t->decode(Ids{256, 257, 258, 'c', 259}) == "ab abc<note>");
  CHECK(t->vocab_size() == 260);
  CHECK(t->bos() == -1);
  CHECK(t->eos() == -1);
  CHECK_FALSE(t->adds_bos());
  CHECK(t->is_end(258));  // by its name: chat formats end turns with it

  json pairs = byte_level();
  pairs["model"]["merges"] = json::array({json::array({"a", "b"}), json::array({"\xC4\xA0", "ab"})});
  CHECK(tokenizer_from_json(folder_of(pairs))->encode(" ab", true) == Ids{257});

  json digits = byte_level();
  digits["pre_tokenizer"] = {{"type", "Sequence"},
                             {"pretokenizers",
                              {{{"type", "Split"}, {"pattern", {{"Regex", "a"}}}, {"behavior", "Isolated"}},
                               {{"type", "Split"}, {"pattern", {{"String", "."}}}, {"behavior", "Isolated"}},
                               {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}};
  CHECK(tokenizer_from_json(folder_of(digits))->encode("ab.", true) == Ids{'a', 'b', '.'});
}

TEST_CASE("tokenizer.json: start and end tokens") {
  json root = byte_level();
  root["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single", {{{"SpecialToken", {{"id", "<|end|>"}}}}, {{"Sequence", {{"id", "A"}}}}}}};
  CHECK(tokenizer_from_json(folder_of(root))->encode("a", true) == Ids{258, 'a'});
  CHECK(tokenizer_from_json(folder_of(root))->encode("a", false) == Ids{'a'});
  // The template decides over the configuration, as in transformers 5.
  CHECK(tokenizer_from_json(folder_of(root, {{"add_bos_token", false}}))->encode("a", true) == Ids{258, 'a'});

  const json config = {
      {"bos_token", {{"content", "<|end|>"}}}, {"eos_token", "<note>"}, {"add_bos_token", true}};
  const auto t = tokenizer_from_json(folder_of(byte_level(), config, {{"eos_token_id", {258, 5}}}));
  CHECK(t->bos() == 258);
  CHECK(t->eos() == 259);
  CHECK_FALSE(t->adds_bos());
  CHECK(t->is_end(258));
  CHECK(t->is_end(259));
  CHECK(t->is_end(5));
  CHECK_FALSE(t->is_end(6));
  CHECK(tokenizer_from_json(folder_of(byte_level(), {}, {{"eos_token_id", 258}}))->eos() == 258);
}

TEST_CASE("tokenizer.json: what is not supported is refused by name") {
  refused([](json& r) { r["normalizer"] = {{"type", "NFX"}}; }, "\"NFX\" is not supported");
  refused([](json& r) { r["normalizer"] = 7; }, "should be an object");
  refused([](json& r) { r["model"]["type"] = "Bigram"; }, "\"Bigram\" is not supported");
  refused([](json& r) { r["model"]["dropout"] = 0.1; }, "dropout");
  refused([](json& r) { r["model"]["end_of_word_suffix"] = "</w>"; }, "end_of_word_suffix");
  refused([](json& r) { r["pre_tokenizer"]["type"] = "UnicodeScripts"; },
          "\"UnicodeScripts\" is not supported");
  refused([](json& r) { r["pre_tokenizer"]["use_regex"] = "yes"; }, "should be true or false");
  refused(
      [](json& r) {
        r["pre_tokenizer"] = {{"type", "Metaspace"}, {"prepend_scheme", "sometimes"}};
      },
      "\"sometimes\" is not known");
  refused(
      [](json& r) {
        r["pre_tokenizer"] = {{"type", "Split"}, {"pattern", {{"Regex", "a"}}}, {"behavior", "Gone"}};
      },
      "\"Gone\"");
  refused([](json& r) { r["pre_tokenizer"] = {{"type", "Split"}, {"behavior", "Isolated"}}; }, "pattern");
  refused(
      [](json& r) {
        r["pre_tokenizer"] = {{"type", "Sequence"},
                              {"pretokenizers", {r["pre_tokenizer"], {{"type", "Digits"}}}}};
      },
      "behind ByteLevel");
  refused([](json& r) { r["decoder"] = {{"type", "Morse"}}; }, "\"Morse\" is not supported");
  refused([](json& r) { r["post_processor"] = {{"type", "BertProcessing"}}; }, "[token, id]");
  refused(
      [](json& r) {
        r["post_processor"] = {{"type", "TemplateProcessing"}, {"single", {7}}};
      },
      "neither the text nor a special token");
}

TEST_CASE("tokenizer.json: added tokens may take white space along, or stand for whole words only") {
  json root = byte_level();
  root["added_tokens"][0]["lstrip"] = true;
  root["added_tokens"][1]["rstrip"] = true;
  root["added_tokens"][1]["single_word"] = true;
  const auto t = tokenizer_from_json(folder_of(root));
  CHECK(t->encode("a \xE2\x80\x83<|end|> b", true) == Ids{'a', 258, 0x20, 'b'});
  CHECK(t->encode("a <note> \nb", true) == Ids{'a', 0x20, 259, 'b'});
  CHECK(t->encode("a<note>", true).size() == 7);  // touches a letter
  // As text: what a user wrote must not end a turn.
  CHECK(t->encode("<|end|>", true, false).size() == 7);
  CHECK(t->encode("<note>", true, false) == Ids{259});
}

TEST_CASE("tokenizer.json: contradictions are refused with a sentence") {
  refused([](json& r) { r.erase("model"); }, "model is missing");
  refused([](json& r) { r = json::array(); }, "model is missing");
  refused([](json& r) { r["model"].erase("vocab"); }, "no object \"vocab\"");
  refused([](json& r) { r["model"].erase("merges"); }, "no array \"merges\"");
  refused([](json& r) { r["model"]["vocab"]["x"] = "1"; }, "should be a whole number");
  refused([](json& r) { r["model"]["vocab"]["x"] = 1.5; }, "should be a whole number");
  refused([](json& r) { r["model"]["vocab"]["x"] = 'y'; }, "have the same id");
  refused([](json& r) { r["model"]["vocab"]["x"] = -1; }, "cannot be in a vocabulary");
  refused([](json& r) { r["model"]["vocab"]["x"] = 4'000'000'000u; }, "cannot be in a vocabulary");
  refused([](json& r) { r["model"]["vocab"].erase("x"); }, "have the same id");
  refused([](json& r) { r["model"]["vocab"] = json::object(), r["added_tokens"] = json::array(); },
          "no tokens");
  refused([](json& r) { r["model"]["merges"][0] = "ab"; }, "merge 0");
  refused([](json& r) { r["model"]["merges"][0] = "a b c"; }, "merge 0");
  refused([](json& r) { r["model"]["merges"][0] = {"a", 1}; }, "merge 0");
  refused([](json& r) { r["model"]["merges"][0] = "x y"; }, "\"xy\" is not a token");
  refused([](json& r) { r["added_tokens"] = 5; }, "no JSON array");
  refused([](json& r) { r["added_tokens"][0].erase("content"); }, "no \"content\"");
  refused(unchanged, "expected a token", {{"eos_token", 3}});
  refused(unchanged, "outside the vocabulary", {}, {{"eos_token_id", 99999}});
  refused(unchanged, "expected the id of a token", {}, {{"eos_token_id", {"a"}}});
  try {
    tokenizer_from_json(folder_of({}));
    FAIL("accepted a folder without tokenizer.json");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("has no tokenizer.json") != std::string::npos);
  }
}

TEST_CASE(
    "tokenizer.json: a word of WordPiece may have max_input_chars_per_word characters, and not one more") {
  const auto t =
      tokenizer_from_json(testing::source_file("common/text/tokenizer/golden/fuzz/bert_cased"));  // 20
  const auto pieces = [&](const std::string& word) { return t->encode(word, false).size(); };
  CHECK(pieces("zbzbzbzbzbzbzbzbzbzb") == 20);
  CHECK(pieces("zbzbzbzbzbzbzbzbzbzbz") == 1);
  std::string accents;  // characters, not bytes
  for (int i = 0; i < 20; ++i) accents += "\xC3\xB1";
  CHECK(pieces(accents) == 20);
}

TEST_CASE("tokenizer.json: damaged files are refused or read, never a crash") {
  const std::string good = byte_level().dump();
  Rng rng(4);
  int refusals = 0;
  for (int round = 0; round < 300; ++round) {
    std::string text = good.substr(0, round % 3 == 0 ? rng.below(good.size()) : good.size());
    for (std::uint64_t flips = rng.below(4); flips > 0 && !text.empty(); --flips) {
      text[rng.below(text.size())] ^= static_cast<char>(1 << rng.below(8));
    }
    const std::string folder = folder_of({});
    std::ofstream(folder + "/tokenizer.json", std::ios::binary) << text;
    try {
      const auto t = tokenizer_from_json(folder);
      t->encode("ab ab<|end|>c<note>\xFF", true);
      for (int id = 0; id < t->vocab_size(); ++id) t->piece(id);
    } catch (const Error&) {
      ++refusals;
    }
  }
  CHECK(refusals > 100);
}
