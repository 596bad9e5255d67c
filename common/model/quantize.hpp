#pragma once
// Stores a model in another number format: GGUF in, GGUF out, one piece of a tensor at a time.

#include <cstdint>
#include <string>
#include <vector>

#include "core/dtype.hpp"
#include "model/gguf_writer.hpp"

namespace rung {

struct QuantizeResult {
  std::uint64_t bytes_before = 0;  // sizes of the files
  std::uint64_t bytes_after = 0;
  int converted = 0;               // matrices now in the type asked for
  std::vector<std::string> notes;  // matrices that had to be stored otherwise, and why
};

/// Writes `in` to `out` with its matrices in `type` (f32, f16, bf16, q8_0, q4_0). Vectors become f32;
/// matrices whose rows are no multiple of the block size become f16, with a note. Metadata is copied,
/// general.file_type set. The result does not depend on `threads`.
/// Throws Error when a value cannot be stored (infinite, NaN, beyond the range of `type`), and
/// UsageError when in and out are the same file.
QuantizeResult quantize(const std::string& in, const std::string& out, DType type, int threads,
                        const WriteProgress& progress = {});

}  // namespace rung
