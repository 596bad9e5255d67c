#pragma once
// Chat templates: a conversation to the text that the model was trained on.
//
// Models ship a Jinja template for it. This renders the part of Jinja2 that such templates use, as
// transformers would: the same environment (trim_blocks, lstrip_blocks, loop controls, an immutable sandbox),
// its `tojson`, `raise_exception` and `strftime_now`. The parts lie in jinja_*.cpp: lexer, parser, values,
// evaluator, filters.
//
// Known differences from Jinja2: whole numbers have 64 bits (an error beyond); the iterators that map, select
// and their kin give cannot be printed; `safe` and `escape` give plain strings, not Markup; a name that is
// given from outside and set by the template only later keeps its outer value inside earlier loops and
// macros, where Jinja2 has it undefined.
//
// A parsed template is immutable and may be rendered from many threads at once.

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
  bool add_generation_prompt = true;           // end with the start of the assistant's answer
  nlohmann::ordered_json tools = nullptr;      // what the model may call, as in OpenAI's API
  nlohmann::ordered_json documents = nullptr;  // for templates that know retrieval
  nlohmann::ordered_json more =
      nlohmann::ordered_json::object();  // further names: {"enable_thinking": false}
  std::time_t now = 0;                   // for strftime_now(); 0: the clock
};

class ChatTemplate {
 public:
  /// Parses. `name` stands at the start of every sentence about it. Throws Error that names the line.
  explicit ChatTemplate(std::string_view source, std::string name = "chat template");

  /// The text of `messages`: a JSON array of objects {"role": ..., "content": ...}, as in OpenAI's API. It
  /// holds the start token where the template writes one: encode it without adding another. Throws Error when
  /// the template refuses the conversation, fails, or exceeds the limits of a run (run.hpp).
  std::string render(const nlohmann::ordered_json& messages, const ChatOptions& options = {}) const;

  /// Names that every rendering sees: bos_token and eos_token, as the files give them.
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
  std::string where;  // the file, and the key in it, for sentences
};

/// The folder beside a tokenizer that has further templates, one file NAME.jinja for each.
inline constexpr const char* kMoreChatTemplates = "additional_chat_templates";

/// All templates of a model. In a GGUF file: tokenizer.chat_template and tokenizer.chat_template.NAME. In a
/// Hugging Face folder, the first of these that has any: chat_template.jinja with
/// additional_chat_templates/NAME.jinja; chat_template.json; tokenizer_config.json.
std::vector<NamedTemplate> chat_templates_of(const std::string& path);

/// The template of a model with the name `variant` (empty: "default"), with the tokens that `tokenizer` has
/// names for. Null when the model has no template and none was named. Throws Error for a name that the model
/// does not have and for a template that cannot be parsed.
std::shared_ptr<const ChatTemplate> load_chat_template(const std::string& path, const Tokenizer& tokenizer,
                                                       const std::string& variant = {});

/// Another template for a model: `source` with the tokens of its tokenizer. `name` stands in sentences.
std::shared_ptr<const ChatTemplate> chat_template_for_model(const std::string& source,
                                                            const std::string& name,
                                                            const Tokenizer& tokenizer);

}  // namespace rung
