#pragma once
// Published shapes of the Llama family by name, which `rung synth` fills with random weights.

#include <span>
#include <string_view>

namespace rung {

/// A published shape of the Llama family, with the numbers of the model's config.json.
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
  int experts = 0;  // experts per layer, each with ffn_dim; 0: no mixture
  int experts_per_token = 0;
};

std::span<const SynthShape> synth_shapes();
/// Throws UsageError, which lists the known shapes, for an unknown name.
const SynthShape& find_synth_shape(std::string_view name);

}  // namespace rung
