#pragma once
// What every weight is called in files, and which shape it has.

#include <array>
#include <cstdint>
#include <string>

#include "model/families.hpp"
#include "model/model_config.hpp"
#include "model/weights.hpp"

namespace rung {

/// One weight of a layer: its names with {} for the layer's number and without the .weight or .bias at the
/// end. Matrices are [rows, cols], norms [1, cols]; a matrix's bias has `rows` numbers, a norm's `cols`.
struct LayerRole {
  Role role;
  Weight LayerWeights::*field;
  bool is_norm;
  const char* gguf;
  std::array<const char*, 3> hugging_face;  // by HfNames; behind the prefix
  std::int64_t (*rows)(const ModelConfig&);
  std::int64_t (*cols)(const ModelConfig&);

  const char* hf_name(HfNames names) const { return hugging_face[static_cast<std::size_t>(names)]; }
};

const std::array<LayerRole, kRoles>& layer_roles();

/// The tensor that holds a layer's weight, named as in LayerRole: for Q, K and V, or gate and up, the common
/// one where the family stores them one above the other.
struct StoredName {
  const char* gguf;
  const char* hugging_face;
};
StoredName stored_name(const LayerRole& role, const Family& family);

/// One matrix of an expert: names with {} for the layer, and then for the expert where they are apart.
struct ExpertName {
  Tensor ExpertWeights::*field;
  const char* gguf;        // of all experts of a layer, one above the other
  const char* gguf_apart;  // before GGUF stacked them
  const char* hugging_face;
  std::int64_t (*rows)(const ModelConfig&);
  std::int64_t (*cols)(const ModelConfig&);
};
const std::array<ExpertName, 3>& expert_names();

/// The weights outside the layers; those of Hugging Face behind the prefix, the output matrix behind a
/// prefix of its own.
struct TopNames {
  const char* embedding;
  const char* positions;
  const char* output_norm;
  const char* output;
};
const TopNames& gguf_top_names();
const TopNames& hf_top_names(HfNames names);

/// What checkpoints put before their names, depending on how the model was saved.
struct HfPrefix {
  const char* body;
  const char* output;
};
inline constexpr std::array<HfPrefix, 5> kHfPrefixes = {{{"model.", ""},
                                                         {"", ""},
                                                         {"transformer.", ""},
                                                         {"language_model.model.", "language_model."},
                                                         {"model.language_model.", ""}}};

}  // namespace rung
