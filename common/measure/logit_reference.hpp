#pragma once
// A file with every prediction of a perplexity run: what `--save-logits` writes and `--kl` compares with.
// The idea (16 bits per probability) is that of llama.cpp's perplexity tool; the format is our own.
//
// Little-endian. Header:
//   8 bytes "RUNGREF\n" | u32 version (1) | u32 vocab | u32 ctx | u32 stride | u64 windows | u64 predictions
//   | u64 FNV-1a hash of the token ids (i32) | u32 length of the model's name | the name
// then, for every prediction in order, 16 + 2 * vocab bytes:
//   f32 top: the largest log-probability | f32 step | f32 log-probability of the token that came
//   | u32 id of the largest | u16 q[vocab]
// Token i has log-probability top - q[i] * step, where step = (largest - smallest, at most 32 nats) / 65535.
// An entry is therefore off by at most step / 2 <= 2.5e-4 nats, unless its probability is below e^-32 times
// the largest, which is raised to that. A reader divides by the sum, so that the probabilities add up to 1.

#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "core/output_file.hpp"

namespace rung {

struct ReferenceHeader {
  std::uint32_t vocab = 0, ctx = 0, stride = 0;
  std::uint64_t windows = 0, predictions = 0;
  std::uint64_t token_hash = 0;
  std::string model;

  std::size_t record_bytes() const { return 16 + 2 * std::size_t{vocab}; }
};

std::uint64_t hash_tokens(std::span<const std::int32_t> ids);

/// Encodes one row. `log_sum` is ln(sum of exp(logits)); `record` has record_bytes().
void encode_record(std::span<const float> logits, double log_sum, std::int32_t target,
                   std::span<std::byte> record);

/// One record, readable: log-probabilities of the reference, normalised to sum 1.
class ReferenceRow {
 public:
  explicit ReferenceRow(std::span<const std::byte> record);
  double log_p(std::size_t i) const;
  std::size_t vocab() const { return vocab_; }
  double target_log_p() const { return target_; }
  std::uint32_t top_id() const { return top_id_; }

 private:
  const std::byte* values_;
  std::size_t vocab_;
  double step_, top_, target_;
  std::uint32_t top_id_;
};

/// Writes FILE.incomplete and renames it at the end; an unfinished file is removed.
class ReferenceWriter {
 public:
  /// Throws Error when the file cannot be written or the disk has no room for it.
  ReferenceWriter(const std::string& path, const ReferenceHeader& header);
  void write(std::span<const std::byte> records) { file_.write(records); }
  void finish() { file_.commit(); }

 private:
  OutputFile file_;
};

class ReferenceReader {
 public:
  /// Throws Error when this is no such file, or is cut short.
  explicit ReferenceReader(const std::string& path);
  const ReferenceHeader& header() const { return header_; }
  /// Throws Error, naming what differs, unless the file belongs to the run that `own` describes.
  void require_same_run(const ReferenceHeader& own) const;
  /// The next `count` records.
  std::span<const std::byte> read(std::size_t count);

 private:
  std::string path_;
  std::ifstream in_;
  ReferenceHeader header_;
  std::vector<std::byte> buffer_;
};

}  // namespace rung
