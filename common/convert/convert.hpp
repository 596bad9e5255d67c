#pragma once
// Converts a model between two kinds of files: a Hugging Face folder and a GGUF file.
//
// The numbers of the weights do not change. The conversion changes their names, the order of the rows of Q
// and K (GGUF permutes them for some families, see RopePairs), the 1 that is added to the weights of Gemma's
// norms, and the form of the configuration and the tokenizer. A model gives the same logits before and after.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "files/gguf_writer.hpp"
#include "model/model.hpp"

namespace rung {

struct ConvertResult {
  std::uint64_t bytes = 0;         // size of the result
  int tensors = 0;                 // number of tensors
  std::vector<std::string> notes;  // properties that the target cannot express, and how they were handled
};

/// Writes the model at `in`, of either kind, as the GGUF file `out`. Matrices keep their format, or are
/// converted to `type`. Throws Error for properties that GGUF cannot express, and if `out` cannot be written.
ConvertResult convert_to_gguf(const std::string& in, const std::string& out, std::optional<DType> type,
                              const WriteProgress& progress = {});

/// Writes the model at `in`, of either kind, as the Hugging Face folder `out`, which it creates. Matrices
/// keep their format if safetensors has it, and quantized ones become f32. If `type` (f32, f16, bf16) is
/// given, all are converted to it.
ConvertResult convert_to_hf(const std::string& in, const std::string& out, std::optional<DType> type,
                            const WriteProgress& progress = {});

}  // namespace rung
