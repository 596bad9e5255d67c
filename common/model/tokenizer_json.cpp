// tokenizer_from_json(): a Hugging Face folder's tokenizer.json as a vocabulary.

#include <algorithm>
#include <filesystem>

#include "core/error.hpp"
#include "model/json_file.hpp"
#include "model/tokenizer_bpe.hpp"
#include "model/tokenizer_json_steps.hpp"
#include "model/tokenizer_load.hpp"
#include "model/tokenizer_spm.hpp"
#include "model/tokenizer_utf8.hpp"

namespace rung {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::size_t kMaxTokenizerBytes = std::size_t{256} << 20;
constexpr std::size_t kMaxConfigBytes = std::size_t{16} << 20;

struct Entry {
  std::string text;
  std::int64_t id = 0;
  TokenType type = TokenType::normal;
};

std::int64_t id_of(const json& value, const std::string& text, const std::string& what) {
  if (!value.is_number_integer()) {
    fail("{}: the id of the token \"{}\" is a JSON {}, but should be a whole number", what, text,
         value.type_name());
  }
  return value.is_number_unsigned() && value.get<std::uint64_t>() > INT32_MAX ? -1
                                                                              : value.get<std::int64_t>();
}

/// Tokens that the text may name, in and beside the vocabulary.
void read_added_tokens(const json& added, std::vector<Entry>& entries, const std::string& what) {
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < entries.size(); ++i) known.emplace(entries[i].text, i);
  if (!added.is_null() && !added.is_array()) fail("{}: \"added_tokens\" is no JSON array", what);
  for (const json& token : added) {
    const std::string text = json_string(token, "content", "", what);
    if (text.empty()) fail("{}: one of \"added_tokens\" has no \"content\"", what);
    for (const char* flag : {"single_word", "lstrip", "rstrip"}) {
      if (json_bool(token, flag, false, what)) {
        fail("{}: the added token \"{}\" has \"{}\" set, which is not supported", what, text, flag);
      }
    }
    const auto type = json_bool(token, "special", false, what) ? TokenType::control : TokenType::user_defined;
    const std::int64_t id = id_of(json_value(token, "id"), text, what);
    const auto [place, fresh] = known.try_emplace(text, entries.size());
    if (fresh) {
      entries.push_back({text, id, type});
      continue;
    }
    Entry& entry = entries[place->second];
    if (entry.id != id) {
      fail("{}: the token \"{}\" has the id {} in the vocabulary and {} in \"added_tokens\"", what, text,
           entry.id, id);
    }
    entry.type = type;
  }
}

/// Puts every token in its place; ids that nobody has become unused, empty tokens.
void place_tokens(const std::vector<Entry>& entries, Vocab& vocab) {
  std::int64_t largest = -1;
  for (const Entry& entry : entries) {
    // Gaps are allowed, but a stray id must not make us take memory for billions of tokens.
    const auto limit = static_cast<std::int64_t>(2 * entries.size() + 1024);
    if (entry.id < 0 || entry.id >= limit) {
      fail("{}: the token \"{}\" has an id that cannot be in a vocabulary of {} tokens", vocab.source,
           entry.text, entries.size());
    }
    largest = std::max(largest, entry.id);
  }
  vocab.tokens.resize(static_cast<std::size_t>(largest + 1));
  vocab.types.assign(vocab.tokens.size(), TokenType::unused);
  std::vector<bool> taken(vocab.tokens.size());
  for (const Entry& entry : entries) {
    const auto id = static_cast<std::size_t>(entry.id);
    if (taken[id]) {
      fail("{}: the tokens \"{}\" and \"{}\" have the same id {}", vocab.source, vocab.tokens[id], entry.text,
           id);
    }
    taken[id] = true;
    vocab.tokens[id] = entry.text;
    vocab.types[id] = entry.type;
  }
}

/// "merges": ["a b", ...] or [["a", "b"], ...].
Merges read_merges(const json& list, const std::string& what) {
  if (!list.is_array()) fail("{}: the model has no array \"merges\"", what);
  Merges merges;
  merges.reserve(list.size());
  for (const json& merge : list) {
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      merges.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
      continue;
    }
    const std::string text = merge.is_string() ? merge.get<std::string>() : std::string();
    const std::size_t space = text.find(' ');
    if (space == std::string::npos || space == 0 || space + 1 == text.size() ||
        text.find(' ', space + 1) != std::string::npos) {
      fail("{}: merge {} is {}; expected \"a b\" or [\"a\", \"b\"]", what, merges.size(),
           merge.dump().substr(0, 100));
    }
    merges.emplace_back(text.substr(0, space), text.substr(space + 1));
  }
  return merges;
}

void check_model(const json& model, const std::string& what) {
  const std::string type = json_string(model, "type", "BPE", what);
  if (!model.is_object() || type != "BPE") {
    fail("{}: the tokenizer model \"{}\" is not supported; supported is BPE", what,
         model.is_object() ? type : "");
  }
  for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"}) {
    const json& value = json_value(model, key);
    const bool off = value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty()) ||
                     (value.is_number() && value.get<double>() == 0);
    if (!off) {
      fail("{}: the tokenizer model has \"{}\" set to {}, which is not supported", what, key, value.dump());
    }
  }
  if (!json_value(model, "vocab").is_object()) fail("{}: the tokenizer model has no object \"vocab\"", what);
}

std::int32_t find_token(const Vocab& vocab, const std::string& role, const std::string& text) {
  const auto found = std::find(vocab.tokens.begin(), vocab.tokens.end(), text);
  if (found == vocab.tokens.end() || text.empty()) {
    fail("{}: the {} token \"{}\" is not in the vocabulary", vocab.source, role, text);
  }
  return static_cast<std::int32_t>(found - vocab.tokens.begin());
}

json read_if_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error) ? read_json_file(path.string(), kMaxConfigBytes) : json();
}

/// A token in tokenizer_config.json: "</s>" or {"content": "</s>", ...}; -1 where it is absent.
std::int32_t configured_token(const Vocab& vocab, const json& config, const char* key,
                              const std::string& what) {
  const json& value = json_value(config, key);
  if (value.is_null()) return -1;
  return find_token(
      vocab, key,
      value.is_object() ? json_string(value, "content", "", what) : json_string(config, key, "", what));
}

/// Start and end tokens, from the files that name them.
void read_roles(const fs::path& folder, const TokenizerSteps& steps, Vocab& vocab) {
  const std::string config_path = (folder / "tokenizer_config.json").string();
  const json config = read_if_there(config_path);
  vocab.bos = configured_token(vocab, config, "bos_token", config_path);
  vocab.eos = configured_token(vocab, config, "eos_token", config_path);
  if (steps.start) {
    vocab.bos = find_token(vocab, "start", *steps.start);
    vocab.add_bos = true;
  }
  // Where the configuration says so itself, it decides, as it does for the classes that read it.
  vocab.add_bos = json_bool(config, "add_bos_token", vocab.add_bos, config_path);

  const std::string generation_path = (folder / "generation_config.json").string();
  const json generation = read_if_there(generation_path);
  json ends = json_value(generation, "eos_token_id");  // a number or a list
  if (ends.is_null()) return;
  if (!ends.is_array()) ends = json::array({ends});
  for (const json& end : ends) {
    const std::int64_t id = id_of(end, "eos_token_id", generation_path);
    if (id < 0 || id >= vocab.size()) {
      fail("{}: eos_token_id {} is outside the vocabulary of {} tokens", generation_path, end.dump(),
           vocab.size());
    }
    vocab.ends.push_back(static_cast<std::int32_t>(id));
  }
  if (vocab.eos < 0 && !vocab.ends.empty()) vocab.eos = vocab.ends.front();
}

/// "<0x41>" as byte tokens, the unknown token, and merges for the SentencePiece style.
std::shared_ptr<const Tokenizer> make_spm(SpmVocab vocab, const json& model, const TokenizerSteps& steps) {
  vocab.space_prefix = steps.space_prefix;
  if (json_bool(model, "byte_fallback", false, vocab.source)) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      const auto id = static_cast<std::size_t>(find_token(vocab, "byte", fmt::format("<0x{:02X}>", byte)));
      vocab.types[id] = TokenType::byte;
    }
  }
  const std::string unknown = json_string(model, "unk_token", "", vocab.source);
  if (!unknown.empty()) {
    vocab.unknown = find_token(vocab, "unknown", unknown);
    vocab.types[static_cast<std::size_t>(vocab.unknown)] = TokenType::unknown;
  }
  vocab.merges = read_merges(json_value(model, "merges"), vocab.source);
  return std::make_shared<SpmTokenizer>(std::move(vocab));
}

}  // namespace

std::shared_ptr<const Tokenizer> tokenizer_from_json(const std::string& folder) {
  const std::string path = (fs::path(folder) / "tokenizer.json").string();
  std::error_code error;
  if (!fs::exists(path, error)) {
    fail("the folder '{}' has no tokenizer.json, from which the tokenizer is read", folder);
  }
  const json root = read_json_file(path, kMaxTokenizerBytes);
  const json& model = json_value(root, "model");
  check_model(model, path);
  const TokenizerSteps steps = read_tokenizer_steps(root, path);

  std::vector<Entry> entries;
  for (const auto& [text, id] : model["vocab"].items()) entries.push_back({text, id_of(id, text, path)});
  read_added_tokens(json_value(root, "added_tokens"), entries, path);

  Vocab vocab;
  vocab.source = path;
  place_tokens(entries, vocab);
  read_roles(folder, steps, vocab);
  if (!steps.byte_level) return make_spm({std::move(vocab), {}, {}, steps.space_prefix}, model, steps);

  BpeVocab bpe{std::move(vocab), read_merges(json_value(model, "merges"), path), steps.patterns,
               json_bool(model, "ignore_merges", false, path)};
  return std::make_shared<BpeTokenizer>(std::move(bpe));
}

}  // namespace rung
