#include "cli/resumable_download.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "cli/cli.hpp"
#include "cli/source_error.hpp"
#include "core/printable.hpp"

namespace rung::cli {
namespace {

bool may_pass(long status) { return status >= 500 || status == 429; }

void wait_before_retry(int attempt) {
  const auto milliseconds = std::min(500 << std::min(attempt, 5), 10'000);
  for (int waited = 0; waited < milliseconds; waited += 50) {
    check_interrupted();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace

Document Downloader::get_document(const HttpRequest& request, std::size_t limit, const std::string& what) {
  Document document;
  for (int tries = 0;; ++tries) {
    document.body.clear();
    document.end = client_.get(
        request, [](const HttpHead& head) { return head.status == 200; },
        [&](std::span<const char> bytes) {
          if (document.body.size() + bytes.size() > limit) fail_source("{} is too long to be correct", what);
          document.body.append(bytes.data(), bytes.size());
          return true;
        });
    const HttpEnd& end = document.end;
    const bool worth_it = end.reached && (!end.problem.empty() || may_pass(end.head.status));
    if (document.arrived() || !worth_it || tries >= options_.retries) return document;
    wait_before_retry(tries);
  }
}

std::string Downloader::attempt(PartFile& part, const DownloadFile& file, const Refuse& refuse) {
  bool again_from_zero = false;
  const std::uint64_t from = part.done();
  const HttpEnd end = client_.get(
      {file.url, from, part.etag(), {}},
      [&](const HttpHead& head) {
        if (head.status == 206 && from > 0) {
          again_from_zero = !head.header("content-range").starts_with(fmt::format("bytes {}-", from));
          return !again_from_zero;
        }
        if (head.status == 200) part.restart(head.header("etag"));  // also an answer to Range: from the start
        again_from_zero = head.status == 416;
        return head.status == 200;
      },
      [&](std::span<const char> bytes) {
        part.append(bytes);
        downloaded_ += bytes.size();
        if (options_.progress) options_.progress(file.name, part.done(), file.size);
        return true;
      });
  if (again_from_zero) {
    part.restart({});
    return "the server cannot continue where the connection broke";
  }
  const long status = end.head.status;
  if (end.reached && status != 200 && status != 206 && !may_pass(status)) refuse(end.head);
  if (!end.problem.empty()) return end.problem;
  if (status != 200 && status != 206) return fmt::format("status {}", status);
  return part.whole() ? "" : "the server sent less than it announced";
}

std::uint64_t Downloader::fetch(const DownloadFile& file, const std::filesystem::path& target,
                                const Refuse& refuse) {
  PartFile part(target, file.size, file.hash, [&](std::uint64_t done) {
    if (options_.progress) options_.progress(file.name, done, file.size);
  });
  std::uint64_t resumed_from = part.done(), most = part.done();
  for (int failures = 0;;) {
    if (!part.whole()) {
      const std::string problem = attempt(part, file, refuse);
      if (!problem.empty()) {
        // Only bytes that were never here before count: a server whose file is too short can send it forever.
        failures = part.done() > most ? 1 : failures + 1;
        most = std::max(most, part.done());
        if (failures > options_.retries) {
          fail_source(
              "fetching '{}' broke off at {} of {}: {}; what came is kept, so run the same command again to "
              "continue",
              file.name, size_text(part.done()), size_text(file.size), problem);
        }
        wait_before_retry(failures - 1);
        continue;
      }
    }
    if (part.finish()) return resumed_from;
    if (resumed_from == 0) {
      fail_source("'{}' came with another checksum than it should ({}); the file is deleted, so try again",
                  file.name, file.hash);
    }
    if (options_.note)
      options_.note(fmt::format(
          "the part of '{}' that was fetched earlier is damaged; fetching starts again from the beginning",
          file.name));
    resumed_from = most = 0;
  }
}

void check_room(std::uint64_t needed, const std::filesystem::path& folder, const std::string& what,
                const std::string& remedy) {
  std::error_code error;
  const auto room = std::filesystem::space(folder, error);
  if (error || needed <= room.available) return;
  fail("'{}' needs {}, but the disk of '{}' has only {} left; make room, or {}", what, size_text(needed),
       folder.string(), size_text(room.available), remedy);
}

std::uint64_t bytes_to_come(const std::filesystem::path& target, std::uint64_t size) {
  std::error_code none;
  const std::uint64_t part = std::filesystem::file_size(target.string() + ".incomplete", none);
  return size - (none ? 0 : std::min(part, size));
}

bool is_hash(const std::string& text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace rung::cli
