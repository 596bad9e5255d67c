// Chat templates by themselves: where they are found, what they are refused for, and that no template,
// however hostile, takes more than a bounded time and memory.

#include "text/chat/chat_template.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>

#include "core/error.hpp"
#include "files/gguf_writer.hpp"
#include "testing/catch.hpp"
#include "text/tokenizer/tokenizer.hpp"

using namespace rung;
using nlohmann::ordered_json;
using testing::contains;
namespace fs = std::filesystem;

namespace {

const ordered_json kHello = ordered_json::parse(R"([{"role": "user", "content": "Hi"}])");

std::string render(const std::string& source, const ChatOptions& options = {}) {
  return ChatTemplate(source).render(kHello, options);
}

class TwoTokens : public Tokenizer {
 public:
  std::vector<std::int32_t> encode(std::string_view, bool) const override { return {}; }
  std::string piece(std::int32_t) const override { return {}; }
  std::string decode(std::span<const std::int32_t>) const override { return {}; }
  int vocab_size() const override { return 3; }
  std::int32_t bos() const override { return 1; }
  std::int32_t eos() const override { return 2; }
  bool adds_bos() const override { return true; }
  bool is_end(std::int32_t id) const override { return id == 2; }
  TokenRoles roles() const override { return {{"bos_token", "<b>"}, {"eos_token", "<e>"}}; }
  std::string describe() const override { return "two tokens"; }
};

void write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

fs::path fresh_folder(const std::string& name) {
  const fs::path folder = testing::scratch_file(name);
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

}  // namespace

TEST_CASE("a conversation becomes text") {
  const std::string chatml =
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
      "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
  CHECK(render(chatml) == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  ChatOptions closed;
  closed.add_generation_prompt = false;
  CHECK(render(chatml, closed) == "<|im_start|>user\nHi<|im_end|>\n");
}

TEST_CASE("floats divide to the floor as in Python, although the quotient may be rounded up") {
  // Python 3.11
  CHECK(render("{{ 1 // 0.1 }} {{ -1 // 0.1 }} {{ 7.5 // -2 }} {{ 6.0 // 3 }} {{ 0.0 // -3 }}") ==
        "9.0 -10.0 -4.0 2.0 -0.0");
}

TEST_CASE("further names, tools and the clock") {
  ChatOptions options;
  options.more["enable_thinking"] = false;
  options.tools = ordered_json::parse(R"([{"z": 1, "a": 2}])");
  options.now = 0;
  CHECK(render("{{ enable_thinking }} {{ tools|tojson }} {{ documents is none }}", options) ==
        "False [{\"z\": 1, \"a\": 2}] True");
  options.now = 1'700'000'000;  // 14 November 2023, in every time zone at least a day off its ends
  CHECK(render("{{ strftime_now('%Y-%m') }}", options) == "2023-11");
}

TEST_CASE("sentences name the template, the line and the reason") {
  const auto refused = [](const std::string& source, const std::string& why) {
    CHECK_THROWS_WITH(render(source), contains("chat template, line ") && contains(why));
  };
  refused("a\n{% if %}", "line 2");
  refused("{{ a\n+\n* }}", "line 3: '*' stands where an expression is expected");
  refused("{% for x in y %}\n{{ x }}", "has no 'endfor'");
  refused("{% include 'x' %}", "the tag 'include' is not supported");
  refused("\n\n{{ messages.x.y }}", "line 3: a value of type list has no 'x'");
  refused("{{ nosuch + 1 }}", "'nosuch' is undefined");
  refused("{{ raise_exception('only users') }}", "the template refuses this: only users");
  refused("{{ messages|nosuch }}", "the filter 'nosuch' is not known");
  refused("{{ messages is nosuch }}", "the test 'nosuch' is not known");
  refused("{{ messages.append(1) }}", "append() would change a list");
  refused("{{ 9223372036854775807 + 1 }}", "does not fit 64 bits");
  refused("{{ 9223372036854775808 }}", "is larger than");
  refused("{{ 'a\xff' }}", "not valid UTF-8");
  CHECK_THROWS_WITH(ChatTemplate("{{", "m.gguf"), contains("m.gguf, line 1: "));
}

TEST_CASE("hostile templates end with a sentence, soon") {
  const auto begin = std::chrono::steady_clock::now();
  const auto refused = [](const std::string& source, const std::string& why) {
    INFO(source.substr(0, 100));
    CHECK_THROWS_WITH(render(source), contains(why));
  };
  const std::string many = "{% for a in range(99999) %}{% for b in range(99999) %}";
  refused("{% for a in range(99999) %}{% for b in range(300) %}{{ 1 }}{{ 1 }}{{ 1 }}{% endfor %}{% endfor %}",
          "steps");
  refused(many +
              "{{ 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' * 100 }}{% endfor "
              "%}{% endfor %}",
          "bytes");
  refused("{{ 'x' * 99999999999 }}", "bytes");
  refused("{{ 'x' * 9223372036854775807 }}", "too large");
  refused("{{ [1] * 999999999 }}", "bytes");
  refused("{{ 'x'.center(9223372036854775807) }}", "asked for");
  refused("{{ 'x'.zfill(4000000000) }}", "bytes");
  refused("{{ range(100001) }}", "more than 100000");
  refused("{{ range(9223372036854775807) }}", "more than 100000");
  std::string doubling = "{% set x = ['aaaaaaaa'] %}";
  for (int i = 0; i < 60; ++i) doubling += "{% set x = [x, x] %}";
  refused(doubling + "{{ x }}", "larger than");
  refused("{% set ns = namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x = [ns.x] %}{% endfor %}",
          "nested more than 200");
  refused(
      "{% set ns = namespace(x='ab') %}{% for i in range(1000) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
      "bytes");
  refused(
      "{% set ns = namespace(x='ab') %}{% for i in range(1000) %}{% set ns.x = ns.x.replace('a', ns.x) %}{% "
      "endfor %}",
      "bytes");
  refused("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "nested more than");
  refused("{{ " + std::string(100000, '(') + std::string(100000, ')') + " }}", "nested more than");
  refused("{{ " + std::string(100000, '[') + std::string(100000, ']') + " }}", "nested more than");
  refused("{{ " + std::string(100000, '-') + "1 }}", "nested more than");
  std::string ifs, sum = "1", nots;
  for (int i = 0; i < 5000; ++i) {
    ifs += "{% if 1 %}";
    sum += "+1";
    nots += "not ";
  }
  refused(ifs, "nested more than");
  refused("{{ " + nots + "1 }}", "nested more than");
  refused("{{ " + sum + " }}", "levels");
  refused("{{ a" + std::string(20000, '.') + " }}", "expected");
  refused(std::string((1 << 20) + 1, 'x'), "too many for a chat template");
  std::string subscripts = "messages";
  for (int i = 0; i < 5000; ++i) subscripts += "[0]";
  refused("{{ " + subscripts + " }}", "levels");
  // Not a speed test: without the limits each of these would take hours.
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::minutes(5));
}

TEST_CASE("namespaces may hold themselves and macros their scope without a leak") {
  CHECK(render("{% set ns = namespace() %}{% set ns.me = ns %}{{ ns.me.me is defined }}") == "True");
  CHECK(render("{% for i in range(3) %}{% macro f() %}{{ i }}{% endmacro %}{% set g = f %}{{ g() }}{% endfor "
               "%}") == "012");
}

TEST_CASE("the template of a Hugging Face folder") {
  const fs::path folder = fresh_folder("chat_template");
  const TwoTokens tokens;
  CHECK(load_chat_template(folder.string(), tokens) == nullptr);
  write(
      folder / "tokenizer_config.json",
      R"({"bos_token": {"content": "<b>"}, "eos_token": "<e>", "chat_template": "{{ bos_token }}config{{ eos_token }}"})");
  CHECK(load_chat_template(folder.string(), tokens)->render(kHello) == "<b>config<e>");
  CHECK_THROWS_WITH(load_chat_template(folder.string(), tokens, "tool_use"),
                    contains("has no chat template 'tool_use'; it has default"));
  write(folder / "chat_template.json", R"({"chat_template": "json{{ eos_token }}"})");
  CHECK(load_chat_template(folder.string(), tokens)->render(kHello) == "json<e>");
  write(folder / "chat_template.jinja", "jinja{{ bos_token }}\n");
  CHECK(load_chat_template(folder.string(), tokens)->render(kHello) == "jinja<b>");

  fs::remove(folder / "chat_template.jinja");
  fs::remove(folder / "chat_template.json");
  write(
      folder / "tokenizer_config.json",
      R"({"chat_template": [{"name": "default", "template": "d"}, {"name": "tool_use", "template": "t"}]})");
  CHECK(load_chat_template(folder.string(), tokens)->render(kHello) == "d");
  CHECK(load_chat_template(folder.string(), tokens, "tool_use")->render(kHello) == "t");
  CHECK_THROWS_WITH(load_chat_template(folder.string(), tokens, "rag"), contains("it has default, tool_use"));
  // A folder of further templates takes the place of those in JSON, as chat_template.jinja does.
  fs::create_directories(folder / kMoreChatTemplates);
  write(folder / kMoreChatTemplates / "rag.jinja", "r");
  CHECK(load_chat_template(folder.string(), tokens, "rag")->render(kHello) == "r");
  CHECK_THROWS_WITH(load_chat_template(folder.string(), tokens), contains("it has rag"));
  fs::remove_all(folder / kMoreChatTemplates);
  for (const char* bad : {R"({"chat_template": 5})", R"({"chat_template": [5]})",
                          R"({"chat_template": [{"name": 1, "template": "x"}]})", "[]"}) {
    write(folder / "tokenizer_config.json", bad);
    CHECK_THROWS_WITH(load_chat_template(folder.string(), tokens), contains("tokenizer_config.json"));
  }
}

TEST_CASE("the template of a GGUF file") {
  const std::string path = testing::scratch_file("chat_template.gguf");
  const TwoTokens tokens;
  GgufWriter writer(path);
  const std::vector<std::string> vocabulary = {"<unk>", "<s>", "</s>"};
  writer.add_string("general.architecture", "llama");
  writer.add_string_array("tokenizer.ggml.tokens", vocabulary);
  writer.add_string("tokenizer.chat_template", "{{ bos_token }}gguf{{ eos_token }}");
  writer.add_string("tokenizer.chat_template.tool_use", "tools");
  writer.finish();
  CHECK(load_chat_template(path, tokens)->render(kHello) == "<b>gguf<e>");
  CHECK(load_chat_template(path, tokens, "tool_use")->render(kHello) == "tools");
  CHECK_THROWS_WITH(load_chat_template(path, tokens, "rag"), contains("has no chat template 'rag'"));
}
