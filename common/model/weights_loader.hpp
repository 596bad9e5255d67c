#pragma once
// From named tensors to the roles of the forward pass: every weight is asked for with its shape.

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

/// Memory of the tensors that could not be used as they lie, and its size.
struct ConvertedTensors {
  std::vector<std::unique_ptr<std::byte[]>> buffers;
  std::size_t bytes = 0;
};

/// Whether a file has an output matrix of its own, which decides whether its embeddings are tied.
bool has_output_tensor(const TensorSource& source, Naming naming);

/// Finds, checks and wires all weights. Throws Error naming the tensor, what was found and what was
/// expected; also for a tensor that nobody asked for, because ignoring it would change the model.
/// REQUIRES: config.family.
ModelWeights load_weights(const ModelConfig& config, const TensorSource& source, Naming naming,
                          ConvertedTensors& converted);

}  // namespace rung
