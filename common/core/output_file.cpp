#include "core/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <vector>

#include "core/error.hpp"

namespace rung {
namespace {

namespace fs = std::filesystem;

/// Identifies a file independently of its name, by the device and the number of its inode.
struct Identity {
  std::uint64_t device, number;
  bool operator==(const Identity&) const = default;
};

std::mutex inputs_mutex;
std::vector<Identity> inputs;

bool is_input(const struct stat& info) {
  const std::lock_guard lock(inputs_mutex);
  return std::find(inputs.begin(), inputs.end(), Identity{info.st_dev, info.st_ino}) != inputs.end();
}

std::optional<Identity> protect_file(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  const std::lock_guard lock(inputs_mutex);
  inputs.push_back({info.st_dev, info.st_ino});
  return inputs.back();
}

[[noreturn]] void refuse_input(const std::string& path) {
  fail("'{}' is also read by this job, and writing would destroy it; choose another name for the output",
       path);
}

/// Returns the permissions of a new file or folder: `asked` without those that the user's mask removes.
mode_t allowed(mode_t asked) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return asked & ~mask;
}

/// Writes a folder's list of names to the disk, if the system has not written it yet.
void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);  // fails on some file systems, which do not need it
  ::close(descriptor);
}

}  // namespace

void protect_input(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    protect_file(path);
    return;
  }
  for (const auto& entry : fs::recursive_directory_iterator(path, error)) protect_file(entry.path());
}

InputInUse::InputInUse(const std::string& path) {
  const std::optional<Identity> identity = protect_file(path);
  known_ = identity.has_value();
  if (known_) device_ = identity->device, number_ = identity->number;
}

InputInUse::~InputInUse() {
  if (!known_) return;
  const std::lock_guard lock(inputs_mutex);
  const auto own = std::find(inputs.begin(), inputs.end(), Identity{device_, number_});
  if (own != inputs.end()) inputs.erase(own);
}

OutputFile::OutputFile(const std::string& path) : path_(path), target_(path) {
  if (path.empty()) fail("cannot write '': name a file");
  std::error_code error;
  if (fs::is_symlink(path, error)) target_ = fs::weakly_canonical(path, error).string();
  struct stat info {};
  const bool exists = ::stat(path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) fail("cannot write '{}': it is a folder; name a file", path);
  if (exists && S_ISREG(info.st_mode) && is_input(info)) refuse_input(path);
  if (exists && !S_ISREG(info.st_mode)) {
    // Opening a pipe without a reader would wait for a reader, so it is opened without blocking. Writing to a
    // pipe with a reader may block.
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor_ < 0 && errno == ENXIO) fail("cannot write '{}': it is a pipe without a reader", path);
    if (descriptor_ < 0 || ::fcntl(descriptor_, F_SETFL, 0) != 0) failed(errno);
    return;
  }
  temporary_ = target_ + ".part-XXXXXX";
  descriptor_ = ::mkostemp(temporary_.data(), O_CLOEXEC);
  if (descriptor_ < 0) {
    const int reason = errno;
    temporary_.clear();
    failed(reason);
  }
  ::fchmod(descriptor_, exists ? info.st_mode & 07777 : allowed(0666));
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputFile::failed(int error) const {
  if (error == ENOSPC || error == EDQUOT || error == EFBIG)
    fail("cannot write '{}': {}; {} bytes were written", path_, std::strerror(error), written_);
  fail("cannot write '{}': {}", path_, std::strerror(error));
}

void OutputFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(descriptor_, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) failed(errno);
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    written_ += static_cast<std::uint64_t>(wrote);
  }
}

void OutputFile::write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

void OutputFile::commit(Durable durable) {
  const bool sync = durable == Durable::yes && !temporary_.empty();
  if (sync && ::fsync(descriptor_) != 0) failed(errno);
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) failed(errno);  // some systems report a full disk only here
  if (temporary_.empty()) return;
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) failed(errno);
  temporary_.clear();
  if (sync) sync_folder(fs::path(target_).parent_path());
}

std::vector<std::string> OutputFolder::names_within(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  if (fs::exists(folder, error) && !fs::is_directory(folder, error))
    fail("'{}' is a file, but the output is a folder; name a folder", folder);
  for (const auto& entry : fs::directory_iterator(folder, error))
    names.push_back(entry.path().filename().string());
  return names;
}

void OutputFolder::refuse(const std::string& name) const {
  fail(
      "the folder '{}' contains '{}', which the output would delete, because it replaces the whole folder; "
      "name a new folder",
      target_, name);
}

void OutputFolder::make() {
  std::error_code error;
  while (target_.size() > 1 && target_.ends_with('/')) target_.pop_back();
  struct stat info {};
  for (const std::string& name : names_within(target_)) {
    if (::stat((fs::path(target_) / name).c_str(), &info) == 0 && is_input(info)) refuse_input(target_);
  }
  const fs::path parent = fs::path(target_).parent_path();
  if (!parent.empty()) fs::create_directories(parent, error);
  temporary_ = target_ + ".part-XXXXXX";
  if (error || ::mkdtemp(temporary_.data()) == nullptr) {
    const std::string reason = error ? error.message() : std::strerror(errno);
    temporary_.clear();
    fail("the folder '{}' cannot be created: {}", target_, reason);
  }
  ::chmod(temporary_.c_str(), allowed(0777));
}

OutputFolder::~OutputFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

void OutputFolder::commit() {
  sync_folder(temporary_);
  // The system exchanges both names at once, so a program that opens the target sees the old or the new
  // folder.
  std::error_code error;
  if (fs::exists(target_, error)) {
    if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE) != 0)
      fail("the folder '{}' cannot be replaced: {}", target_, std::strerror(errno));
    return;  // the destructor removes the old one, which has the temporary name now
  }
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0)
    fail("the folder '{}' cannot be completed: {}", target_, std::strerror(errno));
  temporary_.clear();
}

}  // namespace rung
