#include "measure/logit_reference.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "core/error.hpp"
#include "core/printable.hpp"

namespace rung {
namespace {

namespace fs = std::filesystem;
static_assert(std::endian::native == std::endian::little, "the file format is little-endian");

constexpr std::string_view kReferenceMagic = "RUNGREF\n";
constexpr std::uint32_t kReferenceVersion = 1;
constexpr std::uint32_t kMaxName = 4096;
constexpr double kMaxRange = 32;  // nats
constexpr double kLevels = 65535;

template <class T>
void put(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace

std::uint64_t hash_tokens(std::span<const std::int32_t> ids) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (const std::int32_t id : ids) {
    for (int shift = 0; shift < 32; shift += 8) {
      hash ^= (static_cast<std::uint32_t>(id) >> shift) & 0xff;
      hash *= 0x100000001b3ull;
    }
  }
  return hash;
}

void encode_record(std::span<const float> logits, double log_sum, std::int32_t target,
                   std::span<std::byte> record) {
  const auto [low, high] = std::minmax_element(logits.begin(), logits.end());
  const double range = std::min(double{*high} - double{*low}, kMaxRange);
  const auto top = static_cast<float>(*high - log_sum);
  const auto step = static_cast<float>(range / kLevels);
  const auto of_target = static_cast<float>(logits[static_cast<std::size_t>(target)] - log_sum);
  const auto top_id = static_cast<std::uint32_t>(high - logits.begin());
  std::byte* to = record.data();
  std::memcpy(to, &top, 4);
  std::memcpy(to + 4, &step, 4);
  std::memcpy(to + 8, &of_target, 4);
  std::memcpy(to + 12, &top_id, 4);
  const double inverse = step > 0 ? 1.0 / step : 0.0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double q = std::min(std::round((double{*high} - logits[i]) * inverse), kLevels);
    const auto value = static_cast<std::uint16_t>(q);
    std::memcpy(to + 16 + 2 * i, &value, 2);
  }
}

ReferenceRow::ReferenceRow(std::span<const std::byte> record)
    : values_(record.data() + 16),
      vocab_((record.size() - 16) / 2),
      step_(load<float>(record.data() + 4)),
      top_(0),
      target_(load<float>(record.data() + 8)),
      top_id_(load<std::uint32_t>(record.data() + 12)) {
  // The stored top is not used: it follows from the sum, more exactly.
  double sum = 0;
  for (std::size_t i = 0; i < vocab_; ++i) sum += std::exp(log_p(i));
  top_ = -std::log(sum);
}

double ReferenceRow::log_p(std::size_t i) const {
  return top_ - step_ * load<std::uint16_t>(values_ + 2 * i);
}

ReferenceWriter::ReferenceWriter(const std::string& path, const ReferenceHeader& header) : file_(path) {
  std::error_code error;
  const fs::path folder = fs::absolute(path, error).parent_path();
  const auto room = fs::space(folder, error);
  const std::uint64_t bytes = static_cast<std::uint64_t>(header.predictions) * header.record_bytes();
  if (!error && room.available < bytes) {
    fail("'{}' would take {} and its disk has {} left; use fewer --chunks", path, size_text(bytes),
         size_text(room.available));
  }
  std::string head(kReferenceMagic);
  put(head, kReferenceVersion);
  put(head, header.vocab);
  put(head, header.ctx);
  put(head, header.stride);
  put(head, header.windows);
  put(head, header.predictions);
  put(head, header.token_hash);
  const std::string name = header.model.substr(0, kMaxName);
  put(head, static_cast<std::uint32_t>(name.size()));
  head += name;
  file_.write(head);
}

ReferenceReader::ReferenceReader(const std::string& path) : path_(path) {
  std::error_code error;
  if (fs::is_directory(path, error)) fail("'{}' is a folder, not a reference written by --save-logits", path);
  in_.open(path, std::ios::binary);
  if (!in_) fail("cannot read the reference '{}': does it exist, and may you read it?", path);
  constexpr std::size_t kFixed = 8 + 4 * 4 + 3 * 8 + 4;
  std::byte head[kFixed] = {};
  in_.read(reinterpret_cast<char*>(head), kFixed);
  if (!in_ || std::memcmp(head, kReferenceMagic.data(), kReferenceMagic.size()) != 0)
    fail("'{}' is no reference of rung perplexity; write one with --save-logits", path);
  const auto version = load<std::uint32_t>(head + 8);
  if (version != kReferenceVersion) {
    fail("the reference '{}' has format version {}, this program reads version {}; write it again", path,
         version, kReferenceVersion);
  }
  header_.vocab = load<std::uint32_t>(head + 12);
  header_.ctx = load<std::uint32_t>(head + 16);
  header_.stride = load<std::uint32_t>(head + 20);
  header_.windows = load<std::uint64_t>(head + 24);
  header_.predictions = load<std::uint64_t>(head + 32);
  header_.token_hash = load<std::uint64_t>(head + 40);
  const auto name_length = load<std::uint32_t>(head + 48);
  if (name_length > kMaxName) fail("the reference '{}' is damaged: its model's name is too long", path);
  header_.model.resize(name_length);
  in_.read(header_.model.data(), name_length);
  const std::uint64_t size = fs::file_size(path, error);
  const std::uint64_t start = kFixed + name_length, record = header_.record_bytes();
  if (error || !in_ || size < start || (size - start) % record != 0 ||
      (size - start) / record != header_.predictions) {
    fail("the reference '{}' is cut short or damaged: {} bytes for {} predictions; write it again", path,
         size, header_.predictions);
  }
}

void ReferenceReader::require_same_run(const ReferenceHeader& own) const {
  const auto same = [&](const char* what, std::uint64_t theirs, std::uint64_t ours, const char* remedy) {
    if (theirs != ours) {
      fail("the reference '{}' (of {}) has {} {}, this run {}; {}", path_, header_.model, what, theirs, ours,
           remedy);
    }
  };
  same("a vocabulary of", header_.vocab, own.vocab, "only models with one vocabulary can be compared");
  same("--ctx", header_.ctx, own.ctx, "use the same --ctx for both");
  same("--stride", header_.stride, own.stride, "use the same --stride for both");
  if (header_.token_hash != own.token_hash || header_.predictions != own.predictions ||
      header_.windows != own.windows) {
    fail(
        "the reference '{}' (of {}) was made from another text or another --chunks: {} predictions in {} "
        "windows, here {} in {}; use the same -f and --chunks for both",
        path_, header_.model, header_.predictions, header_.windows, own.predictions, own.windows);
  }
}

std::span<const std::byte> ReferenceReader::read(std::size_t count) {
  buffer_.resize(count * header_.record_bytes());
  in_.read(reinterpret_cast<char*>(buffer_.data()), static_cast<std::streamsize>(buffer_.size()));
  if (!in_) fail("reading the reference '{}' failed; was it changed meanwhile?", path_);
  return buffer_;
}

}  // namespace rung
