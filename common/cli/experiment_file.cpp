#include "cli/experiment_file.hpp"

#include <fmt/ranges.h>

#include <toml++/toml.h>
#include <algorithm>
#include <filesystem>

#include "core/input_text.hpp"

namespace rung::cli {
namespace {

/// Reads the keys of one table, and refuses what is left.
class Table {
 public:
  Table(const toml::table& table, std::string path, std::string where)
      : table_(table), path_(std::move(path)), where_(std::move(where)) {}

  template <class T>
  std::optional<T> get(const std::string& key, const char* kind) {
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) return {};
    if (const auto value = node->value<T>()) return *value;
    refuse(*node, fmt::format("{} must be {}", key, kind));
  }
  std::optional<std::string> text(const std::string& key) {
    return get<std::string>(key, "a text in quotes");
  }
  std::optional<double> number(const std::string& key, double least, double most) {
    return within(key, get<double>(key, "a number"), least, most);
  }
  std::optional<int> integer(const std::string& key, int least, int most) {
    const auto value = within(key, get<std::int64_t>(key, "a whole number"), least, most);
    if (!value) return {};
    return static_cast<int>(*value);
  }

  /// Returns the values of an array, or of a single value, as texts.
  std::vector<std::string> texts(const std::string& key) {
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    return node == nullptr ? std::vector<std::string>{} : texts_of(key, *node);
  }
  std::vector<double> numbers(const std::string& key) {
    known_.push_back(key);
    std::vector<double> values;
    const toml::node* node = table_.get(key);
    if (node == nullptr) return values;
    if (!node->is_array()) refuse(*node, key + " must be an array of numbers, such as [1, 4]");
    for (const toml::node& element : *node->as_array()) {
      const auto value = element.value<double>();
      if (!value) refuse(element, key + " must be an array of numbers, such as [1, 4]");
      values.push_back(*value);
    }
    return values;
  }

  /// Adds all keys of a table within this one.
  void options(const std::string& key, bool several, ExperimentOptions& to) {
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    if (!node->is_table()) refuse(*node, key + " must be a table");
    for (const auto& [name, value] : *node->as_table()) {
      const std::string option(name.str());
      std::vector<std::string> values = texts_of(option, value);
      if (values.empty() || (!several && values.size() != 1))
        refuse(value, fmt::format("{} must have {}", option, several ? "at least one value" : "one value"));
      std::erase_if(to, [&](const auto& other) { return other.first == option; });
      to.emplace_back(option, std::move(values));
    }
  }

  const toml::array* tables(const std::string& key) {
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) return nullptr;
    if (!node->is_array_of_tables())
      refuse(*node, fmt::format("{0} must be tables that begin with [[{0}]]", key));
    return node->as_array();
  }

  void refuse_others() const {
    for (const auto& [key, node] : table_) {
      if (std::ranges::find(known_, std::string(key.str())) == known_.end())
        refuse(node, fmt::format("'{}' is not a key of {}; choose one of: {}", std::string(key.str()), where_,
                                 fmt::join(known_, ", ")));
    }
  }

  [[noreturn]] void refuse(const toml::node& node, const std::string& reason) const {
    fail("{}, line {}: {}", path_, node.source().begin.line, reason);
  }

 private:
  std::vector<std::string> texts_of(const std::string& key, const toml::node& node) const {
    std::vector<std::string> values;
    const auto add = [&](const toml::node& element) {
      if (const auto text = element.value_exact<std::string>()) {
        values.push_back(*text);
      } else if (const auto whole = element.value_exact<std::int64_t>()) {
        values.push_back(std::to_string(*whole));
      } else if (const auto number = element.value_exact<double>()) {
        values.push_back(fmt::format("{}", *number));
      } else if (const auto flag = element.value_exact<bool>(); flag && *flag) {
        values.emplace_back();
      } else {
        refuse(element, fmt::format("{} must be a text, a number, true, or an array of these", key));
      }
    };
    if (node.is_array()) {
      for (const toml::node& element : *node.as_array()) add(element);
    } else {
      add(node);
    }
    return values;
  }

  template <class T>
  std::optional<T> within(const std::string& key, std::optional<T> value, double least, double most) const {
    if (value && !(static_cast<double>(*value) >= least && static_cast<double>(*value) <= most))
      refuse(*table_.get(key),
             fmt::format("{} is {}; it must be from {:g} to {:g}", key, *value, least, most));
    return value;
  }

  const toml::table& table_;
  std::string path_, where_;
  std::vector<std::string> known_;
};

ExperimentPart read_part(Table part, const toml::table& table, const ExperimentOptions& shared) {
  ExperimentPart result;
  result.options = shared;
  const auto measure = part.text("measure");
  if (measure && *measure != "speed" && *measure != "quality")
    part.refuse(*table.get("measure"), "measure must be \"speed\" or \"quality\"");
  result.plan.measure = measure.value_or("speed");
  result.plan.workload = part.text("workload").value_or("");
  const bool quality = result.plan.measure == "quality";
  if (result.plan.workload.empty() != quality) {
    part.refuse(table, quality ? "a part that measures quality has no workload"
                               : "a part needs a workload, such as workload = \"decode\"");
  }
  resolve_measure(result.plan);
  result.plan.sizes = part.numbers("sizes");
  result.plan.tokens = part.integer("tokens", 1, 1 << 20).value_or(result.plan.tokens);
  result.plan.text = part.text("text").value_or("");
  result.plan.chunks = part.integer("chunks", 0, 1 << 20).value_or(result.plan.chunks);
  constexpr double kLongest = 1e6;  // seconds
  result.plan.targets.ttft_s = part.number("slo_ttft", 0, kLongest).value_or(0);
  result.plan.targets.tpot_s = part.number("slo_tpot", 0, kLongest).value_or(0);
  result.plan.targets.e2e_s = part.number("slo_e2e", 0, kLongest).value_or(0);
  result.name = part.text("name").value_or(quality ? "quality" : result.plan.workload);
  part.options("variants", true, result.options);
  part.options("options", false, result.options);
  part.refuse_others();
  return result;
}

ExperimentFile read(const toml::table& table, const std::string& path) {
  ExperimentFile file;
  Table top(table, path, "an experiment");
  file.title = top.text("title").value_or(std::filesystem::path(path).stem().string());
  file.question = top.text("question").value_or("");
  file.models = top.texts("models");
  if (file.models.empty()) file.models = {"tiny"};
  file.confidence = top.number("confidence", 50, 99.9);
  file.precision = top.number("precision", 0.1, 100);
  file.rounds = top.integer("rounds", 1, 10000);
  file.most = top.integer("max_rounds", 2, 10000);
  ExperimentOptions shared;
  top.options("variants", true, shared);
  top.options("options", false, shared);
  const toml::array* parts = top.tables("part");
  top.refuse_others();
  if (parts == nullptr || parts->empty())
    fail("'{}' has no part; add one that begins with [[part]] and names a workload", path);
  for (const toml::node& part : *parts) {
    file.parts.push_back(read_part(Table(*part.as_table(), path, "a part"), *part.as_table(), shared));
    const auto same = [&](const ExperimentPart& p) { return p.name == file.parts.back().name; };
    if (std::ranges::count_if(file.parts, same) > 1)
      fail("{}, line {}: there are two parts named '{}'; give each a name of its own", path,
           part.source().begin.line, file.parts.back().name);
  }
  return file;
}

}  // namespace

ExperimentFile read_experiment(const std::string& path) {
  const std::string text = read_input(path, "the experiment");
  try {
    const toml::table table = toml::parse(text);
    ExperimentFile file = read(table, path);
    file.text = text;
    return file;
  } catch (const toml::parse_error& error) {
    fail("{}, line {}: this is not TOML: {}", path, error.source().begin.line, error.description());
  }
}

}  // namespace rung::cli
