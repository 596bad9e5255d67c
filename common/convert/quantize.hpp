#pragma once
// Stores a model in another number format: GGUF in, GGUF out, one piece of a tensor at a time.

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

/// How the rows of a tensor become blocks: x [n], weights [n] or null, to [bytes_of(type, n)].
struct RowQuantizer {
  std::string name;
  std::function<void(const float* x, const float* weights, void* to, std::int64_t n)> run;
};
/// Asked once per tensor of a block format; `weighted` says whether run() will be given weights. An empty
/// `run` means that it cannot use them: it is asked again without. May throw.
using QuantizerChoice = std::function<RowQuantizer(DType type, bool weighted)>;

/// The formats' own rule: traits(type).from_float.
RowQuantizer nearest_quantizer(DType type, bool weighted);

struct QuantizeResult {
  std::uint64_t bytes_before = 0;  // sizes of the files
  std::uint64_t bytes_after = 0;
  int converted = 0;                 // matrices now in the format that was meant for them
  std::map<std::string, int> types;  // how many tensors of each format the result has
  std::map<std::string, int> rungs;  // how many of them each quantiser, by its name, rounded to blocks
  int weighted = 0;                  // matrices that were rounded by their importance
  std::vector<std::string> notes;    // matrices that had to be stored otherwise, and why
};

/// Writes `in` to `out` with its matrices as `target` says. Vectors become f32; matrices whose rows do not
/// fill the format's blocks get another format (storable_type), with a note. A model in several files becomes
/// one file. Other metadata is copied, general.file_type set. The result does not depend on `threads`.
/// `choose` says who rounds to blocks; with `importance`, whoever it names for a format with weights is given
/// them, and the metadata says so. Throws Error when a value cannot be stored (infinite, NaN, beyond the
/// range of its format), and UsageError when in and out are the same file.
QuantizeResult quantize(const std::string& in, const std::string& out, const QuantizeTarget& target,
                        int threads, const WriteProgress& progress = {},
                        const Importance* importance = nullptr,
                        const QuantizerChoice& choose = nearest_quantizer);
/// The same with one format for all matrices.
QuantizeResult quantize(const std::string& in, const std::string& out, DType type, int threads,
                        const WriteProgress& progress = {});

}  // namespace rung
