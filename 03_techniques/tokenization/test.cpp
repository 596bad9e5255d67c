// The ladder `tokenization`: rungs against the oracle, training, and real vocabularies through every rung.

#include <fstream>
#include <iterator>

#include "core/error.hpp"
#include "testing/catch.hpp"
#include "testing/topic_test.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "tokenization.hpp"

using namespace rung;
using namespace rung::tokenization;

namespace {

const Registry& registry() { return testing::registry_of<register_rungs>(); }

std::vector<std::string> rungs() { return {"naive", "heap", "linear"}; }

Ids bytes(const std::string& text) { return {text.begin(), text.end()}; }

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("every rung gives the oracle's tokens") { rung::testing::judge_all(registry(), "tokenization"); }

TEST_CASE("training: the example of Sennrich, Haddow and Birch") {
  // low 5, lower 2, newest 6, widest 3. e s, s t and t . come nine times each; the smallest numbers go first.
  const PairTable table =
      train({{bytes("low."), 5}, {bytes("lower."), 2}, {bytes("newest."), 6}, {bytes("widest."), 3}}, 10);
  CHECK(table.size() == 10);
  const auto rank = [&](std::int32_t left, std::int32_t right) {
    const PairTable::Entry* pair = table.find(left, right);
    return pair == nullptr ? -1 : pair->rank;
  };
  CHECK(rank('e', 's') == 0);  // 256
  CHECK(rank('t', '.') == 1);  // 257
  CHECK(rank(256, 257) == 2);  // 258: "est."
  CHECK(rank('l', 'o') == 3);  // 259
  CHECK(rank(259, 'w') == 4);  // 260: "low"
  CHECK(oracle(table, bytes("lowest.")) == Ids{260, 258});
}

TEST_CASE("training: a text of which no pair comes twice teaches nothing") {
  CHECK(train({{bytes("abc"), 1}}, 5).size() == 0);
  CHECK(train({}, 5).size() == 0);
}

TEST_CASE("the embedded model's tokenizer gives the same ids with every rung") {
  const auto tokenizer = load_tokenizer(rung::testing::source_file("models/tiny"));
  const std::string lesson = contents(rung::testing::source_file("03_techniques/tokenization/README.md"));
  const std::string text = lesson + "  caf\xC3\xA9 \xE4\xBD\xA0\xE5\xA5\xBD\xFF" + std::string(3000, 'x');
  const auto expected = tokenizer->encode(text, true);
  REQUIRE(expected.size() > 1000);
  for (const std::string& rung : rungs()) {
    const auto with = tokenizer->with_merger(registry().ladder<Tokenization>().make(rung, {}));
    REQUIRE(with != nullptr);
    INFO("rung " << rung);
    CHECK(with->encode(text, true) == expected);
    CHECK(with->decode(expected) == text);
    CHECK(with->describe() == tokenizer->describe());
  }
}

TEST_CASE("ids of real vocabularies through every rung", "[parity]") {
  for (const std::string name : {"gpt-2", "llama-spm", "starcoder"}) {
    const std::string file = rung::testing::shared_file("tokenizers/vocab-" + name + ".gguf");
    if (file.empty()) return;
    const auto tokenizer = load_tokenizer(file);
    std::ifstream expected(file + ".out");
    const std::string texts = contents(file + ".inp");
    const std::string separator = "\n__ggml_vocab_test__\n";
    std::vector<std::shared_ptr<const Tokenizer>> with;
    for (const std::string& rung : rungs()) {
      with.push_back(tokenizer->with_merger(registry().ladder<Tokenization>().make(rung, {})));
    }
    std::string line;
    int compared = 0;
    for (std::size_t at = 0; at < texts.size() && std::getline(expected, line);) {
      const std::size_t end = std::min(texts.find(separator, at), texts.size());
      std::istringstream numbers(line);
      const Ids ids{std::istream_iterator<std::int32_t>(numbers), std::istream_iterator<std::int32_t>()};
      for (const auto& one : with) CHECK(one->encode(texts.substr(at, end - at), false) == ids);
      at = end + separator.size();
      ++compared;
    }
    CHECK(compared > 40);
  }
}

TEST_CASE("the learner's rung says that it is not started, or merges") {
  const auto mine = registry().ladder<Tokenization>().make("mine", {});
  const PairTable none(0);
  Ids ids;
  const Ids word = {'a', 'b'};
  const std::vector<std::uint32_t> ends = {2};
  try {
    mine->merge(none, word, ends, ids);
    CHECK(ids == word);
  } catch (const NotStarted& error) {
    CHECK(std::string(error.what()).find("03_techniques/tokenization/mine.cpp") != std::string::npos);
  }
}
