#pragma once
// A file that is being fetched: NAME.incomplete, with its checksum running along. It gets its name only
// when it is whole and right; until then another attempt can go on where it ends.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "cli/checksum.hpp"

namespace rung::cli {

class PartFile {
 public:
  /// Opens TARGET.incomplete and reads what an earlier attempt left, if that can be a beginning of `size`
  /// bytes. Throws Error when another process is at it, or when it cannot be written.
  PartFile(std::filesystem::path target, std::uint64_t size, std::string hash,
           const std::function<void(std::uint64_t done)>& progress);

  std::uint64_t done() const { return done_; }
  bool whole() const { return done_ == size_; }
  /// The ETag under which these bytes came; empty when that is not known.
  const std::string& etag() const { return etag_; }

  /// Forgets all bytes; those that come now belong to `etag`.
  void restart(const std::string& etag);
  /// Throws Error when the disk is full, or when there are more bytes than announced.
  void append(std::span<const char> bytes);
  /// Gives the file its name; false, and all bytes gone, when the checksum differs. REQUIRES: whole().
  bool finish();

 private:
  Checksum fresh() const;
  void remember_etag(const std::string& etag);

  std::filesystem::path target_, part_, etag_file_;
  std::uint64_t size_, done_ = 0;
  std::string hash_, etag_;
  struct Descriptor {
    int number = -1;
    Descriptor() = default;
    ~Descriptor();
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
  };
  Descriptor file_;
  std::optional<Checksum> checksum_;
};

}  // namespace rung::cli
