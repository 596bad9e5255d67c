// rung chat: a conversation in the terminal, formatted with the model's own chat template.
//
// Every turn renders the whole conversation and computes it from its first token, because the engine keeps no
// keys and values between requests. When the context is full, the oldest turns are left out, and the program
// prints a message.

#include <algorithm>
#include <cstdio>

#include <unistd.h>

#include "catalog/variants.hpp"
#include "cli/chat_input.hpp"
#include "cli/cli.hpp"
#include "core/input_text.hpp"
#include "core/output_file.hpp"
#include "text/chat/chat_template.hpp"

namespace rung::cli {
namespace {

/// For models that were not trained on conversations, selected by --no-template.
constexpr const char* kPlain =
    "{{ bos_token }}{% for m in messages %}{{ m.role | capitalize }}: {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}";

constexpr const char* kHelp =
    "/help            show this help\n"
    "/clear           delete the conversation and keep the system message\n"
    "/system TEXT     set the system message; without TEXT, remove it\n"
    "/regen           answer the last message again\n"
    "/save FILE       write the conversation to FILE as JSON\n"
    "/exit            end the conversation (also Ctrl-D)\n"
    "A line that ends in \\ continues on the next line. \"\"\" begins and ends a message of several lines.\n"
    "Ctrl-C stops an answer. // at the beginning of a line sends a single /.\n";

struct ChatCommand {
  RunOptions run_options;
  SamplingOptions sampling;
  std::string system, template_file, variant;
  std::vector<std::string> stop;
  int max_tokens = 512;
  bool plain = false;

  void add_options(Command& command) {
    run_options.add_to(command);
    command.add_option("--system", system,
                       "system message at the beginning of the conversation (default: none)");
    Option* file = command.add_option("--template", template_file,
                                      "file with a Jinja chat template that replaces the model's template");
    command.add_option("--template-name", variant,
                       "name of one of the model's templates, such as tool_use, if the model has several");
    command
        .add_flag("--no-template", plain,
                  "use no template and write the turns as \"User: ...\" and \"Assistant: ...\"")
        ->excludes(file);
    command.add_option("-n,--tokens", max_tokens, "largest number of tokens in one answer")->range(1);
    command.add_option("--stop", stop, "stop an answer before this text; can be given several times");
    // Small models do not recover from one improbable token, and an answer has many draws. llama.cpp's
    // default.
    sampling.params.min_p = 0.05f;
    sampling.add_to(command);
  }
};

class Conversation {
 public:
  Conversation(const ChatCommand& options, bool json)
      : options_(options), params_(options.sampling.resolve()), json_(json), system_(options.system) {
    params_.validate();
    EngineConfig config = options.run_options.config();
    model_ = options.run_options.load();
    if (model_->tokenizer->vocab_size() == 0)
      fail("{} has no tokenizer, which a conversation needs; use another model", model_->path);
    choose_template();
    engine_ = std::make_unique<Engine>(model_, variants(), config);
    clear();
  }

  /// Entries until the end of the input or /exit.
  void run() {
    const bool person = !json_ && isatty(STDIN_FILENO) == 1;
    ChatInput input(person);
    catch_chat_interrupts();
    if (person)
      notice(fmt::format("{}; /help lists the commands, and Ctrl-D ends the conversation", model_->path));
    while (const auto entry = input.next()) {
      check_interrupted();  // SIGTERM
      try {
        if (entry->kind == ChatInput::Entry::Kind::interrupt) {
          clear_chat_interrupt();
          if (!person) fail("interrupted");
          fmt::print("\n");
          notice("Ctrl-D or /exit ends the conversation");
        } else if (entry->kind == ChatInput::Entry::Kind::message) {
          messages_.push_back({{"role", "user"}, {"content", entry->text}});
          answer();
        } else if (!command(*entry)) {
          break;
        }
      } catch (const Error& error) {
        if (!person) throw;
        notice(error.what());
      }
    }
    if (person) fmt::print("\n");
    if (json_) print_json(document());
  }

 private:
  static void notice(const std::string& text) { tell("[{}]\n", text); }

  void choose_template() {
    const auto use = [&](const std::string& source, const std::string& name) {
      return chat_template_for_model(source, name, *model_->tokenizer);
    };
    if (options_.plain) {
      template_ = use(kPlain, "--no-template");
      stop_.emplace_back("\nUser:");
    } else if (!options_.template_file.empty()) {
      template_ = use(read_input(options_.template_file, "the template"), options_.template_file);
    } else {
      template_ = load_chat_template(model_->path, *model_->tokenizer, options_.variant);
    }
    if (!template_) {
      fail("{} has no chat template; give one with --template FILE, or use plain text with --no-template",
           model_->path);
    }
    stop_.insert(stop_.end(), options_.stop.begin(), options_.stop.end());
  }

  void clear() {
    messages_ = Json::array();
    if (!system_.empty()) messages_.push_back({{"role", "system"}, {"content", system_}});
  }
  std::size_t first_turn() const { return system_.empty() ? 0 : 1; }

  /// False: the conversation ends.
  bool command(const ChatInput::Entry& entry) {
    const std::string& name = entry.command;
    if (name == "exit" || name == "quit") return false;
    if (name == "help") {
      tell("{}", kHelp);
    } else if (name == "clear") {
      clear();
    } else if (name == "system") {
      if (first_turn() == 1) messages_.erase(0);
      system_ = entry.text;
      if (!system_.empty())
        messages_.insert(messages_.begin(), Json{{"role", "system"}, {"content", system_}});
    } else if (name == "regen") {
      if (messages_.empty() || messages_.back()["role"] != "assistant")
        fail_usage("/regen is not possible, because there is no answer yet; send a message first");
      const Json last = messages_.back();
      messages_.erase(messages_.size() - 1);
      answer(&last);
    } else if (name == "save") {
      if (entry.text.empty()) fail_usage("/save needs a file name; write for example /save chat.json");
      OutputFile file(entry.text);
      file.write(dump_json({{"model", model_->path}, {"messages", messages_}}) + "\n");
      file.commit();
      notice(fmt::format("saved to {}", entry.text));
    } else {
      fail_usage("there is no command /{}; /help lists them", name);
    }
    return true;
  }

  std::vector<std::int32_t> prompt() const {
    ChatOptions chat;
    return model_->tokenizer->encode(template_->render(messages_, chat), false);
  }

  /// The prompt, after forgetting as many of the oldest turns as leave room for an answer.
  std::vector<std::int32_t> fitting_prompt(int& forgotten) {
    const int context = engine_->config().context;
    const int room = std::max(1, std::min(options_.max_tokens, context / 4));
    std::vector<std::int32_t> ids = prompt();
    while (static_cast<int>(ids.size()) + room > context) {
      std::size_t end = first_turn() + 1;  // up to the next message of the user
      while (end < messages_.size() && messages_[end]["role"] != "user") ++end;
      if (end >= messages_.size()) {
        if (static_cast<int>(ids.size()) < context) break;  // it fits, with little room left
        fail(
            "with this message, the prompt has {} tokens, but the context holds {}; use a shorter message or "
            "a larger --ctx",
            ids.size(), context);
      }
      messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(first_turn()),
                      messages_.begin() + static_cast<std::ptrdiff_t>(end));
      forgotten += static_cast<int>(end - first_turn());
      ids = prompt();
    }
    if (forgotten > 0)
      notice(
          fmt::format("the context of {} tokens is full, so the oldest {} messages are left out from now on",
                      context, forgotten));
    return ids;
  }

  /// Answers the last message. When that fails, the conversation is as it was: without the message, or, of
  /// /regen, with the old answer.
  void answer(const Json* old_answer = nullptr) {
    const Json before = messages_;
    const std::string user = messages_.back()["content"].get<std::string>();
    Request request;
    int forgotten = 0;
    try {
      request.prompt = fitting_prompt(forgotten);
      if (request.prompt.empty())
        fail(
            "the template {} gives an empty prompt for this conversation; use another one with --template "
            "FILE",
            template_->name());
    } catch (const Error&) {
      messages_ = before;
      if (old_answer != nullptr) {
        messages_.push_back(*old_answer);
      } else {
        messages_.erase(messages_.size() - 1);
      }
      throw;
    }
    const int room = engine_->config().context - static_cast<int>(request.prompt.size());
    request.max_tokens = std::clamp(room, 1, options_.max_tokens);
    request.sampling = params_;
    request.sampling.seed += turns_.size();  // /regen must not give the same answer
    request.stop = stop_;
    request.on_delta = [this](const Delta& delta) {
      if (json_) return;
      fmt::print("{}", delta.text);
      std::fflush(stdout);
    };
    clear_chat_interrupt();
    const Result result =
        engine_->run(std::move(request), [] { return chat_interrupted() || interrupted(); });
    clear_chat_interrupt();
    if (!json_) fmt::print("\n");
    if (result.finish_reason == FinishReason::cancelled) notice("stopped");
    if (result.finish_reason == FinishReason::length && !json_)
      notice(fmt::format(
          "the answer was cut off after {} tokens, because it reached the limit of -n or the context",
          result.token_ids.size()));
    messages_.push_back({{"role", "assistant"}, {"content", result.text}});
    turns_.push_back({{"user", user},
                      {"text", result.text},
                      {"prompt_tokens", result.prompt_tokens},
                      {"completion_tokens", result.token_ids.size()},
                      {"finish_reason", finish_reason_name(result.finish_reason)},
                      {"forgotten_messages", forgotten},
                      {"ttft_s", result.first_token_s},
                      {"total_s", result.total_s}});
  }

  Json document() const {
    return {{"model", model_->path}, {"template", template_->name()}, {"messages", messages_},
            {"turns", turns_},       {"seed", params_.seed},          {"rungs", rungs_json(*engine_)}};
  }

  const ChatCommand& options_;
  SamplingParams params_;
  bool json_;
  std::string system_;
  std::shared_ptr<const Model> model_;
  std::shared_ptr<const ChatTemplate> template_;
  std::vector<std::string> stop_;
  std::unique_ptr<Engine> engine_;
  Json messages_ = Json::array();
  Json turns_ = Json::array();
};

}  // namespace

void add_chat(Command& app, Program& program) {
  Command* command =
      add_command(app, program, "chat", "hold a conversation with a model, using its chat template");
  const auto state = std::make_shared<ChatCommand>();
  state->add_options(*command);
  command->callback(
      [&program, state] { program.run = [&program, state] { Conversation(*state, program.json).run(); }; });
}

}  // namespace rung::cli
