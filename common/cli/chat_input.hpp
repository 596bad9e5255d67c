#pragma once
// What a person types in `rung chat`: messages of one or several lines, and commands.

#include <optional>
#include <string>

namespace rung::cli {

/// Reads stdin line by line. Unlike std::getline it comes back when Ctrl-C is pressed.
class ChatInput {
 public:
  /// `prompts`: show "> " before each line (a person sits there).
  explicit ChatInput(bool prompts) : prompts_(prompts) {}

  struct Entry {
    enum class Kind { message, command, interrupt };
    Kind kind = Kind::message;
    std::string text;     // the message; of a command what stands behind its name
    std::string command;  // "clear"
  };

  /// The next entry; nothing at the end of the input. A line that ends in a backslash goes on in the next
  /// one; a line of three quotes begins a text that ends at the next such line. A line that begins with "/"
  /// is a command, one that begins with "//" a message that begins with "/". Empty lines are skipped.
  std::optional<Entry> next();

 private:
  enum class Status { line, end, interrupt };
  Status read_line(std::string& line, const char* prompt);

  bool prompts_;
  std::string buffer_;  // read from stdin, not yet given out
  bool at_end_ = false;
};

/// From here on Ctrl-C raises a flag instead of ending the program.
void catch_chat_interrupts();
/// Whether Ctrl-C was pressed since clear_chat_interrupt().
bool chat_interrupted();
void clear_chat_interrupt();

}  // namespace rung::cli
