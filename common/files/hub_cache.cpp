#include "files/hub_cache.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "core/ascii.hpp"
#include "core/error.hpp"

namespace rung {
namespace {

namespace fs = std::filesystem;

bool is_name_char(char c) {
  return is_ascii_letter(c) || is_ascii_digit(c) || c == '-' || c == '_' || c == '.';
}

bool is_repository_part(std::string_view part) {
  return !part.empty() && part.size() <= 96 && std::all_of(part.begin(), part.end(), is_name_char) &&
         part.front() != '-' && part.front() != '.' && part.back() != '.' &&
         part.find("..") == std::string_view::npos && part.find("--") == std::string_view::npos;
}

const char* environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

bool ends_with(std::string_view text, std::string_view end) { return text.ends_with(end); }

bool is_gguf(std::string_view name) { return ends_with(ascii_lower(name), ".gguf"); }

/// "model-00002-of-00003.gguf" is part 2 of 3 of "model"; other files are part 1 of 1 of themselves.
struct Part {
  std::string whole;
  int number = 1, count = 1;
};

Part part_of(const std::string& name) {
  constexpr std::string_view kPattern = "-00001-of-00001.gguf";
  if (name.size() <= kPattern.size()) return {name};
  const std::string tail = name.substr(name.size() - kPattern.size());
  for (std::size_t i = 0; i < kPattern.size(); ++i) {
    if (is_ascii_digit(kPattern[i]) ? !is_ascii_digit(tail[i]) : tail[i] != kPattern[i]) return {name};
  }
  return {name.substr(0, name.size() - kPattern.size()), std::stoi(tail.substr(1, 5)),
          std::stoi(tail.substr(10, 5))};
}

/// All parts of the GGUF that files[index] belongs to, in order.
std::vector<std::size_t> all_parts(const std::vector<HubFile>& files, std::size_t index) {
  const Part wanted = part_of(files[index].name);
  if (wanted.count == 1) return {index};
  std::vector<std::pair<int, std::size_t>> parts;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Part part = part_of(files[i].name);
    if (part.whole == wanted.whole && part.count == wanted.count) parts.emplace_back(part.number, i);
  }
  std::sort(parts.begin(), parts.end());
  std::vector<std::size_t> result;
  for (const auto& [number, i] : parts) result.push_back(i);
  return result;
}

/// Whether `tag` stands in `name` as a word of its own: Q4_K in "m-Q4_K.gguf", not in "m-Q4_K_M.gguf".
bool has_tag(const std::string& name, const std::string& tag) {
  const std::string text = ascii_lower(name), word = ascii_lower(tag);
  const auto is_edge = [](char c) { return c == '-' || c == '.' || c == '/'; };
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) {
    const std::size_t end = at + word.size();
    if ((at == 0 || is_edge(text[at - 1])) && (end == text.size() || is_edge(text[end]))) return true;
  }
  return false;
}

bool is_model_file(const std::string& name, bool only_named_model) {
  static constexpr std::string_view kKnown[] = {
      "config.json",        "generation_config.json",
      "tokenizer.json",     "tokenizer_config.json",
      "tokenizer.model",    "special_tokens_map.json",
      "added_tokens.json",  "vocab.json",
      "merges.txt",         "vocab.txt",
      "spiece.model",       "chat_template.jinja",
      "chat_template.json",
  };
  if (std::find(std::begin(kKnown), std::end(kKnown), name) != std::end(kKnown)) return true;
  if (name.find('/') != std::string::npos) return false;
  if (only_named_model && !name.starts_with("model")) return false;  // "consolidated": the same weights again
  return ends_with(name, ".safetensors") || ends_with(name, ".safetensors.index.json");
}

std::string choices_text(const std::vector<HubFile>& files, const std::vector<std::size_t>& choices) {
  std::vector<std::string> names;
  for (const std::size_t i : choices) names.push_back(files[i].name);
  return fmt::format("{}", fmt::join(names, ", "));
}

/// The commit that `main` is at; the only snapshot where that is not known; empty when there is none.
std::string snapshot_of(const fs::path& folder) {
  std::ifstream in(folder / "refs" / "main");
  std::string commit;
  if (in >> commit && is_safe_file_name(commit) && fs::is_directory(folder / "snapshots" / commit))
    return commit;
  std::error_code error;
  std::vector<std::string> all;
  for (const auto& entry : fs::directory_iterator(folder / "snapshots", error))
    all.push_back(entry.path().filename().string());
  return all.size() == 1 ? all.front() : std::string();
}

std::vector<HubFile> files_under(const fs::path& folder) {
  std::vector<HubFile> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;  // a link without its blob is no file
    if (!fs::is_regular_file(it->path(), ignored)) continue;
    files.push_back(
        {it->path().lexically_relative(folder).generic_string(), fs::file_size(it->path(), ignored)});
  }
  std::sort(files.begin(), files.end(), [](const HubFile& a, const HubFile& b) { return a.name < b.name; });
  return files;
}

}  // namespace

std::optional<HubName> parse_hub_name(std::string_view text) {
  HubName result;
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    result.file = text.substr(colon + 1);
    text = text.substr(0, colon);
    if (!is_safe_file_name(result.file)) return {};
  }
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {};
  result.owner = text.substr(0, slash);
  result.name = text.substr(slash + 1);
  if (!is_repository_part(result.owner) || !is_repository_part(result.name)) return {};
  return result;
}

bool is_safe_file_name(std::string_view name) {
  constexpr std::size_t kLongestPart = 255, kLongest = 1024;
  if (name.empty() || name.size() > kLongest) return false;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 32 || c == 127 || c == '\\') return false;
  }
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    if (part.empty() || part == "." || part == ".." || part.size() > kLongestPart) return false;
    begin = end + 1;
  }
  return true;
}

fs::path hub_home() {
  if (const char* home = environment("HF_HOME")) return home;
  if (const char* cache = environment("XDG_CACHE_HOME")) return fs::path(cache) / "huggingface";
  if (const char* home = environment("HOME")) return fs::path(home) / ".cache" / "huggingface";
  fail("there is no place for models: set HOME, or HF_HOME to a folder");
}

fs::path hub_cache() {
  if (const char* cache = environment("HF_HUB_CACHE")) return cache;
  if (const char* cache = environment("HUGGINGFACE_HUB_CACHE")) return cache;  // its older name
  return hub_home() / "hub";
}

fs::path hub_folder(const fs::path& cache, const HubName& name) {
  return cache / fmt::format("models--{}--{}", name.owner, name.name);
}

HubChoice choose_hub_files(const std::vector<HubFile>& files, const std::string& file) {
  HubChoice choice;
  const auto has = [&](const auto& test) {
    return std::any_of(files.begin(), files.end(), [&](const HubFile& f) { return test(f.name); });
  };
  const bool named_model = has(
      [](const std::string& n) { return n == "model.safetensors" || n == "model.safetensors.index.json"; });
  const bool safetensors = has(
      [](const std::string& n) { return ends_with(n, ".safetensors") && n.find('/') == std::string::npos; });
  if (file.empty() && safetensors && has([](const std::string& n) { return n == "config.json"; })) {
    choice.folder = true;
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (is_model_file(files[i].name, named_model)) choice.files.push_back(i);
    }
    return choice;
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!file.empty() && files[i].name == file) {
      choice.files = is_gguf(file) ? all_parts(files, i) : std::vector{i};
      choice.choices.clear();
      return choice;
    }
    if (is_gguf(files[i].name) && part_of(files[i].name).number == 1) choice.choices.push_back(i);
  }
  std::vector<std::size_t> fitting;
  for (const std::size_t i : choice.choices) {
    if (file.empty() || has_tag(files[i].name, file)) fitting.push_back(i);
  }
  if (fitting.size() == 1) {
    choice.files = all_parts(files, fitting.front());
    choice.choices.clear();
  } else if (fitting.size() > 1) {
    choice.choices = fitting;
  }
  return choice;
}

std::string find_in_hub_cache(const HubName& name) {
  const fs::path folder = hub_folder(hub_cache(), name);
  const std::string commit = snapshot_of(folder);
  const fs::path snapshot = folder / "snapshots" / commit;
  const std::vector<HubFile> files = commit.empty() ? std::vector<HubFile>() : files_under(snapshot);
  const HubChoice choice = choose_hub_files(files, name.file);
  if (choice.folder) return snapshot.string();
  if (!choice.files.empty()) {
    const HubFile& first = files[choice.files.front()];
    const Part part = part_of(first.name);
    if (part.number != 1 || choice.files.size() != static_cast<std::size_t>(part.count)) {
      fail("only {} of the {} parts of '{}' are pulled; run: rung pull {}", choice.files.size(), part.count,
           first.name, name.text());
    }
    return (snapshot / first.name).string();
  }
  if (choice.choices.empty()) {
    fail(
        "there is no file or folder '{}', and no model of that name is pulled yet; if the Hugging Face hub "
        "has "
        "it, run: rung pull {}",
        name.text(), name.text());
  }
  if (name.file.empty()) {
    fail("several files of '{}' are pulled: {}; choose one, as in -m {}:{}", name.text(),
         choices_text(files, choice.choices), name.repository(), files[choice.choices.front()].name);
  }
  fail("'{}' is not pulled yet (of this model there is: {}); run: rung pull {}", name.text(),
       choices_text(files, choice.choices), name.text());
}

}  // namespace rung
