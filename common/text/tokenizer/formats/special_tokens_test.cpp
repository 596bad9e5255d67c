// Special tokens of Hugging Face folders against AutoTokenizer of transformers 5.24
// (golden/make_special_tokens_golden.py wrote what is expected).

#include "text/tokenizer/formats/special_tokens.hpp"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "testing/catch.hpp"
#include "text/tokenizer/formats/load.hpp"

using namespace rung;
using testing::contains;
namespace fs = std::filesystem;

namespace {

using OrderedJson = nlohmann::ordered_json;

/// An empty folder of this name; removed by the next test that asks for it.
fs::path empty_folder(const std::string& name) {
  const fs::path folder = testing::scratch_file(name);
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

void write(const fs::path& file, const OrderedJson& content) { std::ofstream(file) << content; }

}  // namespace

TEST_CASE("a folder's special tokens are those that AutoTokenizer finds") {
  // In the files' order, which gives new tokens their ids.
  std::ifstream file(testing::source_file("common/text/tokenizer/golden/special_tokens_golden.json"));
  const OrderedJson golden = OrderedJson::parse(file);
  REQUIRE(golden["cases"].size() > 100);
  for (const OrderedJson& expected : golden["cases"]) {
    const fs::path folder = empty_folder("special_tokens");
    OrderedJson tokenizer = golden["tokenizer"];
    tokenizer["added_tokens"] = expected["added_tokens"];
    tokenizer["post_processor"] = expected["post_processor"];
    write(folder / "tokenizer.json", tokenizer);
    for (const auto& [name, content] : expected["files"].items()) write(folder / (name + ".json"), content);
    INFO(expected["name"].get<std::string>() << ": " << expected["files"].dump());
    const auto loaded = tokenizer_from_folder(folder.string());
    for (std::size_t i = 0; i < golden["texts"].size(); ++i) {
      INFO("text " << golden["texts"][i]);
      CHECK(loaded->encode(golden["texts"][i].get<std::string>(), true) ==
            expected["ids"][i].get<std::vector<std::int32_t>>());
    }
    CHECK(loaded->roles() == expected["roles"].get<TokenRoles>());
    if (!expected.contains("ends")) continue;
    for (const OrderedJson& id : expected["ends"]) CHECK(loaded->is_end(id.get<std::int32_t>()));
  }
}

TEST_CASE("files about special tokens that cannot be what they claim to be are refused by name") {
  struct Case {
    const char* file;
    const char* content;
    const char* sentence;
  };
  for (const Case& c :
       {Case{"tokenizer_config.json", "[]", "expected one JSON object"},
        Case{"tokenizer_config.json", R"({"bos_token": 5})", "\"bos_token\" is 5; expected a token"},
        Case{"tokenizer_config.json", R"({"extra_special_tokens": "<x>"})", "expected a list of tokens"},
        Case{"tokenizer_config.json", R"({"added_tokens_decoder": {"x": {"content": "<x>"}}})",
             "the key \"x\" is no id"},
        Case{"tokenizer_config.json", R"({"added_tokens_decoder": {"5": {"content": ""}}})",
             "with its text under \"content\""},
        Case{"special_tokens_map.json", R"({"eos_token": {"lstrip": true}})", "expected a token"},
        Case{"added_tokens.json", R"({"<x>": "5"})", "the id of \"<x>\" is \"5\""},
        Case{"generation_config.json", R"({"eos_token_id": [true]})", "\"eos_token_id\" is true"}}) {
    const fs::path folder = empty_folder("special_tokens_refused");
    std::ofstream(folder / c.file) << c.content;
    INFO(c.file << ": " << c.content);
    CHECK_THROWS_WITH(special_tokens_of(folder.string(), {}, false), contains(c.sentence));
    CHECK_THROWS_WITH(special_tokens_of(folder.string(), {}, false), contains(folder.string()));
  }
}
