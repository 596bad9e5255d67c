// Rendering, and where a model's template is found.

#include "text/chat/chat_template.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/error.hpp"
#include "files/gguf.hpp"
#include "files/json_file.hpp"
#include "text/chat/jinja/parser.hpp"
#include "text/chat/jinja/run.hpp"
#include "text/tokenizer/formats/gguf_keys.hpp"
#include "text/tokenizer/tokenizer.hpp"

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

/// A string, or [{"name": "default", "template": "..."}, ...].
void read_value(const json& value, const std::string& where, std::vector<NamedTemplate>& found) {
  if (value.is_null()) return;
  if (value.is_string()) return void(found.push_back({"default", value.get<std::string>(), where}));
  if (!value.is_array()) fail("{}: 'chat_template' is neither a string nor a list of named templates", where);
  for (const json& entry : value) {
    const auto name = entry.is_object() ? entry.find("name") : entry.end();
    const auto text = entry.is_object() ? entry.find("template") : entry.end();
    if (!entry.is_object() || name == entry.end() || text == entry.end() || !name->is_string() ||
        !text->is_string())
      fail("{}: an entry of 'chat_template' is not of the form {{\"name\": ..., \"template\": ...}}", where);
    found.push_back({name->get<std::string>(), text->get<std::string>(), where});
  }
}

void read_json(const fs::path& path, std::vector<NamedTemplate>& found) {
  std::error_code error;
  if (!fs::exists(path, error)) return;
  const json document = read_json_file(path.string(), kMaxTokenizerConfigBytes);
  if (!document.is_object()) fail("{}: expected a JSON object", path.string());
  read_value(document.value("chat_template", json()), path.string(), found);
}

/// Where transformers 5 looks: templates in files of their own take the place of those in JSON.
std::vector<NamedTemplate> in_folder(const fs::path& folder) {
  std::vector<NamedTemplate> found;
  std::error_code error;
  const fs::path file = folder / "chat_template.jinja";
  if (fs::exists(file, error)) found.push_back({"default", read_text(file.string()), file.string()});
  std::vector<fs::path> named;
  for (fs::directory_iterator at(folder / kMoreChatTemplates, error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() == ".jinja") named.push_back(at->path());
  }
  std::sort(named.begin(), named.end());
  for (const fs::path& path : named) {
    found.push_back({path.stem().string(), read_text(path.string()), path.string()});
  }
  if (found.empty()) read_json(folder / "chat_template.json", found);
  if (found.empty()) read_json(folder / "tokenizer_config.json", found);
  return found;
}

std::vector<NamedTemplate> in_gguf(const std::string& path) {
  using namespace gguf_keys;
  std::vector<NamedTemplate> found;
  const auto gguf = Gguf::open(path);
  const auto add = [&](std::string name, std::string_view key) {
    found.push_back({std::move(name), gguf->get_string(key), fmt::format("{}: {}", path, key)});
  };
  if (gguf->has(kChatTemplate)) add("default", kChatTemplate);
  // Some writers leave the list of names out.
  const std::string prefix = std::string(kChatTemplate) + ".";
  for (const GgufEntry& entry : gguf->entries()) {
    if (entry.key.starts_with(prefix)) add(std::string(entry.key.substr(prefix.size())), entry.key);
  }
  return found;
}

}  // namespace

std::vector<NamedTemplate> chat_templates_of(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error) ? in_folder(path) : in_gguf(path);
}

std::shared_ptr<const ChatTemplate> chat_template_for_model(const std::string& source,
                                                            const std::string& name,
                                                            const Tokenizer& tokenizer) {
  auto chat = std::make_shared<ChatTemplate>(source, name);
  for (const auto& [role, text] : tokenizer.roles()) chat->set_token(role, text);
  return chat;
}

std::shared_ptr<const ChatTemplate> load_chat_template(const std::string& path, const Tokenizer& tokenizer,
                                                       const std::string& variant) {
  const std::string wanted = variant.empty() ? "default" : variant;
  std::string known;
  for (const NamedTemplate& found : chat_templates_of(path)) {
    if (found.name == wanted) return chat_template_for_model(found.source, found.where, tokenizer);
    known += (known.empty() ? "" : ", ") + found.name;
  }
  if (known.empty() && variant.empty()) return nullptr;
  fail("{}: has no chat template '{}'; it has {}", path, wanted, known.empty() ? "none" : known);
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
