#include "cli/hub_download.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/cli.hpp"
#include "cli/resumable_download.hpp"
#include "cli/source_error.hpp"
#include "core/output_file.hpp"
#include "core/printable.hpp"

namespace rung::cli {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

/// $HF_TOKEN, or the file where Python's `hf auth login` leaves one; empty when there is none.
std::string read_token() {
  for (const char* name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
    if (const std::string token = environment(name); !token.empty()) return token;
  }
  const std::string given = environment("HF_TOKEN_PATH");
  std::ifstream in(given.empty() ? hub_home() / "token" : fs::path(given));
  std::string token;
  in >> token;
  return token;
}

struct Listing {
  std::string commit;
  std::vector<HubFile> files;
  std::vector<std::string> hashes;  // of files; empty where the server gave none
};

class Puller {
 public:
  explicit Puller(const PullOptions& options)
      : options_(options),
        endpoint_(find_endpoint(options)),
        client_(read_token(), endpoint_),
        downloader_(client_, {options.retries, options.progress, options.note}) {
    if (!is_safe_file_name(options_.revision))
      fail_usage("--revision is '{}', which is no revision; use a branch, a tag or a commit",
                 options_.revision);
    if (options_.retries < 0) fail_usage("--retries is {}; it must be at least 0", options_.retries);
    if (!client_.token_note().empty() && options_.note) options_.note(client_.token_note());
  }

  PullResult run();

 private:
  static std::string find_endpoint(const PullOptions& options);
  Listing list();
  HubChoice choose(const Listing& listing) const;
  /// Throws SourceError unless `files` is the one file whose checksum options_ has.
  void check_announced(const std::vector<PulledFile>& files) const;
  fs::path target_of(const PulledFile& file) const;
  bool is_there(const PulledFile& file) const;
  void fetch(PulledFile& file, const std::string& commit);
  void link(const PulledFile& file, const std::string& commit) const;
  [[noreturn]] void refuse(const HttpHead& head, const std::string& what) const;

  const PullOptions& options_;
  std::string endpoint_;
  HttpClient client_;
  Downloader downloader_;
};

std::string Puller::find_endpoint(const PullOptions& options) {
  std::string endpoint = options.endpoint.empty() ? environment("HF_ENDPOINT") : options.endpoint;
  if (endpoint.empty()) endpoint = "https://huggingface.co";
  while (endpoint.ends_with('/')) endpoint.pop_back();
  const std::string offline = environment("HF_HUB_OFFLINE");
  if (offline == "1" || offline == "true" || offline == "TRUE" || offline == "ON" || offline == "YES")
    fail_source("HF_HUB_OFFLINE is set, so nothing is fetched; unset it to pull models");
  return endpoint;
}

void Puller::refuse(const HttpHead& head, const std::string& what) const {
  const std::string repository = options_.name.repository();
  const std::string code = head.header("x-error-code");
  const bool token = client_.has_token();
  if (head.status == 401) {
    fail_source(
        "the hub refuses {} (401), because '{}' does not exist, or is private or gated; check the name, "
        "accept its terms at {}/{}, and {}",
        what, repository, endpoint_, repository,
        token ? "check your token" : "set HF_TOKEN to your access token");
  }
  if (head.status == 403) {
    fail_source(
        "the hub refuses {} (403), because '{}' is gated or private; accept its terms at {}/{} with the "
        "account of your token{}",
        what, repository, endpoint_, repository, token ? "" : ", and set HF_TOKEN");
  }
  if (head.status == 404 && code == "RevisionNotFound")
    fail_source("'{}' has no revision '{}' (404); check the name, or leave --revision out to use main",
                repository, options_.revision);
  if (head.status == 404) fail_source("there is no {} at {} (404); check the name", what, endpoint_);
  if (head.status == 429)
    fail_source("the hub received too many requests (429); try again in a few minutes, or set HF_TOKEN");
  fail_source("{} answers with status {} when asked for {}; try again later", endpoint_, head.status, what);
}

Listing Puller::list() {
  constexpr std::size_t kMaxListing = std::size_t{64} << 20;
  const std::string repository = options_.name.repository();
  const std::string what = fmt::format("model '{}'", repository);
  const std::string url = fmt::format("{}/api/models/{}/revision/{}?blobs=true", endpoint_,
                                      url_encode(repository, true), url_encode(options_.revision, false));
  const Document document = downloader_.get_document({url, 0, {}, {}}, kMaxListing,
                                                     fmt::format("the list of files of '{}'", repository));
  const HttpEnd& end = document.end;
  if (!end.reached) {
    fail_source(
        "cannot reach {}: {}; check whether this machine is offline (models that are already downloaded "
        "still work)",
        endpoint_, end.problem);
  }
  if (end.head.status != 200) refuse(end.head, what);
  if (!document.arrived()) fail_source("the connection to {} broke: {}; try again", endpoint_, end.problem);

  Listing listing;
  try {
    const auto json = nlohmann::json::parse(document.body);
    listing.commit = json.at("sha").get<std::string>();
    for (const auto& entry : json.at("siblings")) {
      listing.files.push_back(
          {entry.at("rfilename").get<std::string>(), entry.value("size", std::uint64_t{0})});
      const auto lfs = entry.find("lfs");
      const bool is_lfs = lfs != entry.end() && lfs->is_object();
      listing.hashes.push_back(is_lfs ? lfs->value("sha256", "") : entry.value("blobId", ""));
    }
  } catch (const nlohmann::json::exception&) {
    fail_source("{} answers with something that is no list of files; is it a Hugging Face hub?", endpoint_);
  }
  if (!is_hash(listing.commit, 40)) fail_source("{} names no commit for '{}'", endpoint_, repository);
  return listing;
}

HubChoice Puller::choose(const Listing& listing) const {
  const std::string name = options_.name.repository(), &file = options_.name.file;
  HubChoice choice = choose_hub_files(listing.files, file);
  if (!choice.files.empty()) return choice;
  if (!options_.sha256.empty()) fail_source("'{}' has no file '{}'", name, file);
  if (choice.choices.empty()) {
    if (!file.empty())
      fail_source("'{}' has no file '{}' and no other GGUF file; check the name", name, file);
    fail_source(
        "'{}' holds neither *.safetensors with a config.json nor a GGUF file, so rung cannot use it; choose "
        "another model",
        name);
  }
  std::string lines;
  for (const std::size_t i : choice.choices) {
    std::uint64_t size = 0;
    for (const std::size_t part : choose_hub_files(listing.files, listing.files[i].name).files)
      size += listing.files[part].size;
    lines += fmt::format("\n  {:>10}  {}", size_text(size), listing.files[i].name);
  }
  fail_usage("'{}' has {}; choose one, as in rung pull {}:{}{}", name,
             file.empty() ? "several GGUF files" : fmt::format("not exactly one GGUF file of '{}'", file),
             name, listing.files[choice.choices.front()].name, lines);
}

void Puller::check_announced(const std::vector<PulledFile>& files) const {
  if (files.size() != 1 || files.front().name != options_.name.file)
    fail_source("'{}' has no file '{}'", options_.name.repository(), options_.name.file);
  if (files.front().hash != options_.sha256) {
    fail_source(
        "{} announces another checksum for '{}' ({}) than the list of models has ({}); the file is not "
        "fetched",
        endpoint_, options_.name.text(), files.front().hash, options_.sha256);
  }
}

fs::path Puller::target_of(const PulledFile& file) const {
  if (!options_.to.empty()) return fs::path(options_.to) / file.name;
  return hub_folder(hub_cache(), options_.name) / "blobs" / file.hash;
}

bool Puller::is_there(const PulledFile& file) const {
  const fs::path target = target_of(file);
  std::error_code error;
  if (!fs::exists(target, error)) return false;
  if (options_.to.empty()) return is_file_of(target, file.size);  // a blob is named after its content
  if (is_file_of(target, file.size, file.hash)) return true;
  fail("'{}' exists and is another file; remove it, or choose another folder with --to", target.string());
}

void Puller::fetch(PulledFile& file, const std::string& commit) {
  const fs::path target = target_of(file);
  fs::create_directories(target.parent_path());
  const std::string url =
      fmt::format("{}/{}/resolve/{}/{}", endpoint_, url_encode(options_.name.repository(), true), commit,
                  url_encode(file.name, true));
  file.resumed_from =
      downloader_.fetch({file.name, url, file.size, file.hash}, target,
                        [&](const HttpHead& head) { refuse(head, fmt::format("file '{}'", file.name)); });
}

void Puller::link(const PulledFile& file, const std::string& commit) const {
  const fs::path folder = hub_folder(hub_cache(), options_.name);
  const fs::path place = folder / "snapshots" / commit / file.name, blob = folder / "blobs" / file.hash;
  fs::create_directories(place.parent_path());
  std::error_code error;
  if (fs::equivalent(place, blob, error)) return;
  fs::remove(place, error);
  fs::create_symlink(blob.lexically_relative(place.parent_path()), place, error);
  if (error) fs::copy_file(blob, place);  // a file system without links
}

PullResult Puller::run() {
  const Listing listing = list();
  const HubChoice choice = choose(listing);
  PullResult result;
  result.commit = listing.commit;
  for (const std::size_t i : choice.files) {
    const auto& [name, size] = listing.files[i];
    const std::string& hash = listing.hashes[i];
    if (!is_safe_file_name(name))
      fail_source("the name of a file in '{}' leads out of its folder: '{}'; nothing was fetched",
                  options_.name.repository(), name);
    if (!is_hash(hash, 64) && !is_hash(hash, 40))
      fail_source("{} gives no checksum for '{}', so it is not fetched", endpoint_, name);
    result.files.push_back({name, size, hash});
  }
  if (!options_.sha256.empty()) check_announced(result.files);

  const bool to_cache = options_.to.empty();
  const fs::path folder = to_cache ? hub_folder(hub_cache(), options_.name) : fs::path(options_.to);
  try {
    fs::create_directories(folder);
    for (PulledFile& file : result.files) file.already_there = is_there(file);
    std::uint64_t needed = 0;
    for (const PulledFile& file : result.files)
      needed += file.already_there ? 0 : bytes_to_come(target_of(file), file.size);
    check_room(needed, folder, options_.name.text(),
               to_cache ? "choose another folder with --to or HF_HOME" : "choose another folder with --to");
    for (PulledFile& file : result.files) {
      if (!file.already_there) fetch(file, listing.commit);
    }
    if (to_cache) {
      for (const PulledFile& file : result.files) link(file, listing.commit);
      if (options_.revision != listing.commit) {
        const fs::path ref = folder / "refs" / options_.revision;
        fs::create_directories(ref.parent_path());
        OutputFile file(ref.string());
        file.write(listing.commit);
        file.commit();
      }
    }
  } catch (const fs::filesystem_error& error) {
    fail("cannot write to '{}': {}", folder.string(), error.code().message());
  }
  const fs::path root = to_cache ? folder / "snapshots" / listing.commit : folder;
  result.path = (choice.folder ? root : root / result.files.front().name).string();
  result.downloaded = downloader_.downloaded();
  return result;
}

}  // namespace

PullResult pull(const PullOptions& options) { return Puller(options).run(); }

}  // namespace rung::cli
