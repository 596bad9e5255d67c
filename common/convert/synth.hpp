#pragma once
// Creates models with random weights in published shapes. Speed and memory do not depend on the values of the
// weights, so such a model can be measured without downloading the real one.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/dtype.hpp"
#include "files/gguf_writer.hpp"

namespace rung {

/// Writes a GGUF with random matrices in `type` (or its storable_type()) and norms in f32, and returns its
/// size in bytes. The bytes depend on shape, type and seed, but not on `threads`. The vocabulary has numbered
/// words and the 256 byte tokens, so that any prompt can be encoded.
std::uint64_t synth(const std::string& out, std::string_view shape, DType type, std::uint64_t seed,
                    int threads, const WriteProgress& progress = {});

}  // namespace rung
