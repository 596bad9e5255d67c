#pragma once
// Checksums of files as the hub gives them, through OpenSSL's libcrypto.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace rung::cli {

/// SHA-256 of the bytes (LFS files), or git's blob hash: SHA-1 of "blob SIZE\0" and the bytes.
class Checksum {
 public:
  static Checksum sha256();
  static Checksum git_blob(std::uint64_t size);

  void add(std::span<const char> bytes);
  /// Lower-case hexadecimal digits. REQUIRES: called once, last.
  std::string finish();

 private:
  struct Free {
    void operator()(void* context) const;
  };
  explicit Checksum(const void* algorithm);
  std::unique_ptr<void, Free> context_;  // EVP_MD_CTX
};

/// Of all bytes of a file; `sum` says which checksum. Of a file that cannot be read: of no bytes.
std::string checksum_of(const std::filesystem::path& path, Checksum sum);

/// Whether `path` is a regular file of `size` bytes.
bool is_file_of(const std::filesystem::path& path, std::uint64_t size);
/// Whether it also has the checksum `hash`: 64 digits of SHA-256, or 40 of git's blob hash.
bool is_file_of(const std::filesystem::path& path, std::uint64_t size, const std::string& hash);

}  // namespace rung::cli
