// The workloads of `loading`: files of odd sizes, memory that must stay shared and be given back, and the
// timed ones: how long until the first bytes of a file, and until all of them, can be used.
//
// Bytes are integers, so the tolerance is zero. Files are written to the system's temporary folder; "cold"
// means that their pages were dropped from the cache before each call (posix_fadvise), which a folder in
// memory ignores.

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/printable.hpp"
#include "core/process_memory.hpp"
#include "llama_cpp.hpp"
#include "scratch_file.hpp"

namespace rung::llama_cpp {
namespace {

constexpr std::size_t kTimedBytes = std::size_t{256} << 20;
constexpr std::size_t kSharedBytes = std::size_t{64} << 20;
constexpr std::size_t kSlackBytes = std::size_t{8} << 20;  // what else a process may take meanwhile

/// Reads every byte, as a forward pass reads weights: eight at a time, so that memory is what it waits for.
/// The sum of a piece's words and odd bytes.
std::uint64_t sum_of(std::span<const std::byte> bytes, int threads) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  const std::size_t pieces = (bytes.size() + kPiece - 1) / kPiece;
  std::vector<std::uint64_t> sums(pieces);
  parallel_for(threads, static_cast<std::int64_t>(pieces), [&](std::int64_t p) {
    const auto piece = bytes.subspan(static_cast<std::size_t>(p) * kPiece)
                           .first(std::min(kPiece, bytes.size() - static_cast<std::size_t>(p) * kPiece));
    std::uint64_t sum = 0;
    std::size_t i = 0;
    for (std::uint64_t word = 0; i + sizeof word <= piece.size(); i += sizeof word) {
      std::memcpy(&word, piece.data() + i, sizeof word);
      sum += word;
    }
    for (; i < piece.size(); ++i) sum += std::to_integer<std::uint64_t>(piece[i]);
    sums[static_cast<std::size_t>(p)] = sum;
  });
  return std::accumulate(sums.begin(), sums.end(), std::uint64_t{0});
}

Verdict failed(const std::string& name, std::size_t size, const char* index, double expected, double got) {
  return Verdict().fail(mismatch(name, fmt::format("{} byte", size), index, fmt::format("{:.0f}", expected),
                                 fmt::format("{:.0f}", got)));
}

std::unique_ptr<Loading> make(const Ladder<Loading>& ladder, const std::string& rung, LoadingConfig config) {
  return ladder.make(rung, config);
}

/// Size, place and every byte, after the file has lost its name.
Verdict judge_content(const Ladder<Loading>& ladder, const std::string& name, std::size_t size,
                      const std::string& rung) {
  std::shared_ptr<const FileBytes> file;
  {
    const ScratchFile scratch(size);
    file = make(ladder, rung, {})->open(scratch.path());
    if (file->path() != scratch.path()) return failed(name, size, "its path", 1, 0);
  }
  const auto bytes = file->bytes();
  if (bytes.size() != size) {
    return failed(name, size, "number of bytes", static_cast<double>(size),
                  static_cast<double>(bytes.size()));
  }
  const auto place = static_cast<double>(reinterpret_cast<std::uintptr_t>(bytes.data()) % 64);
  if (place != 0) return failed(name, size, "address modulo 64", 0, place);
  std::vector<float> got(size);
  std::vector<double> expected(size);
  for (std::size_t i = 0; i < size; ++i) {
    got[i] = static_cast<float>(std::to_integer<int>(bytes[i]));
    expected[i] = byte_at(i);
  }
  return compare(name, {{"byte", static_cast<std::int64_t>(size)}}, got, expected, std::vector<double>{0});
}

/// The pages must be the system's, not ours, and must be given back.
Verdict judge_memory(const Ladder<Loading>& ladder, const std::string& name, const std::string& rung) {
  if (!ladder.supports(rung, {true})) return Verdict::unsupported();
  const ScratchFile scratch(kSharedBytes);
  const auto loading = make(ladder, rung, {true});
  const ProcessMemory before = process_memory();
  auto file = loading->open(scratch.path());
  const std::uint64_t sum = sum_of(file->bytes(), 1);
  const ProcessMemory open = process_memory();
  file.reset();
  const ProcessMemory after = process_memory();
  const auto grown = [](std::size_t from, std::size_t to) {
    return to > from ? static_cast<double>(to - from) : 0.0;
  };
  if (sum == 0) return failed(name, kSharedBytes, "sum of all bytes", 1, 0);
  if (grown(before.private_bytes, open.private_bytes) > static_cast<double>(kSlackBytes)) {
    return failed(name, kSharedBytes, "private bytes", 0, grown(before.private_bytes, open.private_bytes));
  }
  if (grown(before.file_bytes, after.file_bytes) > static_cast<double>(kSlackBytes)) {
    return failed(name, kSharedBytes, "bytes still mapped afterwards", 0,
                  grown(before.file_bytes, after.file_bytes));
  }
  return {};
}

struct Timed {
  const char* name;
  std::size_t first_bytes;  // how many are used
  bool cold;
};
constexpr Timed kTimed[] = {{"first 64 KB of 256 MB, warm", std::size_t{64} << 10, false},
                            {"all of 256 MB, warm", kTimedBytes, false},
                            {"all of 256 MB, cold", kTimedBytes, true}};

std::function<void()> prepare(const Ladder<Loading>& ladder, const Timed& timed, const std::string& rung,
                              int threads) {
  // All rungs share one file, which exists as long as one of them is timed.
  static std::weak_ptr<const ScratchFile> shared;
  std::shared_ptr<const ScratchFile> scratch = shared.lock();
  if (scratch == nullptr) {
    scratch = std::make_shared<const ScratchFile>(kTimedBytes);
    scratch->drop_pages(false);
    shared = scratch;
  }
  const std::shared_ptr<Loading> loading = make(ladder, rung, {});
  return [scratch, loading, timed, threads] {
    if (timed.cold) scratch->drop_pages(true);
    const auto file = loading->open(scratch->path());
    volatile std::uint64_t sum = sum_of(file->bytes().first(timed.first_bytes), threads);
    static_cast<void>(sum);
  };
}

}  // namespace

std::vector<Trial> make_trials(const Ladder<Loading>& ladder) {
  std::vector<Trial> trials;
  for (const std::size_t size : {std::size_t{1}, std::size_t{63}, std::size_t{4096}, std::size_t{4097},
                                 std::size_t{10001}, (std::size_t{3} << 20) + 5}) {
    Trial trial;
    trial.name = "a file of " + counted(static_cast<std::int64_t>(size), "byte");
    trial.work.bytes = static_cast<double>(size);
    trial.judge = judging([&ladder, name = trial.name, size](const std::string& rung, int) {
      return judge_content(ladder, name, size, rung);
    });
    trials.push_back(std::move(trial));
  }
  Trial memory;
  memory.name = "64 MB in shared pages, given back";
  memory.judge = judging([&ladder, name = memory.name](const std::string& rung, int) {
    return judge_memory(ladder, name, rung);
  });
  trials.push_back(std::move(memory));
  for (const Timed& timed : kTimed) {
    Trial trial;
    trial.name = timed.name;
    trial.timed = true;
    trial.work.bytes = static_cast<double>(timed.first_bytes);
    // The timed file is large, so the bytes are compared on a smaller file, which takes less than a second.
    trial.judge = judging([&ladder, name = trial.name](const std::string& rung, int) {
      return judge_content(ladder, name, (std::size_t{2} << 20) + 77, rung);
    });
    trial.prepare = [&ladder, timed](const std::string& rung, int threads) {
      return prepare(ladder, timed, rung, threads);
    };
    trials.push_back(std::move(trial));
  }
  return trials;
}

}  // namespace rung::llama_cpp
