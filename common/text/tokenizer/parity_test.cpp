// tokenizer.json files against the ids that the Hugging Face `tokenizers` library gives
// (golden/make_tokenizer_golden.py wrote them).

#include <filesystem>

#include "files/json_file.hpp"
#include "testing/catch.hpp"
#include "text/tokenizer/formats/load.hpp"

using namespace rung;

TEST_CASE("tokenizer.json: ids equal those of the tokenizers library") {
  const auto golden =
      read_json_file(testing::source_file("common/text/tokenizer/golden/tokenizer_golden.json"), 1 << 24);
  const auto texts = golden["texts"].get<std::vector<std::string>>();
  REQUIRE(texts.size() > 50);
  REQUIRE(golden["ids"].size() >= 3);
  for (const auto& [name, expected] : golden["ids"].items()) {
    const std::string folder = testing::source_file(name);
    const auto file = std::filesystem::path(folder) / "tokenizer.json";
    if (!std::filesystem::exists(file) ||
        std::filesystem::file_size(file) != expected["bytes"].get<std::size_t>()) {
      WARN("skipped: " << file << " is absent or another one than the golden file was made from");
      CHECK(name == "models/tiny");
      continue;
    }
    const auto tokenizer = tokenizer_from_json(folder);
    CHECK(tokenizer->adds_bos());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      INFO(name << ", text " << i << ": \"" << texts[i] << "\"");
      CHECK(tokenizer->encode(texts[i], true) == expected["ids"][i].get<std::vector<std::int32_t>>());
    }
  }
}

TEST_CASE("the embedded model's GGUF and folder have the same tokenizer") {
  const std::string folder = testing::source_file("models/tiny");
  const std::string file = testing::source_file("models/tiny.gguf");
  if (!std::filesystem::exists(folder) || !std::filesystem::exists(file)) {
    WARN("skipped: " << folder << " or " << file << " is absent");
    return;
  }
  const auto a = tokenizer_from_json(folder);
  const auto b = tokenizer_from_gguf(*Gguf::open(file));
  REQUIRE(a->vocab_size() == b->vocab_size());
  CHECK(a->bos() == b->bos());
  CHECK(a->eos() == b->eos());
  CHECK(a->adds_bos() == b->adds_bos());
  for (int id = 0; id < a->vocab_size(); ++id) {
    CHECK(a->piece(id) == b->piece(id));
    CHECK(a->is_end(id) == b->is_end(id));
  }
  for (const std::string text :
       {"", "Once upon a time, there was a princess.", "  it's\n\n1815 \xE2\x80\x94 \xF0"}) {
    CHECK(a->encode(text, true) == b->encode(text, true));
    CHECK(a->decode(a->encode(text, true)) == text);
  }
}
