#pragma once
// Stores a model in another number format: GGUF in, GGUF out, one piece of a tensor at a time.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/dtype.hpp"
#include "model/gguf_writer.hpp"
#include "model/importance.hpp"
#include "model/quantize_target.hpp"

namespace rung {

struct QuantizeResult {
  std::uint64_t bytes_before = 0;  // sizes of the files
  std::uint64_t bytes_after = 0;
  int converted = 0;                 // matrices now in the format that was meant for them
  std::map<std::string, int> types;  // how many tensors of each format the result has
  int weighted = 0;                  // matrices that were rounded by their importance
  std::vector<std::string> notes;    // matrices that had to be stored otherwise, and why
};

/// Writes `in` to `out` with its matrices as `target` says. Vectors become f32; matrices whose rows do not
/// fill the format's blocks get another format (storable_type), with a note. A model in several files becomes
/// one file. Other metadata is copied, general.file_type set. The result does not depend on `threads`. With
/// `importance`, matrices in K formats are rounded by it, and the metadata says so. Throws
/// Error when a value cannot be stored (infinite, NaN, beyond the range of its format), and UsageError when
/// in and out are the same file.
QuantizeResult quantize(const std::string& in, const std::string& out, const QuantizeTarget& target,
                        int threads, const WriteProgress& progress = {},
                        const Importance* importance = nullptr);
/// The same with one format for all matrices.
QuantizeResult quantize(const std::string& in, const std::string& out, DType type, int threads,
                        const WriteProgress& progress = {});

}  // namespace rung
