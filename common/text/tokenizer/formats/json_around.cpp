// Post-processors of a tokenizer.json. Their meaning: github.com/huggingface/tokenizers,
// tokenizers/src/processors.

#include "core/error.hpp"
#include "text/tokenizer/formats/json_steps.hpp"
#include "text/utf8.hpp"

namespace rung {

using nlohmann::json;

namespace {

/// TemplateProcessing: special tokens in front of the text and behind it.
void read_template(const json& step, std::vector<std::string>& before, std::vector<std::string>& after,
                   const std::string& what) {
  const json& named = json_value(step, "special_tokens");
  bool behind = false;
  for (const json& part : json_value(step, "single")) {
    if (part.is_object() && part.contains("Sequence")) {
      if (behind) fail("{}: the post-processor's \"single\" has the text twice", what);
      behind = true;
      continue;
    }
    const std::string name = json_string(json_value(part, "SpecialToken"), "id", "", what);
    if (name.empty()) {
      fail("{}: a part of the post-processor's \"single\" is neither the text nor a special token", what);
    }
    auto& list = behind ? after : before;
    // A name may stand for several tokens.
    const json& tokens = json_value(json_value(named, name.c_str()), "tokens");
    if (!tokens.is_array() || tokens.empty()) list.push_back(name);
    for (const json& token : tokens) {
      if (!token.is_string()) fail("{}: the tokens of the special token \"{}\" are no strings", what, name);
      list.push_back(token.get<std::string>());
    }
  }
  if (!behind) fail("{}: the post-processor's \"single\" leaves the text out", what);
}

/// ["[SEP]", 102]
std::string named_token(const json& step, const char* key, const std::string& what) {
  const json& pair = json_value(step, key);
  if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string()) {
    fail("{}: the post-processor's \"{}\" is not of the form [token, id]", what, key);
  }
  return pair[0].get<std::string>();
}

}  // namespace

void read_post_processor(const json& processor, TokenizerSteps& steps, const std::string& what) {
  for (const json& step : json_steps(processor, "processors", what)) {
    const std::string type = json_type(step, what);
    std::vector<std::string> before, after;
    if (type == "TemplateProcessing") {
      read_template(step, before, after, what);
    } else if (type == "BertProcessing" || type == "RobertaProcessing") {
      before = {named_token(step, "cls", what)};
      after = {named_token(step, "sep", what)};
    } else if (type != "ByteLevel") {  // that one only moves offsets
      fail(
          "{}: the post-processor \"{}\" is not supported; supported are TemplateProcessing, BertProcessing, "
          "RobertaProcessing, ByteLevel and Sequence",
          what, type);
    }
    // Each puts its tokens around what the one before it left.
    steps.before.insert(steps.before.begin(), before.begin(), before.end());
    steps.after.insert(steps.after.end(), after.begin(), after.end());
  }
}

}  // namespace rung
