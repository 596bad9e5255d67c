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

#include "model/jinja_ast.hpp"

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
  /// the template refuses the conversation, fails, or exceeds the limits of a run (jinja_run.hpp).
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

/// The template of a model: tokenizer.chat_template of a GGUF file; chat_template.jinja, chat_template.json
/// or tokenizer_config.json of a Hugging Face folder (where transformers looks, in this order). `variant`:
/// the name of one of several ("tool_use"); empty: "default". Null when the model has none. Throws Error for
/// one that cannot be parsed.
std::shared_ptr<const ChatTemplate> load_chat_template(const std::string& path, const Tokenizer& tokenizer,
                                                       const std::string& variant = {});

/// Another template for that model: `source` with the model's special tokens. `name` stands in sentences.
std::shared_ptr<const ChatTemplate> chat_template_for_model(const std::string& source,
                                                            const std::string& name, const std::string& path,
                                                            const Tokenizer& tokenizer);

}  // namespace rung
