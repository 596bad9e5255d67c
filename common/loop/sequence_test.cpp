// Tests the text of a sequence: which text its tokens add to that of its prompt.

#include "loop/sequence.hpp"

#include <nlohmann/json.hpp>

#include "testing/catch.hpp"
#include "text/tokenizer/formats/load.hpp"

using namespace rung;
using nlohmann::json;

namespace {

/// Tokens: 0 "a", 1 "##b", 2 "<0xC3>", 3 "<0xA9>", and the special token 4 "<s>".
std::shared_ptr<const Tokenizer> tokenizer_with(const json& decoder) {
  const json root = {{"added_tokens", {{{"id", 4}, {"content", "<s>"}, {"special", true}}}},
                     {"decoder", decoder},
                     {"model",
                      {{"type", "WordLevel"},
                       {"unk_token", "a"},
                       {"vocab", {{"a", 0}, {"##b", 1}, {"<0xC3>", 2}, {"<0xA9>", 3}}}}}};
  return tokenizer_from_json_text(root.dump(), "test", {});
}

std::string generated(const json& decoder, const std::vector<std::int32_t>& prompt,
                      const std::vector<std::int32_t>& tokens) {
  const auto tokenizer = tokenizer_with(decoder);
  std::string heard;
  Request request;
  request.prompt = prompt;
  request.max_tokens = static_cast<int>(tokens.size());
  int deltas = 0, last = 0;
  request.on_delta = [&](const Delta& delta) {
    heard += delta.text;
    ++deltas;
    if (delta.finish_reason != FinishReason::none) last = deltas;
  };
  Sequence sequence(1, request, tokenizer.get());
  for (const std::int32_t token : tokens) {
    SampledToken sampled;
    sampled.token = token;
    sequence.commit(sampled, tokenizer.get(), 100, 1.0);
  }
  CHECK(sequence.finished());
  CHECK(heard == sequence.result.text);
  CHECK(deltas == static_cast<int>(tokens.size()));
  CHECK(last == deltas);  // the last one, and no other, says why it ended
  return sequence.result.text;
}

const json kWordPiece = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", false}};
const json kBytes = {{"type", "ByteFallback"}};

}  // namespace

TEST_CASE("a sequence's text goes on where its prompt ends") {
  CHECK(generated(kWordPiece, {0}, {1, 0}) == "b a");
  CHECK(generated(kWordPiece, {4}, {0, 1}) == "ab");  // a special token is no text
  CHECK(generated(nullptr, {0}, {0}) == " a");
  CHECK(generated(nullptr, {99}, {0}) == "a");  // the model may have more tokens than the tokenizer
}

TEST_CASE("a sequence never says its prompt, even where the prompt's text was kept back") {
  CHECK(generated(kBytes, {0, 2, 3}, {0}) == "a");
  CHECK(generated(kBytes, {0, 2}, {3, 0}) ==
        "\xC3\xA9"
        "a");
}

TEST_CASE("a sequence that ends says what was kept back") {
  CHECK(generated(kBytes, {0}, {2, 3}) == "\xC3\xA9");
  CHECK(generated(kBytes, {0}, {2}) == "\xEF\xBF\xBD");
}
