#include "cli/command_line.hpp"

#include "cli/cli.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <CLI/CLI.hpp>
#include <cstdint>
#include <map>
#include <sstream>

namespace rung::cli {
namespace {

constexpr std::size_t kHelpWidth = 78;  // of the text beside an option's name

/// Lines of at most kHelpWidth characters, broken at spaces.
std::string wrapped(const std::string& text) {
  std::string lines;
  std::size_t length = 0;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (length > 0 && length + 1 + word.size() > kHelpWidth) {
      lines += '\n';
      length = 0;
    }
    if (length > 0) lines += ' ', ++length;
    lines += word;
    length += word.size();
  }
  return lines;
}

template <class T>
std::string with_default(const std::string& help, const T& value) {
  return help.find("default") != std::string::npos ? help : fmt::format("{} (default: {})", help, value);
}

/// How many letters must be added, left out or changed to make one word of the other (Levenshtein 1966).
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

/// "; did you mean --tokens?", or nothing where no name is near.
std::string nearest(const std::string& word, const std::vector<std::string>& names) {
  const auto best = std::min_element(
      names.begin(), names.end(),
      [&](const std::string& a, const std::string& b) { return distance(word, a) < distance(word, b); });
  if (best == names.end() || distance(word, *best) > std::max<std::size_t>(1, word.size() / 3)) return "";
  return fmt::format("; did you mean {}?", *best);
}

}  // namespace

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

Option* Option::range(double least, double most) {
  set_range_(least, most);
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
  if (!heading_.empty()) option->group(heading_);
  options_.push_back(std::unique_ptr<Option>(new Option(option)));
  return options_.back().get();
}

template <class T>
Option* Command::add_numbers(const std::string& names, const std::function<void(const std::vector<T>&)>& use,
                             const std::string& help) {
  const auto range = std::make_shared<NumberRange<T>>();
  const std::string name = names.substr(0, names.find(','));
  CLI::Option* option = parsed_->add_option(
      names,
      [name, range, use](const CLI::results_t& given) {
        std::vector<T> values(given.size());
        for (std::size_t i = 0; i < given.size(); ++i) {
          const std::string expected = read_number(given[i], values[i], *range);
          if (expected.empty()) continue;
          throw CLI::ValidationError(
              fmt::format("{} is {}; {}", name, given[i].empty() ? "empty" : given[i], expected));
        }
        use(values);
        return true;
      },
      wrapped(help));
  option->type_name(std::is_integral_v<T> ? "INT" : "FLOAT");
  Option* kept = keep(option);
  kept->set_range_ = [range](double least, double most) {
    using Limits = std::numeric_limits<T>;
    if (least > static_cast<double>(Limits::lowest())) range->least = static_cast<T>(least);
    if (most < static_cast<double>(Limits::max())) range->most = static_cast<T>(most);
  };
  return kept;
}

template <class T>
Option* Command::add_option(const std::string& names, T& value, const std::string& help) {
  if constexpr (std::is_arithmetic_v<T>) {
    return add_numbers<T>(
        names, [&value](const std::vector<T>& given) { value = given.front(); }, with_default(help, value));
  } else if constexpr (std::is_same_v<T, std::optional<int>>) {
    return add_numbers<int>(
        names, [&value](const std::vector<int>& given) { value = given.front(); }, help);
  } else if constexpr (std::is_same_v<T, std::vector<int>>) {
    Option* option = add_numbers<int>(
        names, [&value](const std::vector<int>& given) { value = given; }, help);
    option->parsed_->expected(CLI::detail::expected_max_vector_size);
    return option;
  } else {
    return keep(parsed_->add_option(names, value, wrapped(help)));
  }
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
  return keep(parsed_->add_flag(names, value, wrapped(help)));
}

Option* Command::add_text_option(const std::string& names, const std::function<void(const std::string&)>& use,
                                 const std::string& help) {
  return keep(parsed_->add_option_function<std::string>(names, use, wrapped(help)));
}

void Command::add_options_of(
    const Command& other, const std::vector<std::string>& leave_out,
    const std::function<void(const std::string& name, const std::string& value)>& seen) {
  struct Added {
    std::string name;
    bool flag;
  };
  std::map<const CLI::Option*, Added> all_added;
  const CLI::Option* help = other.parsed_->get_help_ptr();
  for (const CLI::Option* option : other.parsed_->get_options([](const CLI::Option*) { return true; })) {
    const std::string name = option->get_name();  // the longest one
    if (option == help || std::ranges::find(leave_out, name) != leave_out.end()) continue;
    const std::string names = option->get_name(false, true);
    const bool flag = option->get_expected_max() == 0;
    CLI::Option* own = flag ? parsed_->add_flag(names, option->get_description())
                            : parsed_->add_option(names, option->get_description());
    if (!flag) {
      own->expected(CLI::detail::expected_max_vector_size);
      own->allow_extra_args(false)->type_name(option->get_type_name());
    }
    keep(own)->group(option->get_group());
    all_added[own] = {name, flag};
  }
  // CLI11 calls the functions of options in the order in which they were added, and not in that of the
  // command line.
  parsed_->parse_complete_callback([this, all_added, seen] {
    std::map<const CLI::Option*, std::size_t> used;
    for (const CLI::Option* option : parsed_->parse_order()) {
      const auto added = all_added.find(option);
      if (added == all_added.end()) continue;
      seen(added->second.name, added->second.flag ? "" : option->results()[used[option]++]);
    }
  });
}

std::vector<std::string> Command::option_names() const {
  std::vector<std::string> names;
  for (const CLI::Option* option : parsed_->get_options([](const CLI::Option*) { return true; })) {
    if (option != parsed_->get_help_ptr()) names.push_back(option->get_name());
  }
  return names;
}

void Command::when_chosen(std::function<void()> call) {
  parsed_->preparse_callback([call = std::move(call)](std::size_t /*arguments*/) { call(); });
}

void Command::callback(std::function<void()> call) { parsed_->callback(std::move(call)); }

void Command::footer(const std::string& text) { parsed_->footer(text); }

std::string Command::refusal(const std::exception& error) const {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) return error.what();
  for (const CLI::App* command : parsed_->get_subcommands()) {
    for (const std::string& word : parsed_->remaining(true)) {
      if (!word.starts_with('-')) continue;
      const std::string name = word.substr(0, word.find('='));
      std::vector<std::string> names;
      for (const CLI::Option* option : command->get_options()) {
        for (const std::string& known : option->get_lnames()) names.push_back("--" + known);
        for (const std::string& known : option->get_snames()) names.push_back("-" + known);
      }
      return fmt::format("'{}' is not an option of rung {}{}", name, command->get_name(),
                         nearest(name, names));
    }
  }
  return error.what();
}

void Command::parse_words(std::vector<std::string> words) {
  std::ranges::reverse(words);  // as CLI11 has it
  try {
    parsed_->parse(words);
  } catch (const CLI::ParseError& error) {
    fail_usage("{}", refusal(error));
  }
}

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
        std::vector<std::string> names;
        for (const CLI::App* command : parsed_->get_subcommands([](const CLI::App*) { return true; }))
          names.push_back(command->get_name());
        const std::string near = nearest(name, names);
        tell("rung: there is no command '{}'{} rung --help lists {}\n", name, near.empty() ? ";" : near,
             near.empty() ? "them" : "all");
        return Parsed::refused;
      }
    }
    if (error.get_exit_code() != 0) {
      const std::string reason = refusal(error);
      tell("rung: {}{} --help lists the options\n", reason, reason.ends_with('?') ? "" : ";");
      return Parsed::refused;
    }
    std::ostringstream out;
    parsed_->exit(error, out, out);
    fmt::print("{}", out.str());
    return Parsed::told;
  }
}

}  // namespace rung::cli
