// Converts the keys tokenizer.ggml.* of GGUF to tokenizer.json.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <tuple>
#include <unordered_map>

#include "convert/convert_tokenizer.hpp"
#include "core/error.hpp"
#include "core/output_file.hpp"
#include "text/chat/chat_template.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "text/tokenizer/vocab.hpp"
#include "text/utf8.hpp"

namespace rung {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

struct Source {
  std::vector<std::string_view> tokens;
  std::vector<std::int64_t> types;
  std::vector<float> scores;
  TokenType type(std::size_t id) const {
    return id < types.size() ? static_cast<TokenType>(types[id]) : TokenType::normal;
  }
};

/// SentencePiece's scores as merges: every way to make a token of two others, best token first.
Json merges_from_scores(const Source& source) {
  std::unordered_map<std::string_view, std::size_t> ids;
  for (std::size_t id = 0; id < source.tokens.size(); ++id) ids.try_emplace(source.tokens[id], id);
  std::vector<std::tuple<float, std::size_t, std::size_t>> found;  // -score, id, length of the left part
  for (std::size_t id = 0; id < source.tokens.size(); ++id) {
    const std::string_view token = source.tokens[id];
    const TokenType type = source.type(id);
    if (type != TokenType::normal && type != TokenType::user_defined) continue;
    for (std::size_t cut = 1; cut < token.size(); ++cut) {
      if ((static_cast<unsigned char>(token[cut]) & 0xC0u) == 0x80u) continue;  // inside a character
      if (ids.count(token.substr(0, cut)) != 0 && ids.count(token.substr(cut)) != 0) {
        found.emplace_back(-source.scores[id], id, cut);
      }
    }
  }
  std::sort(found.begin(), found.end());
  Json merges = Json::array();
  for (const auto& [score, id, cut] : found) {
    merges.push_back({source.tokens[id].substr(0, cut), source.tokens[id].substr(cut)});
  }
  return merges;
}

/// The tokens around a text as a post-processor; null where there are none.
Json post_processor(const Vocab& vocab) {
  if (vocab.before.empty() && vocab.after.empty()) return nullptr;
  Json named = Json::object();
  const auto part = [&](std::int32_t id, int type) {
    const std::string& text = vocab.token(id);
    named[text] = {{"id", text}, {"ids", {id}}, {"tokens", {text}}};
    return Json{{"SpecialToken", {{"id", text}, {"type_id", type}}}};
  };
  const auto around = [&](const char* name, int type) {
    Json parts = Json::array();
    for (const std::int32_t id : vocab.before) parts.push_back(part(id, type));
    parts.push_back({{"Sequence", {{"id", name}, {"type_id", type}}}});
    for (const std::int32_t id : vocab.after) parts.push_back(part(id, type));
    return parts;
  };
  const Json single = around("A", 0);
  const Json second = around("B", 1);
  Json pair = single;
  pair.insert(pair.end(), second.begin(), second.end());
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", named}};
}

/// The tokenizer.json that the file contains as a whole.
Json embedded(const Gguf& gguf, const Vocab& vocab) {
  const std::string text = gguf.get_string("tokenizer.huggingface.json");
  Json root = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded()) fail("{}: tokenizer.huggingface.json holds no valid JSON", gguf.path());
  root["added_tokens"] = added_tokens_json(vocab);
  // Another key may say whether a start token is added.
  const auto plain = tokenizer_from_json_text(text, gguf.path(), {});
  const auto* known = dynamic_cast<const VocabTokenizer*>(plain.get());
  if (known == nullptr || known->vocab().before != vocab.before || known->vocab().after != vocab.after) {
    root["post_processor"] = post_processor(vocab);
  }
  return root;
}

Json byte_level_model(const Gguf& gguf, Json& root) {
  const PreTokenizerRow& row = pre_tokenizer_of(gguf);
  Json steps = Json::array();
  for (const std::string_view pattern : row.patterns) {
    steps.push_back(
        {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}});
  }
  steps.push_back(
      {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}});
  root["normalizer"] = nullptr;
  root["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", steps}};
  root["decoder"] = {
      {"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}};
  Json merges = Json::array();
  for (const std::string_view merge : gguf.string_array("tokenizer.ggml.merges")) {
    const std::size_t space = merge.find(' ', 1);
    merges.push_back({merge.substr(0, space), merge.substr(space + 1)});
  }
  return {
      {"type", "BPE"}, {"byte_fallback", false}, {"ignore_merges", row.ignore_merges}, {"merges", merges}};
}

Json spm_model(const Gguf& gguf, const Source& source, Json& root) {
  const bool prefix = gguf.get_bool("tokenizer.ggml.add_space_prefix", true);
  Json normalizers = Json::array();
  if (prefix) normalizers.push_back({{"type", "Prepend"}, {"prepend", kVisibleSpace}});
  normalizers.push_back({{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kVisibleSpace}});
  root["normalizer"] = {{"type", "Sequence"}, {"normalizers", normalizers}};
  root["pre_tokenizer"] = nullptr;
  Json decoders = {{{"type", "Replace"}, {"pattern", {{"String", kVisibleSpace}}}, {"content", " "}},
                   {{"type", "ByteFallback"}},
                   {{"type", "Fuse"}}};
  if (prefix) decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  root["decoder"] = {{"type", "Sequence"}, {"decoders", decoders}};
  Json model = {
      {"type", "BPE"}, {"fuse_unk", true}, {"byte_fallback", true}, {"merges", merges_from_scores(source)}};
  for (std::size_t id = 0; id < source.tokens.size(); ++id) {
    if (source.type(id) == TokenType::unknown) model["unk_token"] = source.tokens[id];
  }
  return model;
}

void write_json(const fs::path& path, const Json& json) {
  OutputFile file(path.string());
  file.write(json.dump(1, ' ', false, Json::error_handler_t::replace) + '\n');
  file.commit();
}

}  // namespace

void write_tokenizer_hf(const Gguf& gguf, const Tokenizer& tokenizer, const std::string& folder) {
  const auto* loaded = dynamic_cast<const VocabTokenizer*>(&tokenizer);
  if (loaded == nullptr) fail("{}: its tokenizer cannot be written as tokenizer.json", gguf.path());
  const Vocab& all = loaded->vocab();
  Source source;
  source.tokens = gguf.string_array("tokenizer.ggml.tokens");
  if (gguf.has("tokenizer.ggml.token_type")) source.types = gguf.int_array("tokenizer.ggml.token_type");
  const std::string model_type = gguf.get_string("tokenizer.ggml.model");
  Json root;
  root["version"] = "1.0";
  root["truncation"] = nullptr;
  root["padding"] = nullptr;
  root["added_tokens"] = added_tokens_json(all);
  Json model;
  if (gguf.has("tokenizer.huggingface.json")) {
    root = embedded(gguf, all);
  } else if (model_type == "gpt2") {
    model = byte_level_model(gguf, root);
  } else if (model_type == "llama") {
    source.scores = gguf.float_array("tokenizer.ggml.scores");
    if (source.scores.size() != source.tokens.size())
      fail("{}: tokens and scores differ in number", gguf.path());
    model = spm_model(gguf, source, root);
  } else {
    fail("{}: the tokenizer model '{}' cannot be written as tokenizer.json yet; llama and gpt2 can",
         gguf.path(), model_type);
  }
  if (!model.is_null()) {
    Json vocab = Json::object();
    for (std::size_t id = 0; id < source.tokens.size(); ++id) {
      if (source.type(id) != TokenType::unused) vocab[std::string(source.tokens[id])] = id;
    }
    model["vocab"] = vocab;
    root["model"] = model;
    root["post_processor"] = post_processor(all);
  }
  write_json(fs::path(folder) / "tokenizer.json", root);

  // add_bos_token is for versions of the library before 5; later ones read the post-processor.
  Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"add_bos_token", tokenizer.adds_bos()}};
  for (const auto& [role, text] : all.roles) config[role] = text;
  const std::vector<NamedTemplate> templates = chat_templates_of(gguf.path());
  if (templates.size() == 1 && templates.front().name == "default") {
    config["chat_template"] = templates.front().source;
  } else if (!templates.empty()) {
    for (const NamedTemplate& found : templates) {
      config["chat_template"].push_back({{"name", found.name}, {"template", found.source}});
    }
  }
  write_json(fs::path(folder) / "tokenizer_config.json", config);

  Json ends = Json::array();
  if (tokenizer.eos() >= 0)
    ends.push_back(tokenizer.eos());  // the first is the end token where no role says so
  for (std::int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    if (tokenizer.is_end(id) && id != tokenizer.eos()) ends.push_back(id);
  }
  Json generation = Json::object();
  if (tokenizer.bos() >= 0) generation["bos_token_id"] = tokenizer.bos();
  if (!ends.empty()) generation["eos_token_id"] = ends;
  write_json(fs::path(folder) / "generation_config.json", generation);
}

}  // namespace rung
