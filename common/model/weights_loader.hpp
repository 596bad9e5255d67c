#pragma once
// Assigns named tensors to their roles in the forward pass and checks the shape of each.

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "files/tensor_source.hpp"
#include "model/families.hpp"
#include "model/model_config.hpp"
#include "model/weights.hpp"

namespace rung {

/// The two conventions of names and layouts.
enum class Naming : std::uint8_t { gguf, hugging_face };

/// Memory of the tensors that had to be converted, and its size.
struct ConvertedTensors {
  std::vector<std::unique_ptr<std::byte[]>> buffers;
  std::size_t bytes = 0;
};

/// Returns whether a file has a separate output matrix, which decides whether its embeddings are tied.
bool has_output_tensor(const TensorSource& source, Naming naming);

/// Finds, checks and connects all weights. Throws Error, which names the tensor and its actual and expected
/// properties. Also throws Error for a tensor that has no role, because ignoring it would change the model.
/// REQUIRES: config.family.
ModelWeights load_weights(const ModelConfig& config, const TensorSource& source, Naming naming,
                          ConvertedTensors& converted);

}  // namespace rung
