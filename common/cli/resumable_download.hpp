#pragma once
// Downloads over HTTP that survive broken connections. Each attempt continues where the previous one ended.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "cli/http_client.hpp"
#include "cli/part_file.hpp"

namespace rung::cli {

struct DownloadOptions {
  int retries = 5;  // number of consecutive attempts without any new byte
  // Reports the progress of a file: its name, the bytes so far, and its size.
  std::function<void(const std::string& file, std::uint64_t done, std::uint64_t size)> progress;
  std::function<void(const std::string& sentence)> note;
};

/// A file to fetch. `hash` is its SHA-256 or git's SHA-1 of it (cli/checksum.hpp).
struct DownloadFile {
  std::string name;  // for messages
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
  /// Throws an Error for a response that another attempt would not change (404, 403).
  using Refuse = std::function<void(const HttpHead&)>;

  /// Keeps a reference to `client`.
  Downloader(HttpClient& client, DownloadOptions options) : client_(client), options_(std::move(options)) {}

  /// Fetches a small document. Tries again if the server is busy or the connection breaks, but not if the
  /// server cannot be reached at all. Throws SourceError, which contains `what`, if the document has more
  /// than `limit` bytes.
  Document get_document(const HttpRequest& request, std::size_t limit, const std::string& what);

  /// Fetches `file` into `target`, which gets its name only if size and checksum are right. Returns the
  /// number of reused bytes of an earlier run. Throws SourceError, or the error of `refuse`.
  std::uint64_t fetch(const DownloadFile& file, const std::filesystem::path& target, const Refuse& refuse);

  /// Returns the number of bytes that were received over the network.
  std::uint64_t downloaded() const { return downloaded_; }

 private:
  /// Makes one attempt. Returns the problem of the connection, or an empty string if all bytes were received.
  std::string attempt(PartFile& part, const DownloadFile& file, const Refuse& refuse);

  HttpClient& client_;
  DownloadOptions options_;
  std::uint64_t downloaded_ = 0;
};

/// Throws Error if the disk of `folder` has less room than the `needed` bytes of `what`. `remedy` is the end
/// of the message.
void check_room(std::uint64_t needed, const std::filesystem::path& folder, const std::string& what,
                const std::string& remedy);

/// Returns how many bytes of a file of `size` bytes are missing at `target`, which can already contain a part
/// of it.
std::uint64_t bytes_to_come(const std::filesystem::path& target, std::uint64_t size);

/// Returns whether `text` consists of exactly this number of hexadecimal digits.
bool is_hash(const std::string& text, std::size_t digits);

}  // namespace rung::cli
