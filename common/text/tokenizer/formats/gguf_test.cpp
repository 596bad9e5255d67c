// tokenizer_from_gguf() on files written here: defaults, and vocabularies that must be refused.

#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <variant>

#include "core/error.hpp"
#include "testing/catch.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "text/tokenizer/models/bpe.hpp"

using namespace rung;

namespace {

using Ids = std::vector<std::int32_t>;
using Strings = std::vector<std::string>;
using Value = std::variant<std::string, std::uint32_t, bool, Strings, Ids, std::vector<float>>;
using Metadata = std::map<std::string, Value>;  // keys without "tokenizer.ggml.", general.architecture whole

class Writer {
 public:
  template <class T>
  void put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  void put_string(const std::string& text) {
    put<std::uint64_t>(text.size());
    bytes_ += text;
  }
  void put_value(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      put<std::uint32_t>(8), put_string(*text);
    } else if (const auto* number = std::get_if<std::uint32_t>(&value)) {
      put<std::uint32_t>(4), put(*number);
    } else if (const auto* truth = std::get_if<bool>(&value)) {
      put<std::uint32_t>(7), put<std::uint8_t>(*truth);
    } else if (const auto* strings = std::get_if<Strings>(&value)) {
      put<std::uint32_t>(9), put<std::uint32_t>(8), put<std::uint64_t>(strings->size());
      for (const auto& s : *strings) put_string(s);
    } else if (const auto* ids = std::get_if<Ids>(&value)) {
      put<std::uint32_t>(9), put<std::uint32_t>(5), put<std::uint64_t>(ids->size());
      for (const auto id : *ids) put(id);
    } else {
      const auto& floats = std::get<std::vector<float>>(value);
      put<std::uint32_t>(9), put<std::uint32_t>(6), put<std::uint64_t>(floats.size());
      for (const auto f : floats) put(f);
    }
  }
  std::string write(const Metadata& metadata) {
    bytes_ = "GGUF";
    put<std::uint32_t>(3), put<std::uint64_t>(0), put<std::uint64_t>(metadata.size());
    for (const auto& [key, value] : metadata) {
      put_string(key == "general.architecture" ? key : "tokenizer.ggml." + key);
      put_value(value);
    }
    const std::string path = testing::scratch_file("tokenizer_test.gguf");
    std::ofstream(path, std::ios::binary) << bytes_;
    return path;
  }

 private:
  std::string bytes_;
};

std::shared_ptr<const Tokenizer> load(const Metadata& metadata) {
  return tokenizer_from_gguf(*Gguf::open(Writer().write(metadata)));
}

Metadata bpe() {
  Strings tokens(visible_bytes().begin(), visible_bytes().end());
  tokens.insert(tokens.end(), {"ab", "<|end|>"});
  Ids types(257, 1);
  types.push_back(3);
  return {{"model", "gpt2"},
          {"pre", "gpt-2"},
          {"tokens", tokens},
          {"token_type", types},
          {"merges", Strings{"a b"}}};
}

Metadata spm() {
  return {{"model", "llama"},
          {"tokens", Strings{"<unk>", "<s>", "</s>", "\xE2\x96\x81", "a",
                             "\xE2\x96\x81"
                             "a"}},
          {"token_type", Ids{2, 3, 3, 1, 1, 1}},
          {"scores", std::vector<float>{0, 0, 0, -1, -2, -3}}};
}

/// Characters and their merges, and a token for every byte.
Metadata characters() {
  Strings tokens{"<unk>",
                 "<bos>",
                 "\xE2\x96\x81",
                 "a",
                 "b",
                 "\n",
                 "ab",
                 "\xE2\x96\x81"
                 "ab",
                 "\n\n"};
  Ids types{2, 3, 1, 1, 1, 1, 1, 1, 1};
  for (int byte = 0; byte < 256; ++byte) {
    tokens.push_back(fmt::format("<0x{:02X}>", byte));
    types.push_back(6);
  }
  return {{"model", "gemma4"},
          {"tokens", tokens},
          {"token_type", types},
          {"bos_token_id", 1u},
          {"merges", Strings{"\n \n", "a b", "\xE2\x96\x81 ab"}}};
}

void refused(Metadata metadata, const std::function<void(Metadata&)>& change, const std::string& part) {
  change(metadata);
  try {
    load(metadata);
  } catch (const Error& error) {
    INFO("the sentence: " << error.what());
    CHECK(std::string(error.what()).find(part) != std::string::npos);
    return;
  }
  FAIL("accepted; expected a sentence with \"" << part << "\"");
}

}  // namespace

TEST_CASE("GGUF: BPE over characters (gemma4)") {
  const auto t = load(characters());
  constexpr std::int32_t kBytes = 9;
  CHECK(t->encode("ab ab", true) == Ids{1, 6, 7});
  CHECK(t->encode("a\n\n\nb", false) == Ids{3, 8, 5, 4});
  CHECK(t->encode(" \xC3\xA9", false) == Ids{2, kBytes + 0xC3, kBytes + 0xA9});
  CHECK(t->decode(t->encode(" ab \xC3\xA9\n", false)) == " ab \xC3\xA9\n");
  Metadata m = characters();
  m["add_space_prefix"] = true;
  CHECK(load(m)->encode("ab", false) == Ids{7});
  CHECK(load(m)->decode(Ids{1, 7}) == "ab");
  refused(
      characters(), [](Metadata& x) { x["merges"] = Strings{"ab"}; }, "expected two tokens");
}

TEST_CASE("GGUF: BPE over characters without some bytes leaves these out, as llama.cpp does") {
  Metadata m = characters();
  std::get<Strings>(m["tokens"])[9 + 0xA9] = "nothing";
  std::get<Ids>(m["token_type"])[9 + 0xA9] = 1;
  m["unknown_token_id"] = 0u;
  CHECK(load(m)->encode("a\xC3\xA9\xC3\xA8", false) == Ids{3, 9 + 0xC3, 9 + 0xC3, 9 + 0xA8});
}

TEST_CASE("GGUF: a model without a tokenizer refuses texts, not itself") {
  for (const Metadata& m : {Metadata{}, Metadata{{"model", "none"}}}) {
    const auto t = load(m);
    CHECK(t->vocab_size() == 0);
    CHECK_FALSE(t->is_end(0));
    CHECK_THROWS_AS(t->encode("a", false), Error);
    CHECK_THROWS_AS(t->decode(Ids{0}), Error);
  }
}

TEST_CASE("GGUF: a byte-level vocabulary without some control characters") {
  // Falcon's has no token for 0x03 and eleven others, and names no unknown token.
  Metadata m = bpe();
  auto& tokens = std::get<Strings>(m["tokens"]);
  tokens[3] = "three", tokens[0x1E] = "thirty", tokens.push_back("!?");
  std::get<Ids>(m["token_type"]).push_back(1);
  m["merges"] = Strings{"a b", "! ?"};
  CHECK(load(m)->encode("a\x1E\x04", false) == Ids{'a', 4});
  CHECK(load(m)->encode("!\x03?", false) == Ids{258});  // its neighbors meet
  refused(
      m, [](Metadata& x) { std::get<Strings>(x["tokens"])['\n'] = "newline"; }, "no token for byte 0x0A");
}

TEST_CASE("GGUF: byte-level, with and without a start token") {
  const auto t = load(bpe());
  CHECK(t->encode("ab<|end|>", true) == Ids{256, 257});
  CHECK(t->bos() == -1);
  CHECK_FALSE(t->adds_bos());
  Metadata m = bpe();
  m["bos_token_id"] = 257u;
  CHECK(load(m)->encode("a", true) == Ids{'a'});  // gpt-2 adds none by itself
  m["add_bos_token"] = true;
  CHECK(load(m)->encode("a", true) == Ids{257, 'a'});
  m.erase("add_bos_token");
  m["pre"] = "llama-bpe";  // Llama 3 does
  CHECK(load(m)->encode("a", true) == Ids{257, 'a'});
  m["eos_token_id"] = 0xFFFFFFFFu;
  m["eot_token_id"] = 5u;
  CHECK(load(m)->eos() == -1);
  CHECK(load(m)->is_end(5));
}

TEST_CASE("GGUF: old files do not name a pre-tokenizer, which their architecture may imply") {
  Metadata m = bpe();
  m.erase("pre");
  std::get<Strings>(m["tokens"]).emplace_back("12");
  std::get<Ids>(m["token_type"]).push_back(1);
  std::get<Strings>(m["merges"]).emplace_back("1 2");
  const auto ids = [&](const char* architecture) {
    m["general.architecture"] = std::string(architecture);
    return load(m)->encode("ab12", false);
  };
  CHECK(ids("gpt2") == Ids{256, 258});
  CHECK(ids("gptneox") == Ids{256, 258});
  CHECK(ids("qwen2") == Ids{256, '1', '2'});  // every digit is a word
  refused(
      m, [](Metadata& old) { old["general.architecture"] = std::string("llama"); },
      "before April 2024, and models of architecture 'llama'");
}

TEST_CASE("GGUF: SentencePiece style, with the defaults of Llama") {
  const auto t = load(spm());
  CHECK(t->encode("a a", true) == Ids{1, 5, 5});
  CHECK(t->bos() == 1);
  CHECK(t->eos() == 2);
  Metadata m = spm();
  m["add_space_prefix"] = false;
  m["add_bos_token"] = false;
  CHECK(load(m)->encode("a a", true) == Ids{4, 5});
}

TEST_CASE("GGUF: bad vocabularies are refused with a sentence") {
  refused(
      bpe(), [](Metadata& m) { m.erase("model"); }, "tokenizer.ggml.model is missing");
  refused(
      bpe(), [](Metadata& m) { m["model"] = "rwkv"; }, "\"rwkv\" is not supported");
  refused(
      bpe(), [](Metadata& m) { m["model"] = 7u; }, "tokenizer.ggml.model");
  for (const char* key : {"tokens", "token_type", "merges", "pre"}) {
    refused(
        bpe(), [&](Metadata& m) { m.erase(key); }, std::string("tokenizer.ggml.") + key);
    refused(
        bpe(), [&](Metadata& m) { m[key] = true; }, std::string("tokenizer.ggml.") + key);
  }
  refused(
      bpe(), [](Metadata& m) { m["pre"] = "nope"; }, "it must be one of: default, gpt-2");
  refused(
      bpe(), [](Metadata& m) { m["token_type"] = Ids(257, 1); }, "258 tokens but 257 token types");
  refused(
      bpe(), [](Metadata& m) { m["token_type"] = Ids(258, 9); }, "type");
  refused(
      bpe(), [](Metadata& m) { m["tokens"] = Strings{}, m["token_type"] = Ids{}; }, "no tokens");
  refused(
      bpe(), [](Metadata& m) { m["merges"] = Strings{"ab"}; }, "merge 0");
  refused(
      bpe(), [](Metadata& m) { m["merges"] = Strings{""}; }, "merge 0");
  refused(
      bpe(), [](Metadata& m) { m["bos_token_id"] = 258u; }, "start (BOS) token is 258");
  refused(
      bpe(), [](Metadata& m) { m["eos_token_id"] = 4'000'000'000u; }, "tokenizer.ggml.eos_token_id");
  refused(
      bpe(), [](Metadata& m) { m["add_bos_token"] = true; }, "names none");
  refused(
      bpe(), [](Metadata& m) { m["add_space_prefix"] = true; }, "add_space_prefix");
  refused(
      spm(), [](Metadata& m) { m.erase("scores"); }, "tokenizer.ggml.scores");
  refused(
      spm(), [](Metadata& m) { m["scores"] = std::vector<float>{1}; }, "6 tokens but 1 scores");
  refused(
      spm(), [](Metadata& m) { m["unknown_token_id"] = 0xFFFFFFFFu; }, "neither byte tokens");
}
