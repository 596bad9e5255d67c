#pragma once
// A file with all predictions of a perplexity run. `--save-logits` writes it, and `--kl` compares with it.
// The idea, 16 bits per probability, is from llama.cpp's perplexity tool; the format is Rung's own.
//
// Little-endian. Header:
//   8 bytes "RUNGREF\n" | u32 version (1) | u32 vocab | u32 ctx | u32 stride | u64 windows | u64 predictions
//   | u64 FNV-1a hash of the token ids (i32) | u32 length of the model's name | the name
// Then 16 + 2 * vocab bytes for each prediction, in order:
//   f32 top: the largest log-probability | f32 step | f32 log-probability of the token that came
//   | u32 id of the largest | u16 q[vocab]
// Token i has the log-probability top - q[i] * step, where step = (largest - smallest, at most 32 nats) /
// 65535. An entry is therefore off by at most step / 2 <= 2.5e-4 nats. The exception is a probability below
// e^-32 times the largest, which is raised to this value. A reader divides by the sum, so that the
// probabilities add up to 1.

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

/// Encodes one row of logits. `log_sum` is ln(sum of exp(logits)). `record` has record_bytes() bytes.
void encode_record(std::span<const float> logits, double log_sum, std::int32_t target,
                   std::span<std::byte> record);

/// Reads one record: the log-probabilities of the reference, normalized so that the probabilities add up to
/// 1. Does not own the bytes of the record.
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

/// Writes FILE.incomplete and renames it at the end. An unfinished file is removed.
class ReferenceWriter {
 public:
  /// Throws Error if the file cannot be written or the disk does not have room for it.
  ReferenceWriter(const std::string& path, const ReferenceHeader& header);
  void write(std::span<const std::byte> records) { file_.write(records); }
  void finish() { file_.commit(); }

 private:
  OutputFile file_;
};

class ReferenceReader {
 public:
  /// Throws Error if the file is not a reference file or is incomplete.
  explicit ReferenceReader(const std::string& path);
  const ReferenceHeader& header() const { return header_; }
  /// Throws Error, which names the difference, if the file does not belong to the run that `own` describes.
  void require_same_run(const ReferenceHeader& own) const;
  /// Reads the next `count` records. The result is valid until the next call.
  std::span<const std::byte> read(std::size_t count);

 private:
  std::string path_;
  std::ifstream in_;
  ReferenceHeader header_;
  std::vector<std::byte> buffer_;
};

}  // namespace rung
