// Chat templates against Jinja2 in transformers' environment: golden/make_chat_template_golden.py has the
// inputs and the texts. Templates of real models come from RUNG_SHARED; the snippets are our own.
//
// RUNG_TEMPLATE_CASES=FILE judges another file of snippets (golden/fuzz_chat_template.py writes such).

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "testing/catch.hpp"
#include "text/chat/chat_template.hpp"

using namespace rung;
using nlohmann::ordered_json;

namespace {

ordered_json read_json(const std::string& path) {
  std::ifstream in(path);
  REQUIRE(in);
  return ordered_json::parse(in);
}

const ordered_json& golden() {
  static const ordered_json document =
      read_json(testing::source_file("common/text/chat/golden/chat_template_golden.json"));
  return document;
}

struct Rendered {
  bool refused = false;
  std::string text;  // or why it was refused
};

Rendered render(const std::string& source, const ordered_json& messages, const ChatOptions& options) {
  try {
    ChatTemplate chat(source);
    if (options.more.find("bos_token") == options.more.end()) chat.set_token("bos_token", "<s>");
    chat.set_token("eos_token", "</s>");
    return {false, chat.render(messages, options)};
  } catch (const Error& error) {
    return {true, error.what()};
  }
}

/// Null means that the reference refuses, too.
bool agrees(const Rendered& got, const ordered_json& expected) {
  return got.refused ? expected.is_null() : expected.is_string() && got.text == expected.get<std::string>();
}

int check_snippets(const ordered_json& document) {
  int checked = 0;
  for (const auto& snippet : document["snippets"]) {
    ChatOptions options;
    options.more = document["names"];
    const auto source = snippet[0].get<std::string>();
    const Rendered got = render(source, ordered_json::array(), options);
    INFO("template: " << source << "\nexpected: " << snippet[1].dump() << "\ngot"
                      << (got.refused ? " an error: " : ": ") << got.text);
    CHECK(agrees(got, snippet[1]));
    ++checked;
  }
  return checked;
}

}  // namespace

TEST_CASE("snippets render as with Jinja2") { CHECK(check_snippets(golden()) > 250); }

TEST_CASE("templates of real models render conversations as with transformers") {
  int texts = 0, refusals = 0;
  for (const auto& [name, renderings] : golden()["renderings"].items()) {
    const std::string path = testing::shared_file("chat_templates/" + name);
    if (path.empty()) continue;
    std::ifstream in(path, std::ios::binary);
    const std::string source{std::istreambuf_iterator<char>(in), {}};
    const auto& conversations = golden()["conversations"];
    REQUIRE(renderings.size() == conversations.size());
    for (std::size_t i = 0; i < renderings.size(); ++i) {
      for (const std::size_t prompt : {0U, 1U}) {
        ChatOptions options;
        options.add_generation_prompt = prompt == 1;
        if (conversations[i].contains("tools")) options.tools = conversations[i]["tools"];
        if (conversations[i].contains("more")) options.more = conversations[i]["more"];
        const Rendered got = render(source, conversations[i]["messages"], options);
        const auto& expected = renderings[i][prompt];
        INFO(name << ", conversation " << i << ": " << conversations[i].dump() << "\nexpected: "
                  << expected.dump() << "\ngot" << (got.refused ? " an error: " : ": ") << got.text);
        CHECK(agrees(got, expected));
        ++(got.refused ? refusals : texts);
      }
    }
  }
  if (texts > 0) CHECK((texts > 200 && refusals > 50));
}

TEST_CASE("snippets of another file", "[.cases]") {
  const char* path = std::getenv("RUNG_TEMPLATE_CASES");
  REQUIRE(path != nullptr);
  CHECK(check_snippets(read_json(path)) > 0);
}
