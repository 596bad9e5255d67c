// Every rung on honest and hostile headers; all rungs of one mind on damaged ones; and as loaders of files.

#include <algorithm>
#include <cstring>

#include "core/rng.hpp"
#include "files/safetensors.hpp"
#include "model/model.hpp"
#include "testing/damage.hpp"
#include "testing/topic_test.hpp"
#include "tgi.hpp"

using namespace rung;
using namespace rung::tgi;

namespace {

const Ladder<SafetensorsIndex>& ladder() { return testing::ladder_of<SafetensorsIndex, register_rungs>(); }

/// What a rung makes of a header: its tensors by name, or that it refused.
struct Outcome {
  bool refused = false;
  Entries entries;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome outcome(const char* rung, const std::string& header) {
  Outcome result;
  try {
    result.entries = ladder().make(rung, {})->read(header, "header");
    std::sort(result.entries.begin(), result.entries.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
  } catch (const Error& error) {
    result.refused = true;
    CHECK(std::string(error.what()).size() > 20);
  }
  return result;
}

}  // namespace

TEST_CASE("every rung reads what is right and refuses what is wrong") {
  testing::judge_all(testing::registry_of<register_rungs>(), "safetensors_index");
}

// The judge's cases are what somebody thought of. These are not: bits flipped, pieces cut out, doubled, and
// replaced by what JSON is made of.
TEST_CASE("on damaged headers all rungs are of one mind") {
  Rng rng(20260118);
  const std::string pieces[] = {"\"",
                                "{",
                                "}",
                                "[",
                                "]",
                                ",",
                                ":",
                                "0",
                                "1",
                                "-",
                                ".",
                                "e",
                                "\\",
                                "\\u00",
                                " ",
                                "null",
                                "true",
                                "\"dtype\"",
                                "\"shape\":[1],",
                                "__metadata__",
                                "\xc3",
                                "\xa9"};
  std::vector<std::string> headers;
  for (const Case& c : cases()) {
    if (c.header.size() < 4000) headers.push_back(c.header);
  }
  headers.push_back(make_header(5).text);
  int refused = 0, read = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string header = headers[rng.below(headers.size())];
    for (std::uint64_t changes = 1 + rng.below(3); changes > 0 && header.size() > 2; --changes) {
      const std::size_t at = 1 + rng.below(header.size() - 1);
      const std::size_t count = std::min<std::size_t>(1 + rng.below(8), header.size() - at);
      switch (rng.below(4)) {
        case 0:
          header[at] = static_cast<char>(header[at] ^ (1 << rng.below(8)));
          break;
        case 1:
          header.erase(at, count);
          break;
        case 2:
          header.insert(at, header.substr(at, count));
          break;
        default:
          header.insert(at, pieces[rng.below(std::size(pieces))]);
      }
    }
    // The loader refuses these two before a reader sees them.
    if (header.empty() || header[0] != '{' || header.find('\0') != std::string::npos) continue;
    const Outcome naive = outcome("naive", header);
    INFO(header);
    for (const char* rung : {"sax", "scan"}) {
      INFO("rung " << rung);
      REQUIRE(outcome(rung, header) == naive);
    }
    ++(naive.refused ? refused : read);
  }
  INFO(refused << " refused, " << read << " read");
  CHECK(refused > 5000);
  CHECK(read > 500);  // a space more or another letter in a name does no harm
}

// Found by the test above: the name of this tensor cut the sentence off before it said what was wrong.
TEST_CASE(
    "a sentence about a name with control characters is whole, and does not reach the terminal as such") {
  for (const char* rung : {"naive", "sax", "scan"}) {
    const std::string sentence = testing::sentence_of([&] {
      ladder().make(rung, {})->read(R"({"a\u0000\u001b[2Jb":{"dtype":"F32","shape":[2]}})", "header");
    });
    INFO(sentence);
    CHECK(sentence.find("a\\x00\\x1b[2Jb") != std::string::npos);
    CHECK(sentence.find("is missing") != std::string::npos);
  }
}

TEST_CASE("deep nesting is read or refused, but never a crash") {
  const std::string deep =
      R"({"__metadata__":)" + std::string(200'000, '[') + std::string(200'000, ']') + "}";
  for (const char* rung : {"naive", "sax", "scan"}) {
    testing::survives([&] { ladder().make(rung, {})->read(deep, "header"); });
    testing::survives([&] { ladder().make(rung, {})->read(deep.substr(0, 150'000), "header"); });
  }
}

TEST_CASE("a folder loads the same through every rung") {
  const std::string folder = testing::source_file("models/tiny");
  const Model plain = load_model(folder);
  const auto expected = SafeTensors::open_folder(folder);
  for (const char* rung : {"naive", "sax", "scan"}) {
    const auto reader = ladder().make(rung, {});
    LoadOptions options;
    options.safetensors = reader.get();
    const Model model = load_model(folder, options);
    INFO("rung " << rung);
    CHECK(model.weights.bytes() == plain.weights.bytes());
    CHECK(model.config.layers == plain.config.layers);
    const auto files = SafeTensors::open_folder(folder, *reader);
    for (const auto& [name, tensor] : expected->tensors()) {
      const SafeTensor* other = files->find(name);
      REQUIRE(other != nullptr);
      CHECK(other->shape == tensor.shape);
      CHECK(std::memcmp(other->view.data, tensor.view.data, tensor.view.bytes()) == 0);
    }
  }
}

TEST_CASE("the loader checks what a reader has only read") {
  const auto reader = ladder().make("scan", {});
  const auto file_with = [](const std::string& header, std::size_t data) {
    testing::Bytes bytes;
    bytes.u64(header.size());
    bytes.data += header;
    bytes.zeros(data);
    return testing::write_bytes(testing::scratch_file("tgi_loader.safetensors"), bytes.data);
  };
  const auto refused = [&](const std::string& header, std::size_t data, const char* part) {
    const std::string sentence =
        testing::sentence_of([&] { SafeTensors::open_file(file_with(header, data), *reader); });
    INFO(header << ": " << sentence);
    CHECK(sentence.find(part) != std::string::npos);
  };
  refused(R"({"w":{"dtype":"XYZ","shape":[1],"data_offsets":[0,4]}})", 4, "unknown data type");
  refused(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", 8, "need 4 bytes");
  refused(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 3, "truncated");
  refused(R"({"w":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,0]}})", 0, "overflows");
  refused(R"( {"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4, "begin with '{'");
  refused(std::string("{}\0 ", 4), 0, "byte of value 0");
  CHECK(SafeTensors::open_file(file_with(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} )", 4),
                               *reader)
            ->find("w") != nullptr);
}
