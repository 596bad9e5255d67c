#include "cli/command_line.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <iostream>

namespace rung::cli {

Option* Option::required() {
  parsed_->required();
  return this;
}

Option* Option::excludes(const Option* other) {
  parsed_->excludes(other->parsed_);
  return this;
}

Option* Option::delimiter(char between) {
  parsed_->delimiter(between);
  return this;
}

Option* Option::single() {
  parsed_->allow_extra_args(false);
  return this;
}

Option* Option::group(const std::string& heading) {
  parsed_->group(heading);
  return this;
}

Option* Option::each(std::function<void(const std::string&)> seen) {
  parsed_->each(std::move(seen));
  return this;
}

std::size_t Option::count() const { return parsed_->count(); }

Command::Command(const std::string& description, const std::string& name)
    : owned_(std::make_unique<CLI::App>(description, name)), parsed_(owned_.get()) {
  parsed_->require_subcommand(1);
}

Command::Command(CLI::App* parsed) : parsed_(parsed) {}

Command::~Command() = default;

Command* Command::add_subcommand(const std::string& name, const std::string& description) {
  subcommands_.push_back(std::unique_ptr<Command>(new Command(parsed_->add_subcommand(name, description))));
  return subcommands_.back().get();
}

Option* Command::keep(CLI::Option* option) {
  options_.push_back(std::unique_ptr<Option>(new Option(option)));
  return options_.back().get();
}

template <class T>
Option* Command::add_option(const std::string& names, T& value, const std::string& help) {
  return keep(parsed_->add_option(names, value, help));
}
template Option* Command::add_option(const std::string&, int&, const std::string&);
template Option* Command::add_option(const std::string&, std::int64_t&, const std::string&);
template Option* Command::add_option(const std::string&, std::uint64_t&, const std::string&);
template Option* Command::add_option(const std::string&, float&, const std::string&);
template Option* Command::add_option(const std::string&, double&, const std::string&);
template Option* Command::add_option(const std::string&, std::string&, const std::string&);
template Option* Command::add_option(const std::string&, std::optional<int>&, const std::string&);
template Option* Command::add_option(const std::string&, std::vector<int>&, const std::string&);
template Option* Command::add_option(const std::string&, std::vector<std::string>&, const std::string&);

Option* Command::add_flag(const std::string& names, bool& value, const std::string& help) {
  return keep(parsed_->add_flag(names, value, help));
}

Option* Command::add_text_option(const std::string& names, const std::function<void(const std::string&)>& use,
                                 const std::string& help) {
  return keep(parsed_->add_option_function<std::string>(names, use, help));
}

void Command::callback(std::function<void()> call) { parsed_->callback(std::move(call)); }

void Command::footer(const std::string& text) { parsed_->footer(text); }

Command::Parsed Command::parse(int argc, char** argv, const std::string& version) {
  parsed_->set_version_flag("--version", version);
  try {
    parsed_->parse(argc, argv);
    return Parsed::run;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {  // otherwise --help or --version
      const std::string name = argc > 1 ? argv[1] : "-";
      const auto is_name = [&](const CLI::App* command) { return command->check_name(name); };
      if (!name.starts_with('-') && parsed_->get_subcommands(is_name).empty()) {
        fmt::print(stderr, "rung: there is no command '{}'; rung --help lists them\n", name);
        return Parsed::refused;
      }
    }
    parsed_->exit(error, std::cout, std::cerr);
    return error.get_exit_code() == 0 ? Parsed::told : Parsed::refused;
  }
}

}  // namespace rung::cli
