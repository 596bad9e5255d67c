// Small tokenizers of every kind against the ids that the `tokenizers` and the `sentencepiece` library give
// for random Unicode texts (golden/make_tokenizer_fuzz.py wrote them, and compares many more).

#include "files/json_file.hpp"
#include "testing/catch.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "text/tokenizer/split/pretokenize.hpp"

using namespace rung;

TEST_CASE("random Unicode texts: pre-tokenizers cut like Oniguruma") {
  const auto golden =
      read_json_file(testing::source_file("common/text/tokenizer/golden/fuzz/golden.json"), 1 << 24);
  const auto texts = golden["texts"].get<std::vector<std::string>>();
  REQUIRE(golden["words"].size() >= 15);
  for (const auto& [name, expected] : golden["words"].items()) {
    const auto& patterns = find_pre_tokenizer("test", name).patterns;
    const PreTokenizer pre_tokenizer("test", std::vector<std::string>(patterns.begin(), patterns.end()));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      Words words;
      pre_tokenizer.run(texts[i], true, words);
      std::vector<std::size_t> lengths;
      for (const Span span : words.spans) lengths.push_back(span.end - span.begin);
      INFO(name << ", text " << i << ": \"" << texts[i] << "\"");
      CHECK(lengths == expected[i].get<std::vector<std::size_t>>());
    }
  }
}

TEST_CASE("random Unicode texts: ids equal those of the libraries") {
  const std::string folder = testing::source_file("common/text/tokenizer/golden/fuzz");
  const auto golden = read_json_file(folder + "/golden.json", 1 << 24);
  const auto texts = golden["texts"].get<std::vector<std::string>>();
  REQUIRE(texts.size() >= 100);
  REQUIRE(golden["ids"].size() >= 18);
  for (const auto& [name, expected] : golden["ids"].items()) {
    const auto tokenizer = load_tokenizer(folder + "/" + expected["path"].get<std::string>());
    const bool special = expected["special"].get<bool>();
    for (std::size_t i = 0; i < texts.size(); ++i) {
      INFO(name << ", text " << i << ": \"" << texts[i] << "\"");
      const auto ids = tokenizer->encode(texts[i], special, special);
      CHECK(ids == expected["ids"][i].get<std::vector<std::int32_t>>());
    }
  }
}
