#pragma once
// Writes a GGUF file with the matrices of another GGUF file in another number format. Reads and writes one
// piece of a tensor at a time.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "convert/importance.hpp"
#include "convert/quantize_target.hpp"
#include "core/dtype.hpp"
#include "files/gguf_writer.hpp"

namespace rung {

/// Rounds the rows of a tensor to blocks: x [n] and weights [n], or null, to [bytes_of(type, n)].
struct RowQuantizer {
  std::string name;
  std::function<void(const float* x, const float* weights, void* to, std::int64_t n)> run;
};
/// Called once per tensor of a block format. `weighted` says whether run() will receive weights. An empty
/// `run` means that the quantizer cannot use weights, and it is then requested again without them. Can throw.
using QuantizerChoice = std::function<RowQuantizer(DType type, bool weighted)>;

/// Returns the quantizer that uses the format's own rule, traits(type).from_float.
RowQuantizer nearest_quantizer(DType type, bool weighted);

struct QuantizeResult {
  std::uint64_t bytes_before = 0;  // sizes of the files in bytes
  std::uint64_t bytes_after = 0;
  int converted = 0;                 // number of matrices that are in the intended format
  std::map<std::string, int> types;  // number of tensors of the result, by format
  std::map<std::string, int> rungs;  // number of tensors that each quantizer rounded to blocks, by its name
  int weighted = 0;                  // number of matrices that were rounded by importance
  std::vector<std::string> notes;    // matrices that are stored in another format, and why
};

/// Writes `in` to `out`, with matrices in the formats of `target`. Vectors become f32. A matrix whose rows do
/// not fill the format's blocks gets another format (storable_type), with a note. A model in several files
/// becomes one file. Other metadata is copied, and general.file_type is set. The result does not depend on
/// `threads`. `choose` selects the quantizer that rounds to blocks. If `importance` is given, quantizers that
/// can use weights receive them, and the metadata says so. Throws Error if a value cannot be stored
/// (infinite, NaN, or outside the range of its format), and UsageError if `in` and `out` are the same file.
QuantizeResult quantize(const std::string& in, const std::string& out, const QuantizeTarget& target,
                        int threads, const WriteProgress& progress = {},
                        const Importance* importance = nullptr,
                        const QuantizerChoice& choose = nearest_quantizer);
/// Does the same with one format for all matrices.
QuantizeResult quantize(const std::string& in, const std::string& out, DType type, int threads,
                        const WriteProgress& progress = {});

}  // namespace rung
