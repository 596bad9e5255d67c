#include "engine/packed_file.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/printable.hpp"
#include "core/timer.hpp"
#include "files/json_file.hpp"

namespace rung {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::string_view kPackedMagic = "RUNGPACK";
constexpr std::uint32_t kPackedVersion = 1;
constexpr std::uint64_t kAlignment = 64;  // a cache line: what rungs ask for

struct Prefix {
  char magic[8];
  std::uint32_t version, header_bytes;
  std::uint64_t header_checksum;
};
static_assert(sizeof(Prefix) == 24);

std::uint64_t aligned(std::uint64_t at) { return (at + kAlignment - 1) / kAlignment * kAlignment; }

std::span<const std::byte> bytes_of_text(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string file_path(std::string model, const std::string& rungs) {
  while (model.size() > 1 && model.back() == '/') model.pop_back();
  return model + ".packed-" + rungs;
}

}  // namespace

// Four chains side by side, because a multiplication takes three cycles. Each step is one-to-one in the word
// and in the chain, so one changed word cannot be made good by what follows.
std::uint64_t PackedFile::checksum(std::span<const std::byte> bytes) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  std::uint64_t chain[4] = {1, 2, 3, 4};
  const auto step = [&chain](const std::byte* from, std::size_t count) {
    std::uint64_t words[4] = {};
    std::memcpy(words, from, count);
    for (int i = 0; i < 4; ++i) {
      chain[i] = (chain[i] ^ words[i]) * kOdd;
      chain[i] ^= chain[i] >> 32;
    }
  };
  std::size_t at = 0;
  for (; at + 32 <= bytes.size(); at += 32) step(bytes.data() + at, 32);
  if (at < bytes.size()) step(bytes.data() + at, bytes.size() - at);
  std::uint64_t all = bytes.size();
  for (const std::uint64_t one : chain) all = (all ^ one) * kOdd ^ (all >> 29);
  return all;
}

PackedFile::PackedFile(const Model& model, const std::string& rungs, int threads, Notice notice)
    : model_(model), path_(file_path(model.path, rungs)), threads_(threads), notice_(std::move(notice)) {
  for (const auto& file : model.files) {
    struct stat status {};
    if (::stat(file->path().c_str(), &status) != 0) continue;  // gone since it was mapped: matches nothing
    sources_.push_back({fs::path(file->path()).filename().string(), file->bytes().size(),
                        std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec});
  }
  std::error_code ignored;
  if (!fs::exists(path_, ignored)) return;
  try {
    read(threads);
  } catch (const std::exception& error) {
    sections_.clear();
    mapped_.reset();
    say(fmt::format("the packed weights of an earlier run are not used and will be written anew: {}",
                    error.what()));
  }
}

void PackedFile::read(int threads) {
  mapped_ = std::make_unique<MappedFile>(path_);
  const std::span<const std::byte> all = mapped_->bytes();
  Prefix prefix{};
  if (all.size() < sizeof prefix) fail("{} is cut off: it has {} bytes", path_, all.size());
  std::memcpy(&prefix, all.data(), sizeof prefix);
  if (std::string_view(prefix.magic, sizeof prefix.magic) != kPackedMagic)
    fail("{} is something else: it does not begin with {}", path_, kPackedMagic);
  if (prefix.version != kPackedVersion)
    fail("{} has version {}, this program writes version {}", path_, prefix.version, kPackedVersion);
  if (prefix.header_bytes > all.size() - sizeof prefix) fail("{} is cut off within its header", path_);
  const auto header_bytes = all.subspan(sizeof prefix, prefix.header_bytes);
  if (checksum(header_bytes) != prefix.header_checksum)
    fail("{} is damaged: its header has another checksum than it says", path_);

  const Json header =
      parse_json({reinterpret_cast<const char*>(header_bytes.data()), header_bytes.size()}, path_);
  std::vector<Source> sources;
  for (const Json& s : header.at("source"))
    sources.push_back({s.at("file"), s.at("bytes"), s.at("modified_ns")});
  if (sources != sources_)
    fail("the model has changed since {} was written (another size, name or time of its files)", path_);
  std::vector<std::uint64_t> expected;
  for (const Json& s : header.at("sections")) {
    const std::uint64_t at = s.at("at"), bytes = s.at("bytes");
    if (at % kAlignment != 0 || at > all.size() || bytes > all.size() - at)
      fail("{} is cut off: a section ends at byte {} of {}", path_, at + bytes, all.size());
    sections_.push_back(
        {{s.at("file"), s.at("offset"), s.at("dtype"), s.at("rows"), s.at("cols"), s.at("layout")},
         all.subspan(at, bytes)});
    expected.push_back(s.at("checksum"));
  }
  // Reads every byte, which decoding the first token would do otherwise.
  std::vector<char> damaged(sections_.size());
  parallel_for_dynamic(threads, static_cast<std::int64_t>(sections_.size()), [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    damaged[at] = checksum(sections_[at].bytes) != expected[at];
  });
  const auto bad = std::count(damaged.begin(), damaged.end(), 1);
  if (bad > 0) fail("{} is damaged: {} of its {} sections have another checksum", path_, bad, damaged.size());
}

PackedFile::Key PackedFile::key_of(const Tensor& weight, std::string_view layout) const {
  const auto* begin = static_cast<const std::byte*>(weight.data);
  for (std::size_t i = 0; i < model_.files.size() && sources_.size() == model_.files.size(); ++i) {
    const std::span<const std::byte> file = model_.files[i]->bytes();
    const std::less_equal<> not_after;  // defined for pointers into different objects too
    if (not_after(file.data(), begin) && not_after(begin + weight.bytes(), file.data() + file.size())) {
      return {static_cast<int>(i),
              static_cast<std::uint64_t>(begin - file.data()),
              std::string(traits(weight.dtype).name),
              weight.rows,
              weight.cols,
              std::string(layout)};
    }
  }
  return {};
}

std::span<const std::byte> PackedFile::find(const Tensor& weight, std::string_view layout,
                                            std::size_t bytes) {
  const Key key = key_of(weight, layout);
  if (key.file < 0) return {};
  const auto same = [&](const Section& s) { return s.key == key && s.bytes.size() == bytes; };
  const auto found = std::find_if(sections_.begin(), sections_.end(), same);
  if (found == sections_.end()) return {};
  found_bytes_ += bytes;
  return found->bytes;
}

void PackedFile::add(const Tensor& weight, std::string_view layout, std::span<const std::byte> copy) {
  Key key = key_of(weight, layout);
  if (key.file < 0) return;  // a converted weight: its address says nothing
  sections_.push_back({std::move(key), copy});
  added_ = true;
}

void PackedFile::save() {
  if (!std::exchange(added_, false)) return;
  try {
    const Timer timer;
    OutputFile file(path_);
    write(file);
    file.commit(OutputFile::Durable::no);  // it has checksums, and can be made again
    say(fmt::format("packed weights written to {} ({}, {:.2f} s)", path_, size_text(fs::file_size(path_)),
                    timer.seconds()));
  } catch (const std::exception& error) {
    say(fmt::format("the packed weights are not kept, the next run makes them again: {}", error.what()));
  }
}

void PackedFile::write(OutputFile& out) const {
  std::vector<std::uint64_t> sums(sections_.size());
  parallel_for_dynamic(threads_, static_cast<std::int64_t>(sections_.size()), [&](std::int64_t i) {
    sums[static_cast<std::size_t>(i)] = checksum(sections_[static_cast<std::size_t>(i)].bytes);
  });
  // The sections' places depend on the header's length and stand in it: numbers are written as wide as they
  // can get, and what is left of the room is spaces, which JSON allows.
  const std::size_t room = 256 + 256 * sources_.size() + 512 * sections_.size();
  Json header = {{"source", Json::array()}, {"sections", Json::array()}};
  for (const Source& s : sources_)
    header["source"].push_back({{"file", s.file}, {"bytes", s.bytes}, {"modified_ns", s.modified_ns}});
  std::uint64_t at = aligned(sizeof(Prefix) + room);
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    const Section& s = sections_[i];
    header["sections"].push_back({{"file", s.key.file},
                                  {"offset", s.key.offset},
                                  {"dtype", s.key.dtype},
                                  {"rows", s.key.rows},
                                  {"cols", s.key.cols},
                                  {"layout", s.key.layout},
                                  {"at", at},
                                  {"bytes", s.bytes.size()},
                                  {"checksum", sums[i]}});
    at = aligned(at + s.bytes.size());
  }
  std::string text = header.dump();
  if (text.size() > room) fail("the names of the model's files are too long for {}", path_);
  text.resize(room, ' ');

  std::error_code unknown;
  const auto disk = fs::space(fs::absolute(path_, unknown).parent_path(), unknown);
  if (!unknown && disk.available < at) {
    fail("{} would take {} and its disk has {} left", path_, size_text(at), size_text(disk.available));
  }
  Prefix prefix{{}, kPackedVersion, static_cast<std::uint32_t>(room), checksum(bytes_of_text(text))};
  std::memcpy(prefix.magic, kPackedMagic.data(), kPackedMagic.size());
  out.write(std::as_bytes(std::span(&prefix, 1)));
  out.write(text);
  const std::array<std::byte, kAlignment> zeros{};
  for (const Section& s : sections_) {
    out.write(std::span(zeros).first(aligned(out.written()) - out.written()));
    out.write(s.bytes);
  }
}

void PackedFile::say(const std::string& sentence) const {
  if (notice_) notice_(sentence);
}

}  // namespace rung
