// Compares patterns with every construct with the words and replacements of the Hugging Face `tokenizers`
// library. golden/make_tokenizer_regex.py wrote the expected values with version 0.23.3, and also compares
// many more patterns.

#include "files/json_file.hpp"
#include "testing/catch.hpp"
#include "text/tokenizer/split/normalize.hpp"
#include "text/tokenizer/split/pretokenize.hpp"

using namespace rung;

TEST_CASE("patterns of Oniguruma cut and replace as in the tokenizers library") {
  const auto golden =
      read_json_file(testing::source_file("common/text/tokenizer/golden/tokenizer_regex.json"), 1 << 22);
  const auto mark = golden["mark"].get<std::string>();
  REQUIRE(golden["cases"].size() > 500);
  std::size_t matches = 0;
  for (const auto& parts : golden["cases"]) {
    const auto pattern = parts[0].get<std::string>();
    const PreTokenizer pre_tokenizer("test", {pattern});
    const NormalizerStep replace = normalizer::replace_pattern("test", pattern, mark);
    for (std::size_t i = 0; i < parts[1].size(); ++i) {
      const auto text = parts[1][i].get<std::string>();
      INFO("pattern " << pattern << ", text \"" << text << "\"");
      Words words;
      pre_tokenizer.run(text, true, words);
      std::vector<std::size_t> lengths;
      for (const Span span : words.spans) lengths.push_back(span.end - span.begin);
      CHECK(lengths == parts[2][i].get<std::vector<std::size_t>>());
      NormalizerState state;
      const std::string replaced = replace(text, state);
      CHECK(replaced == parts[3][i].get<std::string>());
      matches += replaced != text ? 1 : 0;
    }
  }
  CHECK(matches > 500);
}
