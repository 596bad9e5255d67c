// Converts tokenizer.json to the keys tokenizer.ggml.* of GGUF.

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "convert/convert_tokenizer.hpp"
#include "core/error.hpp"
#include "files/json_file.hpp"
#include "text/chat/chat_template.hpp"
#include "text/tokenizer/formats/gguf_keys.hpp"
#include "text/tokenizer/split/pretokenize.hpp"
#include "text/tokenizer/vocab.hpp"
#include "text/utf8.hpp"

namespace rung {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::size_t kMaxBytes = std::size_t{256} << 20;

/// What tokenizer.ggml.* will say.
struct GgmlVocab {
  std::vector<std::string> tokens;
  std::vector<std::int32_t> types;
  std::vector<float> scores;
  std::vector<std::string> merges;
};

/// The parts of a merge, "a b" or ["a", "b"].
std::pair<std::string, std::string> merge_parts(const json& merge) {
  if (merge.is_array()) return {merge.at(0).get<std::string>(), merge.at(1).get<std::string>()};
  const auto text = merge.get<std::string>();
  const std::size_t space = text.find(' ');
  return {text.substr(0, space), text.substr(space + 1)};
}

/// One token per row of the model: rows without one become unused tokens, tokens without a row are left out.
GgmlVocab vocab_of(const json& model, const Vocab& vocab, int rows, std::vector<std::string>& notes) {
  GgmlVocab result;
  const auto count = static_cast<std::size_t>(rows);
  for (std::size_t id = 0; id < count; ++id) {
    const bool known = id < vocab.tokens.size() && !vocab.tokens[id].empty();
    result.tokens.push_back(known ? vocab.tokens[id] : fmt::format("[PAD{}]", id));
    result.types.push_back(static_cast<std::int32_t>(known ? vocab.types[id] : TokenType::unused));
  }
  for (std::size_t id = count; id < vocab.tokens.size(); ++id) {
    if (vocab.tokens[id].empty()) continue;
    notes.push_back(fmt::format("the token {} ('{}') is outside the model's vocabulary of {}: left out", id,
                                vocab.tokens[id], rows));
  }
  result.scores.assign(count, 0.0f);
  // SentencePiece joins the pair whose result has the highest score: the order of the merges as scores.
  std::map<std::string, float> rank;
  if (model.contains("merges")) {
    float next = 0;
    for (const json& merge : model.at("merges")) {
      const auto [left, right] = merge_parts(merge);
      result.merges.push_back(fmt::format("{} {}", left, right));
      rank.try_emplace(left + right, --next);
    }
  }
  const json& entries = model.at("vocab");
  for (std::size_t id = 0; id < count && id < vocab.tokens.size(); ++id) {
    if (entries.is_array()) {  // unigram: [["text", score], ...]
      if (id < entries.size()) result.scores[id] = entries[id].at(1).get<float>();
    } else if (const auto known = rank.find(vocab.tokens[id]);
               known != rank.end() && vocab.types[id] == TokenType::normal) {
      result.scores[id] = known->second;
    }
  }
  return result;
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

bool is_byte_level(const json& root) {
  return has_step(part(root, "pre_tokenizer"), "ByteLevel") || has_step(part(root, "decoder"), "ByteLevel");
}

/// Whether the keys of a byte-level tokenizer say everything that the model and the steps around it do.
bool is_plain_byte_level(const json& root) {
  const json& model = part(root, "model");
  for (const char* text : {"unk_token", "continuing_subword_prefix", "end_of_word_suffix"}) {
    const json& value = part(model, text);
    if (!value.is_null() && !(value.is_string() && value.get_ref<const std::string&>().empty())) return false;
  }
  const json& decoder = part(root, "decoder");
  return !model.value("byte_fallback", false) && !model.value("fuse_unk", false) &&
         part(root, "normalizer").is_null() && decoder.is_object() &&
         decoder.value("type", "") == "ByteLevel";
}

/// Whether GGUF's types of tokens say which are found in text, and how.
bool has_plain_added_tokens(const Vocab& vocab) {
  std::vector<bool> added(vocab.tokens.size());
  for (const AddedToken& token : vocab.added) {
    AddedToken plain;
    plain.id = token.id;
    plain.special = vocab.type(token.id) != TokenType::user_defined;
    plain.normalized = token.normalized;  // the same where there is no normalizer
    if (!(token == plain)) return false;
    added[static_cast<std::size_t>(token.id)] = true;
  }
  for (std::int32_t id = 0; id < vocab.size(); ++id) {
    const TokenType type = vocab.type(id);
    const bool found =
        type == TokenType::control || type == TokenType::user_defined || type == TokenType::unknown;
    if (found != added[static_cast<std::size_t>(id)]) return false;
  }
  return true;
}

/// Whether add_bos_token and add_eos_token say what stands around a text.
bool has_plain_surroundings(const Vocab& vocab) {
  const auto at_most = [](const std::vector<std::int32_t>& around, std::int32_t id) {
    return around.empty() || (around.size() == 1 && around.front() == id);
  };
  return at_most(vocab.before, vocab.bos) && at_most(vocab.after, vocab.eos);
}

/// Writes which algorithm the tokenizer has. Returns whether GGUF's keys say all that tokenizer.json does;
/// only what is known to be the same counts.
bool write_kind(const json& root, const std::string& path, const VocabTokenizer& tokenizer,
                GgufWriter& writer, std::vector<std::string>& notes) {
  const Vocab& vocab = tokenizer.vocab();
  const std::string type = root.at("model").value("type", "BPE");
  if (type == "Unigram") {
    writer.add_string("tokenizer.ggml.model", "t5");
    return false;  // its normalizer is a table of its own
  }
  if (type != "BPE")
    fail("{}: a tokenizer of type '{}' has no form in GGUF that a language model uses", path, type);
  if (!is_byte_level(root)) {
    // Readers of GGUF join by scores, and cut text in their own way: near to the merges, but not the same.
    writer.add_string("tokenizer.ggml.model", "llama");
    const auto ids = tokenizer.encode("a", false);
    writer.add_bool("tokenizer.ggml.add_space_prefix",
                    !ids.empty() && vocab.token(ids.front()).starts_with(kVisibleSpace));
    notes.push_back(
        "GGUF's keys say nearly how this tokenizer cuts text; the whole tokenizer.json is in the file as "
        "well, but readers that do not know tokenizer.huggingface.json may give other tokens");
    return false;
  }
  writer.add_string("tokenizer.ggml.model", "gpt2");
  const std::string name = pre_tokenizer_name(root);
  writer.add_string("tokenizer.ggml.pre", name.empty() ? "default" : name);
  if (name.empty()) {
    notes.push_back(
        "GGUF has no name for this model's pre-tokenizer: readers that do not know "
        "tokenizer.huggingface.json may split text otherwise");
  }
  return !name.empty() && is_plain_byte_level(root) && has_plain_added_tokens(vocab) &&
         has_plain_surroundings(vocab);
}

/// Ids and names of special tokens.
void write_roles(const Vocab& vocab, int rows, GgufWriter& writer, std::vector<std::string>& notes) {
  std::map<std::string, std::string, std::less<>> unsaid(vocab.roles.begin(), vocab.roles.end());
  for (const auto& [role, key] : gguf_keys::kRoles) {
    const auto named = unsaid.find(role);
    const std::string text = named == unsaid.end() ? "" : named->second;
    const auto found = std::find(vocab.tokens.begin(), vocab.tokens.end(), text);
    std::int32_t id = named == unsaid.end() ? -1 : static_cast<std::int32_t>(found - vocab.tokens.begin());
    // These the tokenizer uses itself, whatever chat templates call them.
    if (role == "bos_token") id = vocab.bos;
    if (role == "eos_token") id = vocab.eos;
    if (role == "unk_token" && vocab.unknown >= 0) id = vocab.unknown;
    if (id < 0) continue;
    if (id >= rows) {
      notes.push_back(
          fmt::format("the {} is the token {}, which the model has no row for: left out", role, id));
      continue;
    }
    writer.add_u32(key, static_cast<std::uint32_t>(id));
    if (vocab.token(id) == text) {
      unsaid.erase(named);
    } else {
      unsaid[std::string(role)] = text;
    }
  }
  for (const auto& [role, text] : unsaid) writer.add_string(std::string(gguf_keys::kNamePrefix) + role, text);
}

/// Further tokens that end generation: GGUF's specification has room for two.
void write_ends(const Tokenizer& tokenizer, int rows, GgufWriter& writer, std::vector<std::string>& notes) {
  std::vector<std::int32_t> ends;
  for (std::int32_t id = 0; id < std::min(tokenizer.vocab_size(), rows); ++id) {
    if (id != tokenizer.eos() && tokenizer.is_end(id)) ends.push_back(id);
  }
  const auto& keys = gguf_keys::kFurtherEnds;
  for (std::size_t i = 0; i < std::min(ends.size(), keys.size()); ++i) {
    writer.add_u32(keys[i], static_cast<std::uint32_t>(ends[i]));
  }
  if (ends.size() <= keys.size()) return;
  writer.add_i32_array(gguf_keys::kEnds, ends);
  notes.push_back(fmt::format(
      "{} tokens end generation, and GGUF's specification has keys for three: readers that do not "
      "know {} will go on after the others",
      ends.size() + (tokenizer.eos() >= 0 ? 1 : 0), gguf_keys::kEnds));
}

/// The templates of a folder, as llama.cpp's converter writes them.
void write_chat_templates(const std::string& folder, GgufWriter& writer) {
  std::vector<std::string> names;
  for (const NamedTemplate& found : chat_templates_of(folder)) {
    std::string key(gguf_keys::kChatTemplate);
    if (found.name != "default") {
      key += "." + found.name;
      names.push_back(found.name);
    }
    writer.add_string(key, found.source);
  }
  if (!names.empty()) writer.add_string_array(gguf_keys::kChatTemplateNames, names);
}

}  // namespace

nlohmann::ordered_json added_tokens_json(const Vocab& vocab) {
  auto added = nlohmann::ordered_json::array();
  for (const AddedToken& token : vocab.added) {
    added.push_back({{"id", token.id},
                     {"content", vocab.token(token.id)},
                     {"single_word", token.single_word},
                     {"lstrip", token.lstrip},
                     {"rstrip", token.rstrip},
                     {"normalized", token.normalized},
                     {"special", token.special}});
  }
  return added;
}

void write_tokenizer_gguf(const std::string& folder, const Tokenizer& tokenizer, int vocab_size,
                          GgufWriter& writer, std::vector<std::string>& notes) {
  const std::string path = (fs::path(folder) / "tokenizer.json").string();
  std::error_code error;
  const auto* loaded = dynamic_cast<const VocabTokenizer*>(&tokenizer);
  if (!fs::exists(path, error) || loaded == nullptr) {
    fail(
        "{} has no tokenizer.json, from which GGUF's vocabulary is written; save the tokenizer with "
        "transformers' fast tokenizer first",
        folder);
  }
  const json root = read_json_file(path, kMaxBytes);
  const Vocab& all = loaded->vocab();
  const bool exact = write_kind(root, path, *loaded, writer, notes);
  const GgmlVocab vocab = vocab_of(root.at("model"), all, vocab_size, notes);
  const bool byte_level = is_byte_level(root);
  writer.add_string_array("tokenizer.ggml.tokens", vocab.tokens);
  writer.add_i32_array("tokenizer.ggml.token_type", vocab.types);
  if (!byte_level) writer.add_f32_array("tokenizer.ggml.scores", vocab.scores);
  if (byte_level || !vocab.merges.empty()) writer.add_string_array("tokenizer.ggml.merges", vocab.merges);
  write_roles(all, vocab_size, writer, notes);
  write_ends(tokenizer, vocab_size, writer, notes);
  writer.add_bool("tokenizer.ggml.add_bos_token", tokenizer.adds_bos());
  writer.add_bool("tokenizer.ggml.add_eos_token", !all.after.empty() && all.after.front() == all.eos);
  if (!exact) {
    // The files beside tokenizer.json may add tokens.
    json whole = root;
    whole["added_tokens"] = added_tokens_json(all);
    writer.add_string("tokenizer.huggingface.json", whole.dump());
  }
  write_chat_templates(folder, writer);
}

}  // namespace rung
