#pragma once
// Models with random weights in published shapes: speed and memory do not depend on what the weights
// are, so a model need not be fetched to be measured.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/dtype.hpp"
#include "files/gguf_writer.hpp"

namespace rung {

/// Writes a GGUF with random matrices in `type` (in storable_type() of it) and norms in f32, returns its
/// size. The bytes depend on shape, type and seed, not on `threads`. The vocabulary has the 256 byte tokens,
/// so that any prompt can be encoded, and numbered words.
std::uint64_t synth(const std::string& out, std::string_view shape, DType type, std::uint64_t seed,
                    int threads, const WriteProgress& progress = {});

}  // namespace rung
