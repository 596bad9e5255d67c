#include "cli/part_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.hpp"
#include "cli/source_error.hpp"

namespace rung::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSha256Digits = 64;

fs::path with_suffix(const fs::path& path, const char* suffix) { return fs::path(path.string() + suffix); }

}  // namespace

PartFile::PartFile(fs::path target, std::uint64_t size, std::string hash,
                   const std::function<void(std::uint64_t done)>& progress)
    : target_(std::move(target)),
      part_(with_suffix(target_, ".incomplete")),
      etag_file_(with_suffix(part_, ".etag")),
      size_(size),
      hash_(std::move(hash)),
      checksum_(fresh()) {
  file_.number = open(part_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (file_.number < 0) fail("cannot write '{}': {}", part_.string(), std::strerror(errno));
  if (flock(file_.number, LOCK_EX | LOCK_NB) != 0) {
    fail("another process is fetching '{}'; wait until it ends", part_.string());
  }
  struct stat info {};
  const bool known = fstat(file_.number, &info) == 0 && info.st_size >= 0;
  const std::uint64_t present = known ? static_cast<std::uint64_t>(info.st_size) : 0;
  if (present > size_) {
    restart({});
    return;
  }
  if (std::ifstream in(etag_file_); in) std::getline(in, etag_);
  std::vector<char> buffer(std::size_t{1} << 20);
  while (done_ < present) {
    const ssize_t n = read(file_.number, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      restart({});
      return;
    }
    checksum_->add({buffer.data(), static_cast<std::size_t>(n)});
    done_ += static_cast<std::uint64_t>(n);
    if (progress) progress(done_);
    check_interrupted();
  }
}

PartFile::Descriptor::~Descriptor() {
  if (number >= 0) close(number);
}

Checksum PartFile::fresh() const {
  return hash_.size() == kSha256Digits ? Checksum::sha256() : Checksum::git_blob(size_);
}

void PartFile::remember_etag(const std::string& etag) {
  // Weak tags ("W/...") say nothing about bytes.
  etag_ = etag.size() < 256 && etag.starts_with('"') ? etag : std::string();
  std::error_code ignored;
  if (etag_.empty()) {
    fs::remove(etag_file_, ignored);
  } else {
    std::ofstream(etag_file_, std::ios::trunc) << etag_ << '\n';
  }
}

void PartFile::restart(const std::string& etag) {
  if (ftruncate(file_.number, 0) != 0 || lseek(file_.number, 0, SEEK_SET) != 0)
    fail("cannot write '{}': {}", part_.string(), std::strerror(errno));
  done_ = 0;
  checksum_ = fresh();
  remember_etag(etag);
}

void PartFile::append(std::span<const char> bytes) {
  if (bytes.size() > size_ - done_) {
    restart({});
    fail_source(
        "the server sends more than the {} bytes that it announced for '{}'; the file is deleted, so try "
        "again",
        size_, target_.filename().string());
  }
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t n = write(file_.number, bytes.data() + sent, bytes.size() - sent);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("writing '{}' failed: {}; what came is kept", part_.string(), std::strerror(errno));
    checksum_->add(bytes.subspan(sent, static_cast<std::size_t>(n)));
    sent += static_cast<std::size_t>(n);
    done_ += static_cast<std::uint64_t>(n);
  }
}

bool PartFile::finish() {
  if (checksum_->finish() != hash_) {
    restart({});
    return false;
  }
  fsync(file_.number);  // some file systems cannot, and then have no need to
  std::error_code error;
  fs::rename(part_, target_, error);
  if (error) fail("cannot rename '{}': {}", part_.string(), error.message());
  fs::remove(etag_file_, error);
  return true;
}

}  // namespace rung::cli
