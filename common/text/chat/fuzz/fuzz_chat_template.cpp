// Fuzz target: uses the bytes up to a zero byte as a chat template, and the rest as messages in JSON. If the
// rest is not a JSON array, the target uses a fixed conversation instead.

#include <nlohmann/json.hpp>

#include "testing/fuzz/target.hpp"
#include "text/chat/chat_template.hpp"

using namespace rung;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Json = nlohmann::ordered_json;
  static const Json own = Json::parse(R"([
    {"role": "system", "content": "Be brief."}, {"role": "user", "content": " Hi "},
    {"role": "assistant", "content": "Hello", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]},
    {"role": "user", "content": [{"type": "text", "text": "And?"}]}])");
  static const Json tools =
      Json::parse(R"([{"type": "function", "function": {"name": "f", "parameters": {}}}])");
  const std::string_view all = fuzz::text_of(data, size);
  const std::size_t end = std::min(all.find('\0'), all.size());
  Json messages = Json::parse(all.substr(std::min(end + 1, all.size())), nullptr, false);
  if (!messages.is_array()) messages = own;
  fuzz::accepted_or_refused([&] {
    ChatTemplate chat(all.substr(0, end));
    chat.set_token("bos_token", "<s>");
    chat.set_token("eos_token", "</s>");
    ChatOptions options;
    options.now = 1'700'000'000;
    static_cast<void>(chat.render(messages, options));
    options.tools = tools;
    options.add_generation_prompt = false;
    static_cast<void>(chat.render(own, options));
  });
  return 0;
}
