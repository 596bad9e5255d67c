#pragma once
// The options of `rung` and its commands. CLI11 parses them, and command_line.cpp alone includes it: its
// header costs every file that includes it about four seconds of compilation.

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

/// One option or flag. Owned by its Command; the calls return the option itself, so that they chain.
class Option {
 public:
  Option* required();
  Option* excludes(const Option* other);
  /// The character between the values of a list that is given as one argument.
  Option* delimiter(char between);
  /// One argument at a time, for a list whose option may be repeated: what follows is not part of it.
  Option* single();
  /// The heading under which --help lists the option.
  Option* group(const std::string& heading);
  /// Calls `seen` with every value given, while the command line is parsed.
  Option* each(std::function<void(const std::string&)> seen);
  /// The least and the most that a number may be. REQUIRES: it is an option for numbers.
  Option* range(double least, double most = std::numeric_limits<double>::infinity());
  /// How often it was given.
  std::size_t count() const;

 private:
  friend class Command;
  explicit Option(CLI::Option* parsed) : parsed_(parsed) {}

  CLI::Option* parsed_;                                       // owned by CLI11
  std::function<void(double least, double most)> set_range_;  // of an option whose values are numbers
};

/// The program or one of its commands. References to values are kept: they must live until parse() has
/// returned.
class Command {
 public:
  /// The program itself.
  Command(const std::string& description, const std::string& name);
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  /// A command of this program, owned by it.
  Command* add_subcommand(const std::string& name, const std::string& description);

  /// `names` as in "-n,--tokens" or, for an argument by position, "input". --help wraps the text, and adds
  /// the default of a number where the text says nothing about it. T is one of int, std::int64_t,
  /// std::uint64_t, float, double, std::string, std::optional<int>, or a vector of int or std::string. What a
  /// number is says core/numbers.hpp.
  template <class T>
  Option* add_option(const std::string& names, T& value, const std::string& help);
  Option* add_flag(const std::string& names, bool& value, const std::string& help);
  /// An option whose value `use` takes. It may throw UsageError.
  Option* add_text_option(const std::string& names, const std::function<void(const std::string&)>& use,
                          const std::string& help);

  /// The heading under which --help lists the options that are added from now on; empty: the usual one.
  void heading(const std::string& title) { heading_ = title; }

  /// Called after parsing when this command was given.
  void callback(std::function<void()> call);
  /// A text below the list of options in --help.
  void footer(const std::string& text);

  /// How parsing ended.
  enum class Parsed {
    run,     // a command is to be run
    told,    // --help or --version: the answer is printed
    refused  // wrong usage: the reason is printed on stderr
  };
  /// Parses a whole command line and runs the callbacks. `version` answers --version. Of the program only.
  Parsed parse(int argc, char** argv, const std::string& version);

 private:
  explicit Command(CLI::App* parsed);
  Option* keep(CLI::Option* option);
  /// An option whose values `use` takes as numbers.
  template <class T>
  Option* add_numbers(const std::string& names, const std::function<void(const std::vector<T>&)>& use,
                      const std::string& help);
  /// Why the command line was refused, as a sentence.
  std::string refusal(const std::exception& error) const;

  std::unique_ptr<CLI::App> owned_;  // of the program; a subcommand belongs to its parent
  CLI::App* parsed_;
  std::string heading_;
  std::vector<std::unique_ptr<Option>> options_;
  std::vector<std::unique_ptr<Command>> subcommands_;
};

}  // namespace rung::cli
