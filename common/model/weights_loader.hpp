#pragma once
// From named tensors to the roles of the forward pass: every weight is asked for with its shape.

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "model/model_config.hpp"
#include "model/tensor_source.hpp"
#include "model/weights.hpp"

namespace rung {

/// The conventions of names; a column of the table in weights.cpp.
enum class Naming { gguf, hugging_face };

/// Memory of the tensors that could not be used as they lie, and its size.
struct ConvertedTensors {
  std::vector<std::unique_ptr<std::byte[]>> buffers;
  std::size_t bytes = 0;
};

/// Name of the output matrix; whether a file has it decides whether its embeddings are tied.
std::string output_tensor_name(Naming naming);

/// Finds, checks and wires all weights. Throws Error naming the tensor, what was found and what was
/// expected; also for a tensor that nobody asked for, because ignoring it would change the model.
ModelWeights load_weights(const ModelConfig& config, const TensorSource& source, Naming naming,
                          ConvertedTensors& converted);

}  // namespace rung
