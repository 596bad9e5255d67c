#pragma once
// A partly fetched file NAME.incomplete, whose checksum is computed as bytes arrive. It gets its final name
// only when it is complete and correct. Until then, another attempt can continue where it ends.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "cli/checksum.hpp"

namespace rung::cli {

class PartFile {
 public:
  /// Opens TARGET.incomplete and reads the bytes of an earlier attempt, if they can be the beginning of a
  /// file of `size` bytes. Throws Error if another process is fetching the file, or if it cannot be written.
  PartFile(std::filesystem::path target, std::uint64_t size, std::string hash,
           const std::function<void(std::uint64_t done)>& progress);

  std::uint64_t done() const { return done_; }
  bool whole() const { return done_ == size_; }
  /// Returns the ETag of these bytes, or an empty string if it is not known.
  const std::string& etag() const { return etag_; }

  /// Deletes all bytes. The bytes that are appended from now on belong to `etag`.
  void restart(const std::string& etag);
  /// Throws Error if the disk is full, or if there are more bytes than announced.
  void append(std::span<const char> bytes);
  /// Gives the file its final name. If the checksum differs, deletes all bytes and returns false. REQUIRES:
  /// whole().
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
