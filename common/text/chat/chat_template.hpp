#pragma once
// Chat templates, which turn a conversation into text in the format on which the model was trained.
//
// Models come with a Jinja template for this purpose. This class renders the part of Jinja2 that such
// templates use, with the same environment as transformers: trim_blocks, lstrip_blocks, loop controls, an
// immutable sandbox, and the functions `tojson`, `raise_exception` and `strftime_now`. The folder jinja/ has
// the lexer, the parser, the values, the evaluator and the filters.
//
// Known differences from Jinja2: integers have 64 bits, and a larger result is an error. The iterators of
// map, select and similar filters cannot be printed. `safe` and `escape` return plain strings instead of
// Markup. A name that is given from outside and set later by the template keeps its outer value inside
// earlier loops and macros, where Jinja2 treats it as undefined.
//
// A parsed template is immutable, and many threads can render it at the same time.

#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "text/chat/jinja/ast.hpp"

namespace rung {

class Tokenizer;

struct ChatOptions {
  bool add_generation_prompt = true;           // end the text with the start of the assistant's answer
  nlohmann::ordered_json tools = nullptr;      // tools that the model can call, as in OpenAI's API
  nlohmann::ordered_json documents = nullptr;  // for templates that support retrieval
  /// Further names: {"enable_thinking": false}
  nlohmann::ordered_json more = nlohmann::ordered_json::object();
  std::time_t now = 0;  // for strftime_now(); 0: the clock
};

class ChatTemplate {
 public:
  /// Parses the template. `name` begins every error message about it. Throws Error, which names the line.
  explicit ChatTemplate(std::string_view source, std::string name = "chat template");

  /// Returns the text of `messages`, a JSON array of objects {"role": ..., "content": ...}, as in OpenAI's
  /// API. The text contains the start token if the template writes one, so encode it without adding another
  /// one. Throws Error if the template rejects the conversation, fails, or exceeds the limits of a run
  /// (run.hpp).
  std::string render(const nlohmann::ordered_json& messages, const ChatOptions& options = {}) const;

  /// Sets a name that every rendering can use: bos_token and eos_token, with the texts in the files.
  void set_token(const std::string& name, std::string text) { tokens_[name] = std::move(text); }
  const std::string& source() const { return source_; }
  const std::string& name() const { return name_; }

 private:
  std::string source_, name_;
  nlohmann::ordered_json tokens_ = nlohmann::ordered_json::object();
  jinja::Body body_;
};

/// One of a model's templates.
struct NamedTemplate {
  std::string name;  // "default", "tool_use", ...
  std::string source;
  std::string where;  // the file and the key in it, for error messages
};

/// The folder next to a tokenizer with further templates, one file NAME.jinja for each.
inline constexpr const char* kMoreChatTemplates = "additional_chat_templates";

/// Returns all templates of a model. A GGUF file has them in tokenizer.chat_template and
/// tokenizer.chat_template.NAME. For a Hugging Face folder, the first of the following that exists is used:
/// chat_template.jinja with additional_chat_templates/NAME.jinja, chat_template.json, or
/// tokenizer_config.json.
std::vector<NamedTemplate> chat_templates_of(const std::string& path);

/// Returns the template of a model with the name `variant` (empty: "default"), with the named tokens of
/// `tokenizer`. Returns null if the model has no template and `variant` is empty. Throws Error for a name
/// that the model does not have, and for a template that cannot be parsed.
std::shared_ptr<const ChatTemplate> load_chat_template(const std::string& path, const Tokenizer& tokenizer,
                                                       const std::string& variant = {});

/// Returns another template for a model: `source` with the tokens of its tokenizer. `name` is used in error
/// messages.
std::shared_ptr<const ChatTemplate> chat_template_for_model(const std::string& source,
                                                            const std::string& name,
                                                            const Tokenizer& tokenizer);

}  // namespace rung
