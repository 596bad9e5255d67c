// Compares strings in chat templates with Python: case mappings, character classes, widths, and numbers of
// every script. The expected values were written by golden/make_jinja_text_golden.py with Python 3.11
// (Unicode 14) and Jinja2 3.1.6.

#include <clocale>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "testing/catch.hpp"
#include "text/chat/chat_template.hpp"
#include "text/chat/jinja/run.hpp"
#include "text/chat/jinja/text.hpp"

using namespace rung;
using nlohmann::ordered_json;

namespace {

const ordered_json& golden() {
  static const ordered_json document = [] {
    std::ifstream in(testing::source_file("common/text/chat/golden/jinja_text_golden.json"));
    REQUIRE(in);
    return ordered_json::parse(in);
  }();
  return document;
}

/// Returns null if the template is rejected.
ordered_json render(const std::string& source, std::string* why = nullptr) {
  ChatOptions options;
  options.now = 1'700'000'000;  // in November
  try {
    return ChatTemplate(source).render(ordered_json::array(), options);
  } catch (const Error& error) {
    if (why != nullptr) *why = error.what();
    return nullptr;
  }
}

/// Returns the output of a template for an expression of one string.
std::string evaluated(jinja::Run& run, const ordered_json& sweep, const std::string& text) {
  const jinja::Value value = jinja::Value::string(text);
  if (sweep.contains("method"))
    return jinja::call_method(run, value, sweep["method"].get<std::string>(), {}).str();
  if (sweep.contains("filter")) return run.filter(sweep["filter"].get<std::string>(), value, {}).str();
  if (sweep.contains("test"))
    return jinja::Value::boolean(run.test(sweep["test"].get<std::string>(), value, {})).str();
  return jinja::Value::list({value}).str();
}

void hash(std::uint32_t& fnv1a, std::string_view bytes) {
  for (const char byte : bytes) fnv1a = (fnv1a ^ static_cast<unsigned char>(byte)) * 0x01000193U;
}

}  // namespace

TEST_CASE("every character has the cases and classes that Python gives it") {
  const auto page_size = golden()["page"].get<std::uint32_t>();
  for (const auto& sweep : golden()["sweeps"]) {
    const std::string before = sweep.value("before", ""), after = sweep.value("after", "");
    std::map<std::uint32_t, std::uint32_t> pages;
    std::size_t count = 0;
    for (const auto& range : golden()[sweep["codes"].get<std::string>()]) {
      jinja::Run run({}, 0);
      for (auto code = range[0].get<std::uint32_t>(); code <= range[1].get<std::uint32_t>();
           ++code, ++count) {
        std::string text = before;
        jinja::append_utf8(text, code);
        auto& page = pages.try_emplace(code / page_size, 0x811C9DC5U).first->second;
        hash(page, evaluated(run, sweep, text + after));
        hash(page, "\x01");
      }
    }
    CHECK(count > (sweep["codes"] == "assigned" ? 150'000 : 40'000));
    REQUIRE(pages.size() == sweep["pages"].size());
    for (const auto& [page, value] : pages) {
      ordered_json what = sweep;
      what.erase("pages");
      INFO(what.dump() << " differs from Python in the page that begins at U+" << std::hex
                       << page * page_size);
      CHECK(value == sweep["pages"][std::to_string(page)].get<std::uint32_t>());
    }
  }
}

TEST_CASE("texts of many scripts render as with Jinja2") {
  std::size_t refused = 0;
  for (const auto& snippet : golden()["snippets"]) {
    std::string why;
    const ordered_json got = render(snippet[0].get<std::string>(), &why);
    INFO("template: " << snippet[0] << "\nexpected: " << snippet[1] << "\ngot: " << got << " " << why);
    CHECK(got == snippet[1]);
    refused += got.is_null() ? 1 : 0;
  }
  CHECK(golden()["snippets"].size() - refused > 30);
  CHECK(refused > 10);
}

TEST_CASE("texts and numbers do not depend on the locale") {
  const std::string source =
      "{{ 'Iıİß'.lower() }} {{ 'iıß'|upper }} {{ 'ä'.isalpha() }} {{ '1,5'|float }} {{ '1.5'|float }} {{ 2.5 "
      "}} "
      "{{ 0.125|round(2) }} {{ '%.2f' % 1234.5 }} {{ '{:n}'.format(1234567.5) }} {{ '\xC2\xA0x'.strip() }} "
      "{{ strftime_now('%B') }}";
  const ordered_json expected = "iıi̇ß IISS True 0.0 1.5 2.5 0.12 1234.50 1.23457e+06 x November";
  // A locale that is not installed leaves the current locale unchanged.
  for (const char* name : {"C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8", "fr_FR.ISO-8859-1"}) {
    INFO(name);
    std::setlocale(LC_ALL, name);
    CHECK(render(source) == expected);
  }
  std::setlocale(LC_ALL, "C");
}

TEST_CASE("a sigma among very many marks, and very wide numbers") {
  CHECK(render("{{ ('Σ' ~ \"'\" * 50).lower()|length }} {{ (\"Σ'\" * 500000).lower()|length }}") ==
        "51 1000000");
  CHECK(render("{{ (\"'\" * 500000 ~ 'Σ' ~ \"'\" * 500000).title()|length }}") == "1000001");
  CHECK(render("{{ '%.50000f' % 0.5 == '0.5' ~ '0' * 49999 }} {{ '{:050000,}'.format(7)|length }}") ==
        "True 50001");
  std::string why;
  CHECK(render("{{ '%.100001f' % 0.5 }}", &why).is_null());
  CHECK_THAT(why, testing::contains("above 100000"));
}
