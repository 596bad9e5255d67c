// Rendering, and where a model's template is found.

#include "model/chat_template.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/error.hpp"
#include "model/gguf.hpp"
#include "model/jinja_parser.hpp"
#include "model/jinja_run.hpp"
#include "model/json_file.hpp"
#include "model/tokenizer.hpp"

namespace rung {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kMaxTemplateBytes = std::size_t{1} << 20;

std::string read_text(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) fail("{}: cannot be read: {}", path, error.message());
  if (size > kMaxTemplateBytes)
    fail("{}: {} bytes are too many for a chat template; at most {}", path, size, kMaxTemplateBytes);
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) fail("{}: cannot be read", path);
  return text.str();
}

/// A string, or [{"name": "default", "template": "..."}, ...]. Empty when there is none.
std::string choose(const json& value, const std::string& variant, const std::string& what) {
  if (value.is_null()) return {};
  if (value.is_string()) {
    if (!variant.empty() && variant != "default")
      fail("{}: has one chat template, without a name, but '{}' is asked for", what, variant);
    return value.get<std::string>();
  }
  if (!value.is_array()) fail("{}: 'chat_template' is neither a string nor a list of named templates", what);
  const std::string wanted = variant.empty() ? "default" : variant;
  std::string known;
  for (const json& entry : value) {
    const auto name = entry.is_object() ? entry.find("name") : entry.end();
    const auto text = entry.is_object() ? entry.find("template") : entry.end();
    if (!entry.is_object() || name == entry.end() || text == entry.end() || !name->is_string() ||
        !text->is_string())
      fail("{}: an entry of 'chat_template' is not of the form {{\"name\": ..., \"template\": ...}}", what);
    if (*name == wanted) return text->get<std::string>();
    known += (known.empty() ? "" : ", ") + name->get<std::string>();
  }
  fail("{}: has no chat template '{}'; it has: {}", what, wanted, known);
}

/// "bos_token": "<s>" or {"content": "<s>", ...}.
std::string token_text(const json& config, const char* key) {
  const auto at = config.find(key);
  if (at == config.end()) return {};
  if (at->is_string()) return at->get<std::string>();
  if (at->is_object() && at->contains("content") && (*at)["content"].is_string())
    return (*at)["content"].get<std::string>();
  return {};
}

json folder_config(const std::string& folder) {
  const std::string path = (fs::path(folder) / "tokenizer_config.json").string();
  std::error_code error;
  if (!fs::exists(path, error)) return json::object();
  json config = read_json_file(path, kMaxTokenizerConfigBytes);
  if (!config.is_object()) fail("{}: expected a JSON object", path);
  return config;
}

/// A template and where it stands; empty when the model has none.
struct Found {
  std::string source, where;
};

Found in_folder(const std::string& folder, const std::string& variant) {
  const auto file = [&](const char* name) { return (fs::path(folder) / name).string(); };
  if (const std::string path = file("chat_template.jinja"); fs::exists(path)) {
    return {choose(read_text(path), variant, path), path};
  }
  if (const std::string path = file("chat_template.json"); fs::exists(path)) {
    const json document = read_json_file(path, kMaxTokenizerConfigBytes);
    if (!document.is_object()) fail("{}: expected a JSON object", path);
    return {choose(document.value("chat_template", json()), variant, path), path};
  }
  const std::string path = file("tokenizer_config.json");
  return {choose(folder_config(folder).value("chat_template", json()), variant, path), path};
}

Found in_gguf(const std::string& path, const std::string& variant) {
  const auto gguf = Gguf::open(path);
  const bool named = !variant.empty() && variant != "default";
  const std::string key = named ? "tokenizer.chat_template." + variant : "tokenizer.chat_template";
  if (gguf->has(key)) return {gguf->get_string(key), fmt::format("{}: {}", path, key)};
  if (named) fail("{}: has no chat template '{}' (no key '{}')", path, variant, key);
  return {};
}

void set_tokens(ChatTemplate& chat, const std::string& path, const Tokenizer& tokenizer) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    const json config = folder_config(path);
    for (const char* key :
         {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
      const std::string text = token_text(config, key);
      if (!text.empty()) chat.set_token(key, text);
    }
    return;
  }
  const auto gguf = Gguf::open(path);
  if (!gguf->has("tokenizer.ggml.tokens")) return;
  const auto tokens = gguf->string_array("tokenizer.ggml.tokens");
  const auto set = [&](const char* name, std::int32_t id) {
    if (id >= 0 && static_cast<std::size_t>(id) < tokens.size())
      chat.set_token(name, std::string(tokens[static_cast<std::size_t>(id)]));
  };
  set("bos_token", tokenizer.bos());
  set("eos_token", tokenizer.eos());
}

}  // namespace

std::shared_ptr<const ChatTemplate> chat_template_for_model(const std::string& source,
                                                            const std::string& name, const std::string& path,
                                                            const Tokenizer& tokenizer) {
  auto chat = std::make_shared<ChatTemplate>(source, name);
  set_tokens(*chat, path, tokenizer);
  return chat;
}

std::shared_ptr<const ChatTemplate> load_chat_template(const std::string& path, const Tokenizer& tokenizer,
                                                       const std::string& variant) {
  std::error_code error;
  const Found found = fs::is_directory(path, error) ? in_folder(path, variant) : in_gguf(path, variant);
  return found.source.empty() ? nullptr : chat_template_for_model(found.source, found.where, path, tokenizer);
}

ChatTemplate::ChatTemplate(std::string_view source, std::string name)
    : source_(source), name_(std::move(name)) {
  if (source.size() > kMaxTemplateBytes)
    fail("{}: {} bytes are too many for a chat template; at most {}", name_, source.size(),
         kMaxTemplateBytes);
  try {
    body_ = jinja::Parser(jinja::tokenize(source)).parse();
  } catch (const Error& error) {
    fail("{}, {}", name_, error.what());
  }
}

std::string ChatTemplate::render(const nlohmann::ordered_json& messages, const ChatOptions& options) const {
  jinja::Run run({}, options.now != 0 ? options.now : std::time(nullptr));
  try {
    std::unordered_map<std::string, jinja::Value> names;
    for (const auto& [key, value] : tokens_.items()) names[key] = jinja::Value::from_json(value);
    for (const auto& [key, value] : options.more.items()) names[key] = jinja::Value::from_json(value);
    names["messages"] = jinja::Value::from_json(messages);
    names["tools"] = jinja::Value::from_json(options.tools);
    names["documents"] = jinja::Value::from_json(options.documents);
    names["add_generation_prompt"] = jinja::Value::boolean(options.add_generation_prompt);
    jinja::add_globals(run, names);
    return run.render(body_, std::move(names));
  } catch (const Error& error) {
    fail("{}, line {}: {}", name_, run.line(), error.what());
  }
}

}  // namespace rung
