// Small random tokenizers with random decoders and added tokens against the `tokenizers` library
// (golden/make_tokenizer_small.py wrote the file, and compares many more).

#include "core/error.hpp"
#include "files/json_file.hpp"
#include "testing/catch.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "text/utf8.hpp"

using namespace rung;

TEST_CASE("small random tokenizers: ids, texts and streams equal those of the library") {
  const auto golden =
      read_json_file(testing::source_file("common/text/tokenizer/golden/tokenizer_small.json"), 1 << 24);
  int texts = 0, lists = 0;
  REQUIRE(golden["cases"].size() >= 200);
  for (const auto& golden_case : golden["cases"]) {
    const auto tokenizer = tokenizer_from_json_text(golden_case["tokenizer"].dump(), "test", {});
    INFO(golden_case["tokenizer"].dump());
    for (std::size_t i = 0; i < golden_case["texts"].size(); ++i) {
      const auto& right = golden_case["right_ids"][i];
      if (right.is_null()) continue;  // the library fails on this text
      const auto text = golden_case["texts"][i].get<std::string>();
      INFO("text " << i << ": \"" << text << "\"");
      CHECK(tokenizer->encode(text, false) == right.get<std::vector<std::int32_t>>());
      ++texts;
    }
    for (std::size_t i = 0; i < golden_case["ids"].size(); ++i) {
      const auto ids = golden_case["ids"][i].get<std::vector<std::int32_t>>();
      const auto& right = golden_case["right_texts"][i];
      std::string streamed;
      StreamDecoder stream(*tokenizer);
      for (const std::int32_t id : ids) streamed += stream.push(id);
      streamed += stream.finish();
      INFO("list " << i);
      const std::string text = utf8_repaired(tokenizer->decode(ids));
      CHECK(streamed == text);
      if (right.is_null()) continue;
      CHECK(text == right.get<std::string>());
      ++lists;
    }
  }
  CHECK(texts > 1000);
  CHECK(lists > 1000);
}
