#pragma once
// The options of `rung` and its commands. CLI11 parses them. Only command_line.cpp includes CLI11, because
// its header adds about four seconds to the compilation of every file that includes it.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/numbers.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace rung::cli {

class Command;

/// One option or flag, owned by its Command. The functions return the option itself, so that calls can be
/// chained.
class Option {
 public:
  Option* required();
  Option* excludes(const Option* other);
  /// Sets the character between the values of a list that is given as one argument.
  Option* delimiter(char between);
  /// Makes an option for a list take one argument each time it is given. The arguments after it are not part
  /// of the list.
  Option* single();
  /// Sets the heading under which --help lists the option.
  Option* group(const std::string& heading);
  /// Calls `seen` with every value while the command line is parsed.
  Option* each(std::function<void(const std::string&)> seen);
  /// Sets the smallest and the largest allowed number. REQUIRES: the option takes numbers.
  Option* range(double least, double most = std::numeric_limits<double>::infinity());
  /// Returns how often the option was given.
  std::size_t count() const;

 private:
  friend class Command;
  explicit Option(CLI::Option* parsed) : parsed_(parsed) {}

  CLI::Option* parsed_;                                       // owned by CLI11
  std::function<void(double least, double most)> set_range_;  // empty unless the values are numbers
};

/// The program or one of its commands. It keeps references to the values, which must outlive parse().
class Command {
 public:
  /// Creates the program itself.
  Command(const std::string& description, const std::string& name);
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  /// Adds a command to this program, which owns it.
  Command* add_subcommand(const std::string& name, const std::string& description);

  /// Adds an option. `names` is "-n,--tokens" or, for a positional argument, "input". --help wraps the text,
  /// and adds the default of a number if the text does not contain the word "default". T is one of int,
  /// std::int64_t, std::uint64_t, float, double, std::string, std::optional<int>, or a vector of int or
  /// std::string. core/numbers.hpp defines what a number is.
  template <class T>
  Option* add_option(const std::string& names, T& value, const std::string& help);
  Option* add_flag(const std::string& names, bool& value, const std::string& help);
  /// Adds an option whose value is passed to `use`, which can throw UsageError.
  Option* add_text_option(const std::string& names, const std::function<void(const std::string&)>& use,
                          const std::string& help);

  /// Adds the options of another command, except --help and those that `leave_out` names ("--rate"). Each can
  /// be given several times. `seen` is called with the option's longest name, such as "--threads", and each
  /// value that is given; a flag has the value "".
  void add_options_of(const Command& other, const std::vector<std::string>& leave_out,
                      const std::function<void(const std::string& name, const std::string& value)>& seen);

  /// Returns the longest names of all options ("--threads"), without --help.
  std::vector<std::string> option_names() const;

  /// Sets the heading under which --help lists the options that are added from now on. Empty: the default
  /// heading.
  void heading(const std::string& title) { heading_ = title; }

  /// Sets a function that is called when this command was recognized and its options are not parsed yet. It
  /// can add options that would take long to add at every start.
  void when_chosen(std::function<void()> call);
  /// Sets a function that is called after parsing if this command was given.
  void callback(std::function<void()> call);
  /// Sets a text that --help prints below the list of options.
  void footer(const std::string& text);

  /// The result of parsing.
  enum class Parsed {
    run,     // a command must be run
    told,    // --help or --version was answered
    refused  // wrong usage, and the reason was printed on stderr
  };
  /// Parses a whole command line and runs the callbacks. `version` answers --version. Only for the program,
  /// not for its commands.
  Parsed parse(int argc, char** argv, const std::string& version);
  /// Parses the words after the program's name. Throws UsageError if they are wrong, or if they ask for help.
  /// Only for the program.
  void parse_words(std::vector<std::string> words);

 private:
  explicit Command(CLI::App* parsed);
  Option* keep(CLI::Option* option);
  /// Adds an option whose values are passed to `use` as numbers.
  template <class T>
  Option* add_numbers(const std::string& names, const std::function<void(const std::vector<T>&)>& use,
                      const std::string& help);
  /// Returns why the command line was refused, as a sentence.
  std::string refusal(const std::exception& error) const;

  std::unique_ptr<CLI::App> owned_;  // only of the program; a subcommand belongs to its parent
  CLI::App* parsed_;
  std::string heading_;
  std::vector<std::unique_ptr<Option>> options_;
  std::vector<std::unique_ptr<Command>> subcommands_;
};

}  // namespace rung::cli
