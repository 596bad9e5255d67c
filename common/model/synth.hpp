#pragma once
// Models with random weights in published shapes: speed and memory do not depend on what the weights
// are, so a model need not be fetched to be measured.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/dtype.hpp"
#include "model/gguf_writer.hpp"

namespace rung {

/// A published shape of the Llama family; the numbers stand in the model's config.json.
struct SynthShape {
  std::string_view name;
  int dim;
  int layers;
  int heads;
  int kv_heads;
  int ffn_dim;
  int vocab_size;
  int context_length;
  float rope_theta;
  bool tied_embeddings;
  int experts = 0;  // of a layer, each of ffn_dim; 0: no mixture
  int experts_per_token = 0;
};

std::span<const SynthShape> synth_shapes();
/// Throws UsageError that lists the known shapes.
const SynthShape& find_synth_shape(std::string_view name);

/// Writes a GGUF with random matrices in `type` (in storable_type() of it) and norms in f32, returns its
/// size. The bytes depend on shape, type and seed, not on `threads`. The vocabulary has the 256 byte tokens,
/// so that any prompt can be encoded, and numbered words.
std::uint64_t synth(const std::string& out, std::string_view shape, DType type, std::uint64_t seed,
                    int threads, const WriteProgress& progress = {});

}  // namespace rung
