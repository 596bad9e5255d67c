// rung convert: names, formats, tokenizers and refusals. That the logits stay is checked for every family by
// engine/parity_test.cpp.

#include "convert/convert.hpp"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "files/gguf.hpp"
#include "testing/catch.hpp"
#include "text/chat/chat_template.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "text/tokenizer/split/pretokenize.hpp"

using namespace rung;
using testing::contains;
namespace fs = std::filesystem;

namespace {

const char* const kTexts[] = {"Once upon a time, there was a king.", " two  spaces,\ttabs\n\nand lines",
                              "na\xC3\xAFve \xE4\xB8\xAD\xE6\x96\x87 \xF0\x9F\x99\x82\xE2\x80\x8D",
                              "12345 don't <|endoftext|> </s>", ""};

void check_same_tokenizer(const Tokenizer& a, const Tokenizer& b) {
  for (const char* text : kTexts) {
    INFO(text);
    CHECK(a.encode(text, true) == b.encode(text, true));
    CHECK(a.decode(a.encode(text, false)) == b.decode(b.encode(text, false)));
  }
  CHECK(a.bos() == b.bos());
  CHECK(a.eos() == b.eos());
  CHECK(a.adds_bos() == b.adds_bos());
  for (std::int32_t id = 0; id < std::min(a.vocab_size(), b.vocab_size()); ++id) {
    INFO("token " << id);
    CHECK(a.is_end(id) == b.is_end(id));
  }
}

/// There and back; the tokenizer must not notice.
void check_round_trip(const std::string& path) {
  INFO(path);
  const auto original = load_tokenizer(path);
  const std::string gguf = testing::scratch_file("convert_test.gguf"),
                    folder = testing::scratch_file("convert_test");
  fs::remove_all(folder);
  const ConvertResult to = convert_to_gguf(path, gguf, {});
  CHECK(to.bytes == fs::file_size(gguf));
  CHECK(to.notes.empty());
  check_same_tokenizer(*original, *load_tokenizer(gguf));
  convert_to_hf(gguf, folder, {});
  check_same_tokenizer(*original, *load_tokenizer(folder));
  CHECK(load_model(folder).weights.layers.size() == load_model(path).weights.layers.size());
  fs::remove_all(folder);
  fs::remove(gguf);
}

}  // namespace

TEST_CASE("a model keeps its tokenizer from a folder to a GGUF file and back") {
  check_round_trip(testing::source_file("models/tiny"));
  check_round_trip(testing::source_file("models/tiny.gguf"));
}

TEST_CASE("so does a SentencePiece-style one, whose scores become merges") {
  const std::string path = testing::shared_file("models/stories260K-f32.gguf");
  if (!path.empty()) check_round_trip(path);
}

TEST_CASE("a conversion keeps what the files beside tokenizer.json say") {
  using Json = nlohmann::ordered_json;
  const std::string folder = testing::scratch_file("convert_side"),
                    gguf = testing::scratch_file("convert_side.gguf"),
                    back = testing::scratch_file("convert_side_back");
  fs::remove_all(folder);
  fs::copy(testing::source_file("models/tiny"), folder);
  Json config = Json::parse(std::ifstream(folder + "/tokenizer_config.json"));
  config["image_token"] = "<|story|>";
  config["pad_token"] = "<|end|>";
  config["chat_template"] = {{{"name", "default"}, {"template", "D{{ bos_token }}{{ image_token }}"}},
                             {{"name", "tool_use"}, {"template", "T{{ pad_token }}{{ sep_token }}"}}};
  std::ofstream(folder + "/tokenizer_config.json") << config;
  std::ofstream(folder + "/special_tokens_map.json")
      << R"({"eos_token": {"content": "<|end|>", "lstrip": true, "rstrip": true}})";
  std::ofstream(folder + "/generation_config.json") << R"({"eos_token_id": [0, 1, 2, 3, 77]})";

  const ConvertResult result = convert_to_gguf(folder, gguf, {});
  REQUIRE(result.notes.size() == 1);
  CHECK_THAT(result.notes[0],
             contains("5 tokens end generation, and GGUF's specification has keys for three"));
  convert_to_hf(gguf, back, {});
  const auto tokenizer = load_tokenizer(folder);
  CHECK(tokenizer->eos() == 3);
  for (const std::string& path : {folder, gguf, back}) {
    INFO(path);
    const auto loaded = load_tokenizer(path);
    check_same_tokenizer(*tokenizer, *loaded);
    CHECK(loaded->is_end(77));
    const auto messages = Json::array({{{"role", "user"}, {"content", "x"}}});
    CHECK(load_chat_template(path, *loaded)->render(messages) == "D<|endoftext|><|story|>");
    CHECK(load_chat_template(path, *loaded, "tool_use")->render(messages) == "T<|end|>");
  }

  std::ofstream(folder + "/chat_template.jinja") << "J";
  convert_to_gguf(folder, gguf, {});
  CHECK(Gguf::open(gguf)->get_string("tokenizer.chat_template") == "J");
  for (const std::string& path : {folder, back}) fs::remove_all(path);
  fs::remove(gguf);
}

TEST_CASE("merges without bytes travel as a whole tokenizer.json: GGUF's readers join by scores") {
  using Json = nlohmann::ordered_json;
  const std::string folder = testing::scratch_file("convert_metaspace"),
                    gguf = testing::scratch_file("convert_metaspace.gguf");
  fs::remove_all(folder);
  fs::copy(testing::source_file("models/tiny"), folder);
  Json vocab = {{"<unk>", 0}, {"</s>", 1}};
  for (const char* text : {"\xE2\x96\x81", "h", "e", "l", "o", "w", "r", "d", "he", "ll", "llo", "hello",
                           "\xE2\x96\x81he", "\xE2\x96\x81hello", "H"}) {
    vocab[text] = vocab.size();
  }
  Json root = Json::parse(std::ifstream(folder + "/tokenizer.json"));
  root["model"] = {{"type", "BPE"}, {"unk_token", "<unk>"}, {"fuse_unk", true}, {"vocab", vocab}};
  root["model"]["merges"] = {"h e", "l l", "\xE2\x96\x81 he", "ll o", "he llo", "\xE2\x96\x81he llo"};
  root["added_tokens"] = {{{"id", 1}, {"content", "</s>"}, {"special", true}}};
  root["post_processor"] = nullptr;
  root["normalizer"] = {{"type", "Lowercase"}};
  root["decoder"] = {{"type", "Metaspace"}, {"replacement", "\xE2\x96\x81"}, {"prepend_scheme", "first"}};
  std::ofstream(folder + "/tokenizer_config.json") << R"({"eos_token": "</s>"})";
  std::ofstream(folder + "/generation_config.json") << "{}";
  for (const char* scheme : {"first", "always", "never"}) {
    INFO(scheme);
    root["pre_tokenizer"] = {
        {"type", "Metaspace"}, {"replacement", "\xE2\x96\x81"}, {"prepend_scheme", scheme}};
    std::ofstream(folder + "/tokenizer.json") << root;
    const ConvertResult result = convert_to_gguf(folder, gguf, {});
    REQUIRE(result.notes.size() == 1);
    CHECK_THAT(result.notes[0], contains("the whole tokenizer.json is in the file as well"));
    const auto before = load_tokenizer(folder), after = load_tokenizer(gguf);
    for (const char* text : {" hello", "hello</s>world", "Hello  hello ", "world hello"}) {
      INFO(text);
      CHECK(after->encode(text, false) == before->encode(text, false));
    }
  }
  // tokenizers 0.23.3, with "first": no space is put in front of one that is there.
  root["pre_tokenizer"]["prepend_scheme"] = "first";
  std::ofstream(folder + "/tokenizer.json") << root;
  convert_to_gguf(folder, gguf, {});
  CHECK(load_tokenizer(gguf)->encode(" Hello", false) == std::vector<std::int32_t>{15});
  fs::remove_all(folder);
  fs::remove(gguf);
}

TEST_CASE("what GGUF's keys cannot say travels as a whole tokenizer.json") {
  // A normalizer in front of a byte-level BPE has no key.
  const std::string folder = testing::scratch_file("convert_test_nfc"),
                    gguf = testing::scratch_file("convert_nfc.gguf");
  fs::remove_all(folder);
  fs::copy(testing::source_file("models/tiny"), folder);
  const std::string file = folder + "/tokenizer.json";
  std::ifstream in(file);
  nlohmann::ordered_json root = nlohmann::ordered_json::parse(in);
  root["normalizer"] = {{"type", "NFC"}};
  std::ofstream(file) << root.dump();
  convert_to_gguf(folder, gguf, {});
  CHECK(Gguf::open(gguf)->has("tokenizer.huggingface.json"));
  const auto tokenizer = load_tokenizer(gguf);
  CHECK(tokenizer->encode("e\xCC\x81", false) == tokenizer->encode("\xC3\xA9", false));  // e + accent, and é
  check_same_tokenizer(*load_tokenizer(folder), *tokenizer);
  fs::remove_all(folder);
  fs::remove(gguf);
}

TEST_CASE("an added token beyond the model's vocabulary is no reason to refuse the model") {
  // The Gemma 3 models without a vision tower have 262144 rows, and a token for pictures with the id 262144.
  const std::string folder = testing::scratch_file("convert_test_added"),
                    gguf = testing::scratch_file("convert_added.gguf");
  fs::remove_all(folder);
  fs::copy(testing::source_file("models/tiny"), folder);
  const std::string file = folder + "/tokenizer.json";
  std::ifstream in(file);
  const auto original = nlohmann::ordered_json::parse(in);
  const int rows = load_model(folder).config.vocab_size;
  const auto write = [&](bool in_vocab, bool added) {
    nlohmann::ordered_json root = original;
    if (in_vocab) root["model"]["vocab"]["<picture>"] = rows;
    if (added) root["added_tokens"].push_back({{"id", rows}, {"content", "<picture>"}, {"special", true}});
    std::ofstream(file) << root.dump();
  };
  for (const bool in_vocab : {false, true}) {
    write(in_vocab, true);
    const Model model = load_model(folder);
    CHECK(model.tokenizer->encode("<picture>", false) == std::vector<std::int32_t>{rows});
    const ConvertResult result = convert_to_gguf(folder, gguf, {});
    REQUIRE(result.notes.size() == 1);
    CHECK_THAT(result.notes[0], contains("('<picture>') is outside the model's vocabulary"));
    CHECK(load_model(gguf).tokenizer->vocab_size() == rows);
    check_same_tokenizer(*model.tokenizer, *load_tokenizer(gguf));
  }
  write(true, false);  // one that any text may give is another matter
  CHECK_THROWS_WITH(load_model(folder), contains("they do not belong together"));
  fs::remove_all(folder);
  fs::remove(gguf);
}

TEST_CASE("matrices take the format asked for, and refuse what cannot be") {
  const std::string tiny = testing::source_file("models/tiny.gguf");
  const std::string out = testing::scratch_file("convert_type.gguf"),
                    folder = testing::scratch_file("convert_type");
  convert_to_gguf(tiny, out, DType::f32);
  CHECK(load_model(out).weights.layers[0].q.weight.dtype == DType::f32);
  const ConvertResult result = convert_to_hf(tiny, folder, DType::bf16);
  CHECK(load_model(folder).weights.layers[0].q.weight.dtype == DType::bf16);
  CHECK(result.notes.empty());
  CHECK_THROWS_WITH(convert_to_hf(tiny, folder, DType::q8_0), contains("safetensors has f32"));
  CHECK_THROWS_WITH(convert_to_hf(tiny, out, {}), contains("is a file"));
  CHECK_THROWS_WITH(convert_to_hf(folder, folder, {}), contains("same folder"));
  CHECK_THROWS_WITH(convert_to_gguf(folder, testing::scratch_file("no/such/folder/x.gguf"), {}),
                    contains("x.gguf"));
  fs::remove_all(folder);
  fs::remove(out);
}

TEST_CASE("LongRoPE in GGUF: the factors of the pairs say all, another one would be applied on top") {
  const std::string folder = testing::source_file("common/model/parity/models/phi3-longrope"),
                    out = testing::scratch_file("convert_longrope.gguf");
  convert_to_gguf(folder, out, {});
  const auto gguf = Gguf::open(out);
  CHECK(gguf->get_string("phi3.rope.scaling.type") == "longrope");
  CHECK_FALSE(gguf->has("phi3.rope.scaling.factor"));
  const RopeConfig before = load_model(folder).config.rope, after = load_model(out).config.rope;
  CHECK(after.scaling == RopeScaling::longrope);
  CHECK(after.attention_factor == before.attention_factor);
  CHECK(after.attention_factor > 1.0f);
  CHECK(after.factors == before.factors);
  CHECK(after.long_factors == before.long_factors);
  CHECK(after.original_context == before.original_context);
  fs::remove(out);
}

TEST_CASE("a pre-tokenizer gets GGUF's name only if that says all that it does") {
  const std::string folder = testing::scratch_file("convert_test_pre"),
                    gguf = testing::scratch_file("convert_pre.gguf");
  using Json = nlohmann::ordered_json;
  const Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  const auto split = [&](const char* behavior, bool invert) {
    return Json{{"type", "Sequence"},
                {"pretokenizers",
                 {{{"type", "Split"},
                   {"pattern", {{"Regex", find_pre_tokenizer("test", "llama-bpe").patterns[0]}}},
                   {"behavior", behavior},
                   {"invert", invert}},
                  bytes}}};
  };
  Json prefix = bytes, words = split("Isolated", false);
  prefix["add_prefix_space"] = true;
  words["pretokenizers"].insert(words["pretokenizers"].begin(), Json{{"type", "Punctuation"}});
  struct Case {
    const char* what;
    Json step;
    bool ignore_merges;
    const char* name;  // "default": none
  };
  for (const Case& c : {Case{"Llama 3", split("Isolated", false), true, "llama-bpe"},
                        Case{"the same with merges", split("Isolated", false), false, "dbrx"},
                        Case{"matches kept", split("Removed", true), true, "llama-bpe"},
                        Case{"matches removed", split("Removed", false), true, "default"},
                        Case{"a space in front", prefix, false, "default"},
                        Case{"punctuation, too", words, true, "default"}}) {
    INFO(c.what);
    fs::remove_all(folder);
    fs::copy(testing::source_file("models/tiny"), folder);
    const std::string file = folder + "/tokenizer.json";
    std::ifstream in(file);
    Json root = Json::parse(in);
    root["pre_tokenizer"] = c.step;
    root["model"]["ignore_merges"] = c.ignore_merges;
    std::ofstream(file) << root.dump();
    convert_to_gguf(folder, gguf, {});
    CHECK(Gguf::open(gguf)->get_string("tokenizer.ggml.pre") == c.name);
    check_same_tokenizer(*load_tokenizer(folder), *load_tokenizer(gguf));
  }
  fs::remove_all(folder);
  fs::remove(gguf);
}
