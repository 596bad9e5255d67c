#pragma once
// Downloads over HTTP that survive broken connections: each attempt goes on where the one before it ended.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "cli/http_client.hpp"
#include "cli/part_file.hpp"

namespace rung::cli {

struct DownloadOptions {
  int retries = 5;  // attempts in a row that may bring no new byte
  // How far a file is: its name, bytes so far, its size.
  std::function<void(const std::string& file, std::uint64_t done, std::uint64_t size)> progress;
  std::function<void(const std::string& sentence)> note;
};

/// A file to fetch. `hash` is its SHA-256, or git's SHA-1 of it (cli/checksum.hpp).
struct DownloadFile {
  std::string name;  // for sentences
  std::string url;
  std::uint64_t size = 0;
  std::string hash;
};

/// A small document, such as a list of files.
struct Document {
  HttpEnd end;
  std::string body;
  bool arrived() const { return end.complete && end.head.status == 200; }
};

class Downloader {
 public:
  /// Throws an Error that explains an answer which a further attempt would not change (404, 403).
  using Refuse = std::function<void(const HttpHead&)>;

  /// Keeps a reference to `client`.
  Downloader(HttpClient& client, DownloadOptions options) : client_(client), options_(std::move(options)) {}

  /// Asks again where the server is busy or the connection breaks, but not where it cannot be reached at all.
  /// Throws SourceError when the document has more than `limit` bytes; `what` names it.
  Document get_document(const HttpRequest& request, std::size_t limit, const std::string& what);

  /// Fetches `file` into `target`, which gets its name only when size and checksum are right. Returns how
  /// many bytes of an earlier run were used. Throws SourceError, or what `refuse` throws.
  std::uint64_t fetch(const DownloadFile& file, const std::filesystem::path& target, const Refuse& refuse);

  /// Bytes that came over the network.
  std::uint64_t downloaded() const { return downloaded_; }

 private:
  /// One attempt. Returns what went wrong with the connection; empty when all bytes came.
  std::string attempt(PartFile& part, const DownloadFile& file, const Refuse& refuse);

  HttpClient& client_;
  DownloadOptions options_;
  std::uint64_t downloaded_ = 0;
};

/// Throws Error when the disk of `folder` has less room than `needed` bytes; `what` needs them, `remedy` is
/// the end of the sentence.
void check_room(std::uint64_t needed, const std::filesystem::path& folder, const std::string& what,
                const std::string& remedy);

/// What is still to come of a file of `size` bytes, which may have begun to arrive at `target`.
std::uint64_t bytes_to_come(const std::filesystem::path& target, std::uint64_t size);

/// Whether `text` has that many hexadecimal digits and nothing else.
bool is_hash(const std::string& text, std::size_t digits);

}  // namespace rung::cli
