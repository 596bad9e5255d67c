#include "cli/unzip.hpp"

#include <zip.h>

#include <memory>
#include <vector>

#include "cli/source_error.hpp"

namespace rung::cli {
namespace {

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};

struct CloseEntry {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

std::string reason(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

}  // namespace

void unzip(const std::filesystem::path& archive, const std::string& entry, std::uint64_t size,
           const std::function<void(std::span<const char>)>& on_bytes) {
  int code = 0;
  const std::unique_ptr<zip_t, Discard> zip(zip_open(archive.c_str(), ZIP_RDONLY, &code));
  if (zip == nullptr) fail_source("the package cannot be unpacked: {}", reason(code));
  zip_stat_t info;
  if (zip_stat(zip.get(), entry.c_str(), 0, &info) != 0)
    fail_source("the package has no file '{}': {}", entry, zip_strerror(zip.get()));
  if ((info.valid & ZIP_STAT_SIZE) == 0 || info.size != size)
    fail_source("'{}' has {} bytes in the package instead of {}", entry, info.size, size);

  const std::unique_ptr<zip_file_t, CloseEntry> file(zip_fopen_index(zip.get(), info.index, 0));
  if (file == nullptr) fail_source("'{}' cannot be unpacked: {}", entry, zip_strerror(zip.get()));
  std::vector<char> buffer(std::size_t{1} << 20);
  for (std::uint64_t left = size;;) {
    const zip_int64_t n = zip_fread(file.get(), buffer.data(), buffer.size());
    if (n < 0) fail_source("'{}' cannot be unpacked: {}", entry, zip_file_strerror(file.get()));
    if (n == 0 && left > 0) fail_source("'{}' unpacks to fewer bytes than the expected {}", entry, size);
    if (n == 0) return;
    // libzip checks the size in the archive's directory only after the last byte.
    if (static_cast<std::uint64_t>(n) > left)
      fail_source("'{}' unpacks to more bytes than the expected {}", entry, size);
    left -= static_cast<std::uint64_t>(n);
    on_bytes({buffer.data(), static_cast<std::size_t>(n)});
  }
}

}  // namespace rung::cli
