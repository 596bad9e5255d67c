// Real vocabularies with the ids that the models' own tokenizers gave (../shared/tokenizers): parity.

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "core/rng.hpp"
#include "testing/catch.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "text/tokenizer/vocab.hpp"
#include "text/utf8.hpp"

using namespace rung;

namespace {

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The texts of an .inp file: between two of them stands a line of its own, whose newlines are not theirs.
std::vector<std::string> texts_of(const std::string& file) {
  const std::string separator = "\n__ggml_vocab_test__\n";
  std::vector<std::string> texts;
  std::size_t at = 0;
  for (std::size_t end; (end = file.find(separator, at)) != std::string::npos; at = end + separator.size()) {
    texts.push_back(file.substr(at, end - at));
  }
  if (at < file.size()) texts.push_back(file.substr(at));
  return texts;
}

std::vector<std::vector<std::int32_t>> ids_of(const std::string& file) {
  std::vector<std::vector<std::int32_t>> lines;
  std::istringstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::istringstream numbers(line);
    lines.emplace_back(std::istream_iterator<std::int32_t>(numbers), std::istream_iterator<std::int32_t>());
  }
  return lines;
}

std::shared_ptr<const Tokenizer> load(const std::string& name) {
  const std::string path = testing::shared_file(name);
  return path.empty() ? nullptr : tokenizer_from_gguf(*Gguf::open(path));
}

/// Characters that tokenizers treat differently: letters, digits, spaces, marks, emoji, of all lengths.
std::string random_text(Rng& rng, std::size_t characters) {
  constexpr char32_t kRanges[][2] = {
      {0x20, 0x7E},         {0x20, 0x20},     {0x9, 0xD},       {0xA0, 0x24F},    {0x370, 0x52F},
      {0x600, 0x6FF},       {0x900, 0x97F},   {0x1780, 0x17FF}, {0x2000, 0x206F}, {0x3040, 0x30FF},
      {0x4E00, 0x4FFF},     {0xE000, 0xE0FF}, {0x180E, 0x180E}, {0xFFF0, 0xFFFF}, {0x1F300, 0x1F6FF},
      {0x10FF00, 0x10FFFF}, {0x0, 0x1F}};
  std::string text;
  for (std::size_t i = 0; i < characters; ++i) {
    const auto& range = kRanges[rng.below(std::size(kRanges))];
    text += utf8_encoded(static_cast<char32_t>(range[0] + rng.below(range[1] - range[0] + 1)));
  }
  return text;
}

std::string random_bytes(Rng& rng, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += static_cast<char>(rng.below(256));
  return text;
}

/// Every way to cut `ids` in two gives the same stream, and it is the whole text, repaired.
void check_stream(const Tokenizer& tokenizer, const std::vector<std::int32_t>& ids,
                  const std::string& whole) {
  for (std::size_t cut = 0; cut <= ids.size(); ++cut) {
    StreamDecoder stream(tokenizer);
    std::string text;
    for (std::size_t i = 0; i < cut; ++i) text += stream.push(ids[i]);
    // What is out at any time is whole characters, and the beginning of the whole text.
    REQUIRE(utf8_valid_length(text, 0) == text.size());
    REQUIRE(whole.substr(0, text.size()) == text);
    for (std::size_t i = cut; i < ids.size(); ++i) text += stream.push(ids[i]);
    text += stream.finish();
    REQUIRE(text == whole);
  }
}

}  // namespace

TEST_CASE("ids equal those of the models' own tokenizers") {
  for (const std::string name : {"gpt-2", "llama-spm", "starcoder"}) {
    const std::string file = "tokenizers/vocab-" + name + ".gguf";
    const auto tokenizer = load(file);
    if (!tokenizer) return;
    const auto texts = texts_of(contents(testing::shared_file(file + ".inp")));
    const auto expected = ids_of(contents(testing::shared_file(file + ".out")));
    REQUIRE(texts.size() == expected.size());
    REQUIRE(texts.size() > 40);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      INFO(name << ", text " << i << ": " << texts[i]);
      CHECK(tokenizer->encode(texts[i], false) == expected[i]);
      CHECK(tokenizer->decode(expected[i]) == texts[i]);
    }
  }
}

TEST_CASE("random texts and, byte-level, random bytes come back as they were") {
  for (const std::string name : {"tokenizers/vocab-gpt-2.gguf", "tokenizers/vocab-llama-spm.gguf",
                                 "tokenizers/vocab-starcoder.gguf", "models/stories260K-f32.gguf"}) {
    const auto tokenizer = load(name);
    if (!tokenizer) return;
    Rng rng(1);
    for (int round = 0; round < 300; ++round) {
      const bool bytes = round % 2 == 1;
      const std::string text = bytes ? random_bytes(rng, rng.below(200)) : random_text(rng, rng.below(200));
      const auto ids = tokenizer->encode(text, false);
      INFO(name << ", round " << round);
      if (bytes && name == "tokenizers/vocab-starcoder.gguf") {  // has no tokens for 14 bytes of no text
        REQUIRE(std::find(ids.begin(), ids.end(), tokenizer->eos()) == ids.end());
      } else {
        REQUIRE(tokenizer->decode(ids) == text);
      }
    }
    CHECK(tokenizer->encode("", false).empty());
    CHECK(tokenizer->decode({}).empty());
    for (int id = 0; id < tokenizer->vocab_size(); ++id) tokenizer->piece(id);
  }
}

TEST_CASE("streams say whole characters only and end as the whole text") {
  for (const std::string name : {"tokenizers/vocab-gpt-2.gguf", "models/stories260K-f32.gguf"}) {
    const auto tokenizer = load(name);
    if (!tokenizer) return;
    Rng rng(2);
    for (int round = 0; round < 60; ++round) {
      const std::string text = round % 2 == 0 ? random_bytes(rng, 40) : random_text(rng, 20);
      const auto ids = tokenizer->encode(text, false);
      std::string bytes;
      for (const std::int32_t id : ids) bytes += tokenizer->piece(id);
      check_stream(*tokenizer, ids, utf8_repaired(bytes));
    }
  }
}

TEST_CASE("stories260K: start token, spaces, end") {
  const auto tokenizer = load("models/stories260K-f32.gguf");
  if (!tokenizer) return;
  CHECK(tokenizer->vocab_size() == 512);
  CHECK(tokenizer->bos() == 1);
  CHECK(tokenizer->eos() == 2);
  CHECK(tokenizer->adds_bos());
  CHECK(tokenizer->is_end(2));
  CHECK_FALSE(tokenizer->is_end(1));
  const auto ids = tokenizer->encode("Once upon a time", true);
  // llama2.c's tokenizer gives these for its own test prompt.
  CHECK(ids == std::vector<std::int32_t>{1, 403, 407, 261, 378});
  CHECK(tokenizer->decode(ids) == "Once upon a time");
  StreamDecoder stream(*tokenizer);
  CHECK(stream.push(403) == " Once");  // a continuation keeps its space
}

TEST_CASE("special tokens are found in text") {
  const auto tokenizer = load("tokenizers/vocab-gpt-2.gguf");
  if (!tokenizer) return;
  CHECK(tokenizer->encode("<|endoftext|>", false) == std::vector<std::int32_t>{50256});
  CHECK(tokenizer->encode("a<|endoftext|>b", false) == std::vector<std::int32_t>{64, 50256, 65});
  CHECK(tokenizer->piece(50256).empty());
  CHECK(tokenizer->is_end(50256));
}

TEST_CASE("2 MB without a space take work in proportion to their length") {
  for (const std::string name : {"tokenizers/vocab-gpt-2.gguf", "tokenizers/vocab-llama-spm.gguf"}) {
    const std::string path = testing::shared_file(name);
    if (path.empty()) return;
    const auto tokenizer =
        std::dynamic_pointer_cast<const VocabTokenizer>(tokenizer_from_gguf(*Gguf::open(path)));
    REQUIRE(tokenizer != nullptr);
    Rng rng(3);
    for (const std::size_t bytes : {std::size_t{20'000}, std::size_t{2'000'000}}) {
      for (const bool random : {false, true}) {
        std::string text;
        while (text.size() < bytes) text += random ? static_cast<char>('a' + rng.below(26)) : 'a';
        EncodeWork work;
        const auto ids = tokenizer->encode_counted(text, false, true, work);
        INFO(name << ", " << bytes << " bytes, random " << random);
        CHECK(work.words <= 2);
        CHECK(work.heap_pops > bytes / 2);
        CHECK(work.heap_pops <= 3 * (bytes + 1));
        CHECK(tokenizer->decode(ids) == text);
      }
    }
    for (const std::string unit : {" ", "\n", "!", "7", "\xC3\xA9", " \n", "\xE3\x80\x80"}) {
      std::string text;
      while (text.size() < 200'000) text += unit;
      EncodeWork work;
      const auto ids = tokenizer->encode_counted(text, false, true, work);
      INFO(name << ", runs of \"" << unit << "\"");
      CHECK(work.heap_pops <= 3 * (text.size() + 1) * 2);
      CHECK(tokenizer->decode(ids) == text);
    }
  }
}
