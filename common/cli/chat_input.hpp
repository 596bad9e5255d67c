#pragma once
// Reads what the user types in `rung chat`: messages of one or several lines, and commands.

#include <optional>
#include <string>

namespace rung::cli {

/// Reads stdin line by line. Unlike std::getline, it returns when Ctrl-C is pressed.
class ChatInput {
 public:
  /// If `prompts` is true, shows "> " before each line, for a user at a terminal.
  explicit ChatInput(bool prompts) : prompts_(prompts) {}

  struct Entry {
    enum class Kind { message, command, interrupt };
    Kind kind = Kind::message;
    std::string text;     // the message, or the text after the name of a command
    std::string command;  // "clear"
  };

  /// Returns the next entry, or nothing at the end of the input. A line that ends in a backslash continues on
  /// the next line. A line of three quotes begins a text that ends at the next such line. A line that begins
  /// with "/" is a command, and a line that begins with "//" is a message that begins with "/". Empty lines
  /// are skipped.
  std::optional<Entry> next();

 private:
  enum class Status { line, end, interrupt };
  Status read_line(std::string& line, const char* prompt);

  bool prompts_;
  std::string buffer_;  // read from stdin, not yet returned
  bool at_end_ = false;
};

/// From now on, Ctrl-C sets a flag instead of ending the program.
void catch_chat_interrupts();
/// Returns whether Ctrl-C was pressed since the last clear_chat_interrupt().
bool chat_interrupted();
void clear_chat_interrupt();

}  // namespace rung::cli
