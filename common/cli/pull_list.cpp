#include "cli/pull_list.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "cli/cli.hpp"
#include "core/ascii.hpp"
#include "core/error.hpp"
#include "core/printable.hpp"

namespace rung::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSha256Size = 64;  // hexadecimal digits

/// Values of one JSON object. A value that is missing or of another type throws what nlohmann::json throws,
/// and one that cannot be right throws Error.
class Entry {
 public:
  Entry(const nlohmann::json& json, const std::string& list) : json_(json), list_(list) {}

  std::string text(const char* key) const {
    std::string value = json_.at(key).get<std::string>();
    return value.empty() ? refuse(key) : value;
  }
  /// A path that stays inside the folder it is put into.
  std::string path(const char* key) const {
    std::string value = text(key);
    return is_safe_file_name(value) ? value : refuse(key);
  }
  /// The same without folders.
  std::string file_name(const char* key) const {
    std::string value = path(key);
    return value.find('/') == std::string::npos ? value : refuse(key);
  }
  std::string sha256() const {
    std::string value = text("sha256");
    const bool right =
        value.size() == kSha256Size && value.find_first_not_of("0123456789abcdef") == std::string::npos;
    return right ? value : refuse("sha256");
  }
  std::uint64_t bytes() const {
    const nlohmann::json& value = json_.at("bytes");
    const bool right = value.is_number_unsigned() && value.get<std::uint64_t>() > 0;
    if (!right) refuse("bytes");
    return value.get<std::uint64_t>();
  }
  std::optional<Entry> part(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() ? std::nullopt : std::optional(Entry(*found, list_));
  }
  [[noreturn]] std::string refuse(const char* key) const {
    const auto found = json_.find(key);
    fail("the list of models '{}' has a wrong value for \"{}\": {}", list_, key,
         found == json_.end() ? "none" : found->dump());
  }

 private:
  const nlohmann::json& json_;
  const std::string& list_;
};

ListedModel read_model(const Entry& entry) {
  ListedModel model;
  model.name = entry.file_name("name");
  model.title = entry.text("title");
  model.license = entry.text("license");
  model.license_url = entry.text("license_url");
  model.card_url = entry.text("card_url");
  model.file = entry.file_name("file");
  model.bytes = entry.bytes();
  model.sha256 = entry.sha256();
  if (const auto hub = entry.part("hub")) {
    const auto name = parse_hub_name(hub->text("place"));
    if (!name || name->file != model.file) hub->refuse("place");
    model.hub = HubPlace{*name, hub->path("revision")};
  }
  if (const auto package = entry.part("package")) {
    model.package =
        PackagePlace{package->file_name("name"), package->text("version"), package->file_name("wheel"),
                     package->bytes(),           package->sha256(),        package->path("path")};
  }
  if (!model.hub && !model.package) entry.refuse("hub");
  return model;
}

fs::path pulled_models() {
  const auto value = [](const char* name) -> fs::path {
    const char* text = std::getenv(name);
    return text == nullptr ? "" : text;
  };
  if (const fs::path cache = value("XDG_CACHE_HOME"); !cache.empty()) return cache / "rung" / "models";
  if (const fs::path home = value("HOME"); !home.empty()) return home / ".cache" / "rung" / "models";
  fail(
      "there is no folder for models, because neither XDG_CACHE_HOME nor HOME is set; set one of them to a "
      "folder");
}

}  // namespace

std::string ListedModel::summary() const {
  return fmt::format("{}, {}, {}", title, license, size_text(bytes));
}

fs::path ListedModel::pulled_path() const { return pulled_models() / name / file; }

bool ListedModel::is_pulled() const {
  std::error_code error;
  const fs::path path = pulled_path();
  return fs::is_regular_file(path, error) && fs::file_size(path, error) == bytes && !error;
}

std::vector<ListedModel> read_pull_list() {
  std::vector<ListedModel> models;
  for (const fs::path& folder : model_folders()) {
    const std::string path = (folder / "pull.json").string();
    std::ifstream in(path, std::ios::binary);
    if (!in) continue;
    try {
      const nlohmann::json json = nlohmann::json::parse(in);
      for (const nlohmann::json& model : json.at("models")) models.push_back(read_model(Entry(model, path)));
    } catch (const nlohmann::json::exception& error) {
      fail("'{}' is no list of models for rung pull: {}", path, error.what());
    }
    break;
  }
  return models;
}

std::optional<ListedModel> find_listed_model(const std::string& name) {
  for (ListedModel& model : read_pull_list()) {
    if (model.name == name) return std::move(model);
  }
  return {};
}

}  // namespace rung::cli
