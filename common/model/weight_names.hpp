#pragma once
// The name of every weight in files, and its shape.

#include <array>
#include <cstdint>
#include <string>

#include "model/families.hpp"
#include "model/model_config.hpp"
#include "model/weights.hpp"

namespace rung {

/// One weight of a layer. In its names, {} stands for the number of the layer, and .weight or .bias at the
/// end is left out. Matrices are [rows, cols], and norms are [1, cols]. The bias of a matrix has `rows`
/// numbers, and that of a norm has `cols`.
struct LayerRole {
  Role role;
  Weight LayerWeights::*field;
  bool is_norm;
  const char* gguf;
  std::array<const char*, 3> hugging_face;  // by HfNames, without the prefix
  std::int64_t (*rows)(const ModelConfig&);
  std::int64_t (*cols)(const ModelConfig&);

  const char* hf_name(HfNames names) const { return hugging_face[static_cast<std::size_t>(names)]; }
};

const std::array<LayerRole, kRoles>& layer_roles();

/// The tensor that contains a weight of a layer, named as in LayerRole. For Q, K and V, or gate and up, this
/// is the common tensor if the family stores them one above the other.
struct StoredName {
  const char* gguf;
  const char* hugging_face;
};
StoredName stored_name(const LayerRole& role, const Family& family);

/// One matrix of an expert. In its names, {} stands for the layer and, if experts are stored separately, a
/// second {} stands for the expert.
struct ExpertName {
  Tensor ExpertWeights::*field;
  const char* gguf;        // all experts of a layer, one above the other
  const char* gguf_apart;  // one expert, in older GGUF files
  const char* hugging_face;
  std::int64_t (*rows)(const ModelConfig&);
  std::int64_t (*cols)(const ModelConfig&);
};
const std::array<ExpertName, 3>& expert_names();

/// The weights outside the layers. The names of Hugging Face follow a prefix, and that of the output matrix
/// follows its own prefix.
struct TopNames {
  const char* embedding;
  const char* positions;
  const char* output_norm;
  const char* output;
};
const TopNames& gguf_top_names();
const TopNames& hf_top_names(HfNames names);

/// The prefixes of names in checkpoints, which depend on how the model was saved.
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
