// tokenizer.json as tokenizer.ggml.*.

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "model/convert_tokenizer.hpp"
#include "model/json_file.hpp"
#include "model/tokenizer_pretokenize.hpp"
#include "model/tokenizer_vocab.hpp"

namespace rung {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::size_t kMaxBytes = std::size_t{256} << 20;

/// What tokenizer.ggml.* will say. The file has been loaded as a tokenizer before, so its parts are sound.
struct GgmlVocab {
  std::vector<std::string> tokens;
  std::vector<std::int32_t> types;
  std::vector<float> scores;
  std::vector<std::string> merges;
};

bool is_byte_token(const std::string& text) {
  return text.size() == 6 && text.starts_with("<0x") && text.back() == '>';
}

void place(GgmlVocab& vocab, std::size_t id, const std::string& text, TokenType type, float score) {
  // An added token that the model has no row for (load_model() lets no others pass); GGUF has one token per
  // row.
  if (id >= vocab.tokens.size()) return;
  vocab.tokens[id] = text;
  vocab.types[id] = static_cast<std::int32_t>(type);
  vocab.scores[id] = score;
}

/// The parts of a merge, "a b" or ["a", "b"].
std::pair<std::string, std::string> merge_parts(const json& merge) {
  if (merge.is_array()) return {merge.at(0).get<std::string>(), merge.at(1).get<std::string>()};
  const auto text = merge.get<std::string>();
  const std::size_t space = text.find(' ');
  return {text.substr(0, space), text.substr(space + 1)};
}

GgmlVocab read_vocab(const json& root, int vocab_size, std::vector<std::string>& notes) {
  const json& model = root.at("model");
  GgmlVocab vocab;
  vocab.tokens.resize(static_cast<std::size_t>(vocab_size));
  for (std::size_t i = 0; i < vocab.tokens.size(); ++i) vocab.tokens[i] = fmt::format("[PAD{}]", i);
  vocab.types.assign(vocab.tokens.size(), static_cast<std::int32_t>(TokenType::unused));
  vocab.scores.assign(vocab.tokens.size(), 0.0f);

  // SentencePiece joins the pair whose result has the highest score: the order of the merges as scores.
  std::map<std::string, float> rank;
  if (model.contains("merges")) {
    float next = 0;
    for (const json& merge : model.at("merges")) {
      const auto [left, right] = merge_parts(merge);
      vocab.merges.push_back(fmt::format("{} {}", left, right));
      rank.try_emplace(left + right, --next);
    }
  }
  const bool fallback = model.value("byte_fallback", false);
  const auto type_of = [&](const std::string& text) {
    return fallback && is_byte_token(text) ? TokenType::byte : TokenType::normal;
  };
  const json& entries = model.at("vocab");
  if (entries.is_array()) {  // unigram: [["text", score], ...]
    for (std::size_t id = 0; id < entries.size(); ++id) {
      const auto text = entries[id].at(0).get<std::string>();
      place(vocab, id, text, type_of(text), entries[id].at(1).get<float>());
    }
    if (model.contains("unk_id") && model["unk_id"].is_number_unsigned()) {
      vocab.types.at(model["unk_id"].get<std::size_t>()) = static_cast<std::int32_t>(TokenType::unknown);
    }
  } else {
    for (const auto& [text, id] : entries.items()) {
      const auto known = rank.find(text);
      place(vocab, id.get<std::size_t>(), text, type_of(text), known != rank.end() ? known->second : 0.0f);
    }
  }
  const std::string unknown =
      model.contains("unk_token") && model["unk_token"].is_string() ? model["unk_token"] : "";
  for (std::size_t id = 0; id < vocab.tokens.size(); ++id) {
    if (!unknown.empty() && vocab.tokens[id] == unknown)
      vocab.types[id] = static_cast<std::int32_t>(TokenType::unknown);
  }
  if (root.contains("added_tokens")) {
    for (const json& token : root["added_tokens"]) {
      const auto id = token.at("id").get<std::size_t>();
      const auto text = token.at("content").get<std::string>();
      if (text == unknown) continue;
      if (id >= vocab.tokens.size()) {
        notes.push_back(fmt::format("the token {} ('{}') is outside the model's vocabulary of {}: left out",
                                    id, text, vocab_size));
        continue;
      }
      place(vocab, id, text, token.value("special", false) ? TokenType::control : TokenType::user_defined,
            0.0f);
    }
  }
  return vocab;
}

/// Whether any step of the (possibly nested) pre-tokenizer or decoder is of that type.
bool has_step(const json& step, const char* type) {
  if (!step.is_object()) return false;
  if (step.value("type", "") == type) return true;
  for (const char* list : {"pretokenizers", "decoders", "normalizers"}) {
    if (!step.contains(list)) continue;
    for (const json& inner : step[list]) {
      if (has_step(inner, type)) return true;
    }
  }
  return false;
}

const json& part(const json& root, const char* key) {
  static const json kNone;
  return root.contains(key) ? root[key] : kNone;
}

/// Whether a step only cuts at the matches of a regular expression: its words are those matches and what lies
/// between them, as GGUF's names imply. The second form keeps the matches alone, which is the same for a
/// pattern that leaves nothing out, as all do that end in white space.
bool cuts_at_matches(const json& split) {
  if (!split.contains("pattern") || !split["pattern"].contains("Regex")) return false;
  const std::string behavior = split.value("behavior", "Isolated");
  const bool invert = split.value("invert", false);
  if (behavior == "Isolated") return true;
  return behavior == "Removed" && invert && split["pattern"]["Regex"].get<std::string>().ends_with(R"(|\s+)");
}

/// Appends the patterns of a pre-tokenizer. Returns false when it does more than cut at patterns.
bool collect_patterns(const json& step, std::vector<std::string>& patterns) {
  if (!step.is_object()) return step.is_null();
  const std::string type = step.value("type", "");
  if (type == "Split") {
    if (!cuts_at_matches(step)) return false;
    patterns.push_back(step["pattern"]["Regex"]);
  } else if (type == "ByteLevel") {
    if (step.value("add_prefix_space", true)) return false;
    if (step.value("use_regex", true)) patterns.emplace_back(kGpt2Pattern);
  } else if (type == "Digits") {
    patterns.emplace_back(step.value("individual_digits", false) ? "\\p{N}" : "\\p{N}+");
  } else if (type == "Sequence") {
    for (const json& inner : part(step, "pretokenizers")) {
      if (!collect_patterns(inner, patterns)) return false;
    }
  } else {
    return false;
  }
  return true;
}

/// GGUF's name for a pre-tokenizer and for whether merges are ignored for words that are tokens, which it
/// implies; empty when it has none.
std::string pre_tokenizer_name(const json& root) {
  std::vector<std::string> patterns;
  if (!collect_patterns(part(root, "pre_tokenizer"), patterns)) return {};
  const bool ignore_merges = part(root, "model").value("ignore_merges", false);
  for (const PreTokenizerRow& row : pre_tokenizers()) {
    if (row.ignore_merges == ignore_merges &&
        std::equal(row.patterns.begin(), row.patterns.end(), patterns.begin(), patterns.end())) {
      return std::string(row.name);
    }
  }
  return {};
}

void add_id(GgufWriter& writer, const char* key, std::int32_t id) {
  if (id >= 0) writer.add_u32(key, static_cast<std::uint32_t>(id));
}

bool is_byte_level(const json& root) {
  return has_step(part(root, "pre_tokenizer"), "ByteLevel") || has_step(part(root, "decoder"), "ByteLevel");
}

/// Writes which algorithm the tokenizer has. Returns whether GGUF's keys say all that tokenizer.json does.
bool write_kind(const json& root, const std::string& path, const Tokenizer& tokenizer, GgufWriter& writer,
                std::vector<std::string>& notes) {
  bool plain_added = true;
  for (const json& token : part(root, "added_tokens")) {
    for (const char* flag : {"lstrip", "rstrip", "single_word"})
      plain_added = plain_added && !token.value(flag, false);
  }
  const std::string type = root.at("model").value("type", "BPE");
  if (type == "Unigram") {
    writer.add_string("tokenizer.ggml.model", "t5");
    return false;  // its normalizer is a table of its own
  }
  if (type != "BPE")
    fail("{}: a tokenizer of type '{}' has no form in GGUF that a language model uses", path, type);
  if (!is_byte_level(root)) {
    writer.add_string("tokenizer.ggml.model", "llama");
    const auto ids = tokenizer.encode("a", false);
    writer.add_bool("tokenizer.ggml.add_space_prefix",
                    !ids.empty() && tokenizer.piece(ids.front()).starts_with(' '));
    return plain_added;
  }
  writer.add_string("tokenizer.ggml.model", "gpt2");
  const std::string name = pre_tokenizer_name(root);
  writer.add_string("tokenizer.ggml.pre", name.empty() ? "default" : name);
  if (name.empty()) {
    notes.push_back(
        "GGUF has no name for this model's pre-tokenizer: readers that do not know "
        "tokenizer.huggingface.json may "
        "split text otherwise");
  }
  return plain_added && !name.empty() && part(root, "normalizer").is_null();
}

}  // namespace

void write_tokenizer_gguf(const std::string& folder, const Tokenizer& tokenizer, int vocab_size,
                          GgufWriter& writer, std::vector<std::string>& notes) {
  const std::string path = (fs::path(folder) / "tokenizer.json").string();
  std::error_code error;
  if (!fs::exists(path, error)) {
    fail(
        "{} has no tokenizer.json, from which GGUF's vocabulary is written; save the tokenizer with "
        "transformers' "
        "fast tokenizer first",
        folder);
  }
  const json root = read_json_file(path, kMaxBytes);
  const bool exact = write_kind(root, path, tokenizer, writer, notes);
  const GgmlVocab vocab = read_vocab(root, vocab_size, notes);
  const bool byte_level = is_byte_level(root);
  writer.add_string_array("tokenizer.ggml.tokens", vocab.tokens);
  writer.add_i32_array("tokenizer.ggml.token_type", vocab.types);
  if (!byte_level) writer.add_f32_array("tokenizer.ggml.scores", vocab.scores);
  if (byte_level || !vocab.merges.empty()) writer.add_string_array("tokenizer.ggml.merges", vocab.merges);
  add_id(writer, "tokenizer.ggml.bos_token_id", tokenizer.bos());
  add_id(writer, "tokenizer.ggml.eos_token_id", tokenizer.eos());
  for (std::size_t id = 0; id < vocab.types.size(); ++id) {
    if (vocab.types[id] == static_cast<std::int32_t>(TokenType::unknown)) {
      writer.add_u32("tokenizer.ggml.unknown_token_id", static_cast<std::uint32_t>(id));
      break;
    }
  }
  for (std::int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    if (id == tokenizer.eos() || !tokenizer.is_end(id)) continue;
    writer.add_u32("tokenizer.ggml.eot_token_id",
                   static_cast<std::uint32_t>(id));  // GGUF has room for one more
    break;
  }
  writer.add_bool("tokenizer.ggml.add_bos_token", tokenizer.adds_bos());
  if (!exact) writer.add_string("tokenizer.huggingface.json", root.dump());
  const fs::path template_path = fs::path(folder) / "tokenizer_config.json";
  if (fs::exists(template_path, error)) {
    const json config = read_json_file(template_path.string(), kMaxBytes);
    if (config.contains("chat_template") && config["chat_template"].is_string()) {
      writer.add_string("tokenizer.chat_template", config["chat_template"].get<std::string>());
    }
  }
}

}  // namespace rung
