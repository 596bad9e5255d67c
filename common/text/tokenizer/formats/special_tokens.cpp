#include "text/tokenizer/formats/special_tokens.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "core/ascii.hpp"
#include "core/error.hpp"
#include "files/json_file.hpp"

namespace rung {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::array<std::string_view, 7> kRoles = {"bos_token", "eos_token", "unk_token", "sep_token",
                                                    "pad_token", "cls_token", "mask_token"};

/// Roles that a class of tokenizers has where the files do not name them. transformers 5.24,
/// models/*/tokenization_*.py, the classes that language models have.
struct ClassDefaults {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::string_view>> roles;
};
const std::vector<ClassDefaults>& class_defaults() {
  static const std::vector<ClassDefaults> kClasses = {
      {"LlamaTokenizer", {{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"unk_token", "<unk>"}}},
      {"CodeLlamaTokenizer", {{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"unk_token", "<unk>"}}},
      {"GPT2Tokenizer",
       {{"bos_token", "<|endoftext|>"}, {"eos_token", "<|endoftext|>"}, {"unk_token", "<|endoftext|>"}}},
      {"CodeGenTokenizer",
       {{"bos_token", "<|endoftext|>"}, {"eos_token", "<|endoftext|>"}, {"unk_token", "<|endoftext|>"}}},
      {"GPTNeoXTokenizer",
       {{"bos_token", "<|endoftext|>"},
        {"eos_token", "<|endoftext|>"},
        {"unk_token", "<|endoftext|>"},
        {"pad_token", "<|padding|>"}}},
      {"Qwen2Tokenizer",
       {{"eos_token", "<|endoftext|>"}, {"unk_token", "<|endoftext|>"}, {"pad_token", "<|endoftext|>"}}},
      {"GemmaTokenizer",
       {{"bos_token", "<bos>"},
        {"eos_token", "<eos>"},
        {"unk_token", "<unk>"},
        {"pad_token", "<pad>"},
        {"mask_token", "<mask>"}}},
      {"CohereTokenizer",
       {{"bos_token", "<BOS_TOKEN>"},
        {"eos_token", "<|END_OF_TURN_TOKEN|>"},
        {"unk_token", "<UNK>"},
        {"sep_token", "<SEP>"},
        {"pad_token", "<PAD>"},
        {"cls_token", "<CLS>"},
        {"mask_token", "<MASK_TOKEN>"}}},
      {"T5Tokenizer", {{"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "<pad>"}}},
      {"BertTokenizer",
       {{"unk_token", "[UNK]"},
        {"sep_token", "[SEP]"},
        {"pad_token", "[PAD]"},
        {"cls_token", "[CLS]"},
        {"mask_token", "[MASK]"}}}};
  return kClasses;
}

/// The class that the library has for a model type; empty: the general one, TokenizersBackend.
struct TypeClass {
  std::string_view model_type, name;
  bool always = false;  // also where the folder names another class
};
constexpr std::array<TypeClass, 16> kTypeClasses = {{{"qwen2", "Qwen2Tokenizer", true},
                                                     {"qwen3", "Qwen2Tokenizer"},
                                                     {"gemma", "GemmaTokenizer"},
                                                     {"gemma2", "GemmaTokenizer"},
                                                     {"gemma3_text", "GemmaTokenizer"},
                                                     {"gemma3", "GemmaTokenizer"},
                                                     {"gpt2", "GPT2Tokenizer"},
                                                     {"phi", "GPT2Tokenizer"},
                                                     {"bert", "BertTokenizer"},
                                                     {"phi3", "", true},
                                                     {"mistral", ""},
                                                     {"mixtral", ""},
                                                     {"olmo2", ""},
                                                     {"olmo3", ""},
                                                     {"granite", ""},
                                                     {"stablelm", ""}}};

/// A file of one object; empty where there is no such file.
struct ObjectFile {
  std::string path;
  json object = json::object();
  JsonKeyOrder order;

  /// The keys of the object under `name`, or of the whole one under "", in their order.
  std::vector<std::string> keys(const std::string& name) const {
    const auto found = order.find(name);
    return found == order.end() ? std::vector<std::string>() : found->second;
  }
};

ObjectFile read_object(const fs::path& path) {
  ObjectFile file;
  file.path = path.string();
  std::error_code error;
  if (!fs::exists(path, error)) return file;
  file.object = read_json_file(file.path, kMaxTokenizerConfigBytes, &file.order);
  if (!file.object.is_object()) fail("{}: expected one JSON object", file.path);
  return file;
}

bool is_set(const json& object, const std::string& key) {
  return object.contains(key) && !object[key].is_null();
}

std::string text_under(const json& object, const char* key) {
  return object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : std::string();
}

/// "</s>", or {"content": "</s>", "lstrip": true, ...}. A string is a special token. `what` names the place.
TokenText token_of(const json& value, bool special, const std::string& what) {
  TokenText token;
  if (value.is_string()) {
    token.text = value.get<std::string>();
    token.flags.special = true;
    return token;
  }
  if (!value.is_object() || text_under(value, "content").empty()) {
    fail("{} is {}; expected a token: a string, or an object with its text under \"content\"", what,
         value.dump().substr(0, 100));
  }
  const auto flag = [&](const char* key, bool otherwise) {
    if (!is_set(value, key)) return otherwise;
    if (!value[key].is_boolean()) fail("{}: \"{}\" should be true or false", what, key);
    return value[key].get<bool>();
  };
  token.text = text_under(value, "content");
  token.flags.special = special || flag("special", false);
  token.flags.single_word = flag("single_word", false);
  token.flags.lstrip = flag("lstrip", false);
  token.flags.rstrip = flag("rstrip", false);
  token.flags.normalized = flag("normalized", !token.flags.special);
  return token;
}

using NamedTokens = std::vector<std::pair<std::string, TokenText>>;

/// A later token takes the place of the first of its name.
void set_token(NamedTokens& tokens, const std::string& name, const TokenText& token) {
  for (auto& [known, text] : tokens) {
    if (known == name) return void(text = token);
  }
  constexpr std::size_t kMaxNames = 1000;  // real folders have a few
  if (tokens.size() == kMaxNames) fail("a tokenizer may have at most {} named special tokens", kMaxNames);
  tokens.emplace_back(name, token);
}

/// Tokens in order, without those that are there already with the same flags.
class TokenList {
 public:
  void add(const TokenText& token) {
    auto& known = by_text_[token.text];
    if (std::find(known.begin(), known.end(), token) != known.end()) return;
    known.push_back(token);
    tokens_.push_back(token);
  }
  const std::vector<TokenText>& tokens() const { return tokens_; }

 private:
  std::vector<TokenText> tokens_;
  std::map<std::string, std::vector<TokenText>> by_text_;  // of one text at most one for each set of flags
};

/// Everything that the files say, as the keyword arguments of the library's tokenizer.
struct Arguments {
  std::map<std::string, std::optional<TokenText>, std::less<>> roles;  // the seven names; empty: none
  NamedTokens found_roles;                   // of this model only; found by their names
  NamedTokens named_roles;                   // the same, that the files list as such
  TokenList extra;                           // without a name
  std::map<std::int64_t, TokenText> placed;  // added_tokens_decoder
  std::map<std::string, TokenText> by_text;  // the same, with those whose place another one took
};

void set_placed(Arguments& arguments, std::int64_t id, const TokenText& token) {
  arguments.placed[id] = token;
  arguments.by_text[token.text] = token;
}

bool names_role(const std::string& key) {
  return std::find(kRoles.begin(), kRoles.end(), key) != kRoles.end();
}

/// Adds the tokens of a list without names, each once.
void add_extra(const json& list, const std::string& what, Arguments& arguments) {
  if (!list.is_array()) fail("{} is a JSON {}; expected a list of tokens", what, list.type_name());
  for (const json& value : list) arguments.extra.add(token_of(value, true, what));
}

enum class NameFile { tokenizer_config, special_tokens_map };

/// What both files may have. Where they say different things, the map counts. Tokens that get new ids get
/// them in the order of the file.
void read_names(const ObjectFile& file, NameFile kind, Arguments& arguments) {
  const json& object = file.object;
  const bool is_map = kind == NameFile::special_tokens_map;
  const auto set_role = [&](NamedTokens& others, const std::string& key, const json& value) {
    std::optional<TokenText> token;
    const bool empty = value.is_string() && value.get_ref<const std::string&>().empty();
    if (!value.is_null() && !empty) token = token_of(value, true, fmt::format("{}: \"{}\"", file.path, key));
    if (names_role(key)) {
      arguments.roles[key] = token;
    } else if (token) {
      set_token(others, key, *token);
    }
  };
  for (const std::string& key : file.keys("")) {
    const json& value = object[key];
    const bool named = key.ends_with("_token") && (value.is_string() || value.is_object());
    if (!named && !names_role(key)) continue;
    set_role(is_map || value.is_object() ? arguments.found_roles : arguments.named_roles, key, value);
  }
  const char* const name = "extra_special_tokens";
  const char* const old_name = "additional_special_tokens";
  const bool has_new = is_set(object, name) && !object[name].empty();
  if (!has_new && is_map && !arguments.extra.tokens().empty()) return;
  const char* const key = has_new ? name : old_name;
  if (!is_set(object, key)) return;
  const std::string what = fmt::format("{}: \"{}\"", file.path, key);
  if (!object[key].is_object()) return add_extra(object[key], what, arguments);
  if (is_map) arguments.extra = {};
  for (const std::string& role : file.keys(key)) set_role(arguments.named_roles, role, object[key][role]);
}

std::int64_t whole(const json& value, const std::string& what) {
  if (value.is_number_integer() && (!value.is_number_unsigned() || value.get<std::uint64_t>() <= INT32_MAX)) {
    return value.get<std::int64_t>();
  }
  fail("{} is {}; expected the id of a token, a whole number", what, value.dump().substr(0, 100));
}

void read_placed(const json& object, const std::string& path, Arguments& arguments) {
  const std::string what = path + ": \"added_tokens_decoder\"";
  if (!object.is_object()) fail("{} is a JSON {}; expected an object", what, object.type_name());
  for (const auto& [key, value] : object.items()) {
    const bool digits =
        !key.empty() && key.size() < 10 && std::all_of(key.begin(), key.end(), is_ascii_digit);
    if (!digits) fail("{}: the key \"{}\" is no id of a token", what, key);
    set_placed(arguments, std::stoll(key), token_of(value, false, what));
  }
}

/// added_tokens.json: {"<token>": id}.
void read_added_file(const fs::path& path, Arguments& arguments) {
  std::set<std::string> special;
  for (const auto& [name, token] : arguments.roles) {
    if (token) special.insert(token->text);
  }
  for (const TokenText& token : arguments.extra.tokens()) special.insert(token.text);
  const ObjectFile file = read_object(path);
  for (const std::string& text : file.keys("")) {
    const json& id = file.object[text];
    TokenText token;
    token.text = text;
    token.flags.special = special.count(text) > 0;
    token.flags.normalized = !token.flags.special;
    set_placed(arguments, whole(id, fmt::format("{}: the id of \"{}\"", file.path, text)), token);
  }
}

/// The class whose defaults count; empty where it has none of its own.
std::string class_of(const json& config, const json& model, bool byte_level) {
  std::string named = text_under(config, "tokenizer_class");
  if (named.empty()) named = text_under(model, "tokenizer_class");
  if (named.ends_with("Fast")) named.resize(named.size() - 4);
  const std::string type = text_under(model, "model_type");
  const auto* of_type = std::find_if(kTypeClasses.begin(), kTypeClasses.end(),
                                     [&](const TypeClass& known) { return known.model_type == type; });
  const bool known = of_type != kTypeClasses.end();
  if (known && of_type->always) return std::string(of_type->name);
  // The class for SentencePiece, which byte-level models name by mistake.
  if (named == "LlamaTokenizer" && byte_level) return {};
  if (!known || !(of_type->name.empty() || named.empty())) return named;
  return std::string(of_type->name);
}

void set_class_defaults(const std::string& name, Arguments& arguments) {
  for (const ClassDefaults& known : class_defaults()) {
    if (known.name != name) continue;
    for (const auto& [role, text] : known.roles) {
      TokenText token;
      token.text = text;
      token.flags.special = true;
      arguments.roles.try_emplace(std::string(role), token);
    }
  }
}

/// In the library's order. Those that are the tokenizer's own already change nothing.
std::vector<TokenText> tokens_to_add(const Arguments& arguments, const std::vector<OwnToken>& own,
                                     const std::vector<TokenText>& roles) {
  std::vector<TokenText> result;
  std::set<std::string> known, special;
  for (const OwnToken& token : own) known.insert(token.token.text);
  for (const auto& [id, token] : arguments.placed) {
    known.insert(token.text);
    result.push_back(token);
  }
  TokenList others;
  for (const std::vector<TokenText>* list : {&roles, &arguments.extra.tokens()}) {
    for (const TokenText& token : *list) {
      if (known.count(token.text) == 0) others.add(token);
    }
  }
  // The same text with other flags comes again, and has the last word.
  result.insert(result.end(), others.tokens().begin(), others.tokens().end());
  for (const TokenText& role : roles) special.insert(role.text);
  for (TokenText& token : result) {
    token.flags.special = token.flags.special || special.count(token.text) > 0;
  }
  return result;
}

/// "eos_token_id": a number, a list, or nothing.
std::vector<std::int64_t> end_ids(const json& object, const std::string& path) {
  std::vector<std::int64_t> ids;
  if (!is_set(object, "eos_token_id")) return ids;
  const json& value = object["eos_token_id"];
  const std::string what = path + ": \"eos_token_id\"";
  if (!value.is_array()) return {whole(value, what)};
  for (const json& id : value) ids.push_back(whole(id, what));
  return ids;
}

void read_ends(const fs::path& folder, const json& model, SpecialTokens& result) {
  result.ends_source = (folder / "generation_config.json").string();
  result.ends = end_ids(read_object(result.ends_source).object, result.ends_source);
  result.ends_are_own = !result.ends.empty();
  if (result.ends_are_own) return;
  result.ends_source = (folder / "config.json").string();
  result.ends = end_ids(model, result.ends_source);
  // Models that also see pictures keep the language model's part one level down.
  if (result.ends.empty() && model.contains("text_config")) {
    result.ends = end_ids(model["text_config"], result.ends_source);
  }
}

}  // namespace

std::string_view SpecialTokens::role(std::string_view name) const {
  for (const auto& [known, text] : roles) {
    if (known == name) return text;
  }
  return {};
}

SpecialTokens special_tokens_of(const std::string& folder, const std::vector<OwnToken>& own,
                                bool byte_level) {
  const fs::path at = folder;
  const ObjectFile config = read_object(at / "tokenizer_config.json");
  const json model = read_object(at / "config.json").object;
  Arguments arguments;
  read_names(config, NameFile::tokenizer_config, arguments);
  if (is_set(config.object, "added_tokens_decoder")) {
    read_placed(config.object["added_tokens_decoder"], config.path, arguments);
  } else {  // folders of older versions
    read_names(read_object(at / "special_tokens_map.json"), NameFile::special_tokens_map, arguments);
    read_added_file(at / "added_tokens.json", arguments);
    for (const OwnToken& token : own) set_placed(arguments, token.id, token.token);
  }
  set_class_defaults(class_of(config.object, model, byte_level), arguments);

  SpecialTokens result;
  std::vector<TokenText> roles;
  const auto add_role = [&](const std::string& name, const TokenText& token) {
    roles.push_back(token);
    result.roles.emplace_back(name, token.text);
  };
  for (const std::string_view name : kRoles) {
    const auto found = arguments.roles.find(name);
    if (found == arguments.roles.end() || !found->second) continue;
    const auto flags = arguments.by_text.find(found->second->text);
    add_role(found->first, flags == arguments.by_text.end() ? *found->second : flags->second);
  }
  NamedTokens others = arguments.found_roles;
  for (const auto& [name, token] : arguments.named_roles) set_token(others, name, token);
  for (const auto& [name, token] : others) add_role(name, token);
  result.added = tokens_to_add(arguments, own, roles);
  for (const auto& [id, token] : arguments.placed) result.placed.push_back({id, token});
  read_ends(at, model, result);
  return result;
}

}  // namespace rung
