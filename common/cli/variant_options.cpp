#include "cli/variant_options.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

namespace rung::cli {
namespace {

/// How value i is shown in a variant's name.
std::string shown(const Alternatives::Axis& axis, std::size_t i) {
  if (!axis.names.empty()) return axis.names[i];
  return axis.option == "--model" ? model_label(axis.values[i]) : axis.values[i];
}

}  // namespace

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string model_label(const std::string& model) {
  const std::filesystem::path path(model);
  return path.extension() == ".gguf" ? path.stem().string() : path.filename().string();
}

void VariantOptions::add_to(Command& command) {
  run.add_to(command);
  add_load_to(command);
}

void VariantOptions::add_load_to(Command& command) {
  load.add_to(command);
  command.heading("Load");
  command.add_option("--max-sequences", sequences, "largest number of sequences that run at the same time")
      ->range(1);
  command.add_option("--max-step-tokens", step_tokens, "largest number of tokens that one step computes")
      ->range(1);
  command.heading("");
}

std::vector<std::string> variant_option_names() {
  Command program("", "rung");
  VariantOptions options;
  Command* command = program.add_subcommand("compare", "");
  options.add_to(*command);
  return command->option_names();
}

void Alternatives::add_to(Command& command, const std::vector<std::string>& leave_out) {
  Command program("", "rung");
  VariantOptions options;
  Command* all = program.add_subcommand("compare", "");
  options.add_to(*all);
  command.add_options_of(*all, leave_out, [this](const std::string& name, const std::string& value) {
    given_.emplace_back(name, value);
  });
}

void Alternatives::add(const std::string& name, const std::string& value) {
  given_.emplace_back(name, value);
}

std::vector<Alternatives::Axis> Alternatives::axes() const {
  std::vector<Axis> axes;
  for (const auto& given : given_) {
    const std::string& option = given.first;
    std::string name = option.substr(2), value = given.second;
    if (option == "--set") {
      const std::size_t equals = value.find('=');
      if (equals == std::string::npos || equals == 0)
        fail_usage("--set {} is not SEAM=NAME; write for example --set prefix_cache=none,radix", value);
      name = value.substr(0, equals);
      value = value.substr(equals + 1);
    }
    auto axis =
        std::ranges::find_if(axes, [&](const Axis& a) { return a.option == option && a.name == name; });
    if (axis == axes.end())
      axis = axes.insert(axes.end(), Axis{.option = option, .name = name, .values = {}, .names = {}});
    axis->values.push_back(value);
  }
  for (Axis& axis : axes) {
    if (axis.values.size() == 1) axis.values = split_at_commas(axis.values.front());
  }
  return axes;
}

void VariantSpec::parse_into(VariantOptions& into) const {
  Command program("", "rung");
  into.add_to(*program.add_subcommand("compare", ""));
  std::vector<std::string> line = {"compare"};
  line.insert(line.end(), words.begin(), words.end());
  program.parse_words(line);
}

std::vector<VariantSpec> variants_of(const std::vector<Alternatives::Axis>& axes, std::size_t most) {
  std::vector<VariantSpec> variants(1);
  for (const Alternatives::Axis& axis : axes) {
    std::vector<VariantSpec> longer;
    for (const VariantSpec& before : variants) {
      for (std::size_t i = 0; i < axis.values.size(); ++i) {
        const std::string& value = axis.values[i];
        VariantSpec v = before;
        v.words.push_back(axis.option);
        if (axis.option == "--set") {
          v.words.push_back(axis.name + "=" + value);
        } else if (!value.empty()) {
          v.words.push_back(value);
        }
        if (axis.values.size() > 1) {
          v.options.emplace_back(axis.name, shown(axis, i));
          v.name += (v.name.empty() ? "" : ", ") + shown(axis, i);
        }
        longer.push_back(std::move(v));
      }
    }
    if (longer.size() > most) {
      fail_usage("these options describe {} variants, but at most {} can be compared; give fewer values",
                 longer.size(), most);
    }
    variants = std::move(longer);
  }
  std::map<std::string, int> seen;
  for (VariantSpec& v : variants) {
    if (v.name.empty()) v.name = "default";
    if (const int count = ++seen[v.name]; count > 1) v.name += fmt::format(" ({})", count);
  }
  return variants;
}

void refuse_load_options(const std::vector<Alternatives::Axis>& axes, const std::string& workload) {
  Command program("", "rung");
  Command* command = program.add_subcommand("compare", "");
  VariantOptions options;
  options.add_load_to(*command);
  const std::vector<std::string> names = command->option_names();
  for (const Alternatives::Axis& axis : axes) {
    if (std::ranges::find(names, axis.option) != names.end()) {
      fail_usage(
          "{} has no effect on the workload {}; it belongs to serving workloads, such as --workload chat",
          axis.option, workload);
    }
  }
}

NamedOptions settings_of(const std::vector<Alternatives::Axis>& axes) {
  NamedOptions settings;
  for (const Alternatives::Axis& axis : axes) {
    if (axis.values.size() == 1) settings.emplace_back(axis.name, axis.values.front());
  }
  return settings;
}

}  // namespace rung::cli
