// tokenizer.model files: what is read beside them, and damaged ones.

#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/error.hpp"
#include "core/rng.hpp"
#include "testing/catch.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "text/tokenizer/models/merge.hpp"

using namespace rung;

namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::int32_t>;

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string model_bytes(const std::string& name) {
  return contents(testing::source_file("common/text/tokenizer/golden/fuzz/" + name + "/tokenizer.model"));
}

std::string folder_of(const std::string& model, const std::string& config = "",
                      const std::string& added = "") {
  const fs::path folder = testing::scratch_file("tokenizer_sentencepiece");
  fs::remove_all(folder);
  fs::create_directories(folder);
  std::ofstream(folder / "tokenizer.model", std::ios::binary) << model;
  if (!config.empty()) std::ofstream(folder / "tokenizer_config.json") << config;
  if (!added.empty()) std::ofstream(folder / "added_tokens.json") << added;
  return folder.string();
}

void refused(const std::string& folder, const std::string& part) {
  try {
    tokenizer_from_folder(folder);
  } catch (const Error& error) {
    INFO("the sentence: " << error.what());
    CHECK(std::string(error.what()).find(part) != std::string::npos);
    CHECK(std::string(error.what()).find(folder) != std::string::npos);
    return;
  }
  FAIL("accepted; expected a sentence with \"" << part << "\"");
}

}  // namespace

TEST_CASE("tokenizer.model: start and end tokens, special tokens in text") {
  const std::string bpe = model_bytes("sp_bpe"), unigram = model_bytes("sp_unigram");
  const auto t = tokenizer_from_folder(folder_of(bpe));
  CHECK(t->bos() == 1);
  CHECK(t->eos() == 2);
  CHECK(t->adds_bos());
  CHECK(t->describe() == "SentencePiece-style BPE, 700 tokens");
  CHECK(t->encode("fox", true).front() == 1);
  CHECK(t->encode("</s>", false) == Ids{2});
  CHECK(t->encode("</s>", false, false).size() > 1);
  CHECK(t->decode(t->encode(" the fox", true)) == " the fox");
  CHECK(t->with_merger(default_merger())->encode("the quick  fox", true) ==
        t->encode("the quick  fox", true));

  CHECK_FALSE(tokenizer_from_folder(folder_of(bpe, R"({"add_bos_token": false})"))->adds_bos());
  const auto t5 = tokenizer_from_folder(folder_of(unigram, R"({"tokenizer_class": "T5Tokenizer"})"));
  CHECK(t5->describe() == "unigram, 451 tokens");  // 450, and the class's <pad>
  CHECK(t5->encode("fox", true).back() == 2);
  CHECK(t5->encode("fox", false).back() != 2);
  CHECK(t5->with_merger(default_merger()) == nullptr);

  const auto more = tokenizer_from_folder(folder_of(bpe, "", R"({"<|im_end|>": 700, "<pad>": 701})"));
  CHECK(more->vocab_size() == 702);
  CHECK(more->encode("<|im_end|>", false) == Ids{700});
  CHECK(more->is_end(700));

  // Roles, flags and end tokens from the files beside it, as for tokenizer.json; ids follow the model's own,
  // and a text in the place of a reserved piece takes its id.
  const auto named = tokenizer_from_folder(
      folder_of(bpe, R"({"eos_token": "<|stop|>", "pad_token": "<|pad|>", "add_bos_token": false,
                        "added_tokens_decoder": {"699": {"content": "<|pad|>", "special": true},
                                                 "900": {"content": "<|stop|>", "lstrip": true, "special": true}}})"));
  CHECK(named->vocab_size() == 701);
  CHECK(named->eos() == 700);
  CHECK(named->encode("<|pad|>  <|stop|>", false) == Ids{699, 700});
  CHECK(named->roles() ==
        TokenRoles{{"eos_token", "<|stop|>"}, {"pad_token", "<|pad|>"}, {"bos_token", "<s>"}});
}

TEST_CASE("tokenizer.model: what cannot be is refused with a sentence") {
  const std::string good = model_bytes("sp_bpe");
  refused(folder_of(""), "");
  refused(folder_of("not a model"), "no SentencePiece model");
  refused(folder_of(good, "", R"({"x": "5"})"), "a whole number");
  refused(folder_of(good, "", "[]"), "one JSON object");
}

TEST_CASE("tokenizer.model: damaged files are refused or read, never a crash") {
  int refusals = 0;
  for (const char* name : {"sp_bpe", "sp_unigram"}) {
    const std::string good = model_bytes(name);
    Rng rng(21);
    for (int round = 0; round < 150; ++round) {
      std::string damaged = good.substr(0, round % 3 == 0 ? rng.below(good.size()) : good.size());
      for (std::uint64_t flips = rng.below(6); flips > 0 && !damaged.empty(); --flips) {
        damaged[rng.below(damaged.size())] ^= static_cast<char>(1 << rng.below(8));
      }
      try {
        const auto t = tokenizer_from_folder(folder_of(damaged));
        t->decode(t->encode("The quick\xFF fox <note> jumps </s>", true));
      } catch (const Error&) {
        ++refusals;
      }
    }
  }
  CHECK(refusals > 50);
}
