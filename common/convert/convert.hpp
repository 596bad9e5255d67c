#pragma once
// One model, two kinds of files: a Hugging Face folder as a GGUF file, and back.
//
// The numbers stay as they are; what changes is names, the order of Q's and K's rows (GGUF permutes them
// for some families, see RopePairs), the 1 that Gemma's norms leave out, and the form of the configuration
// and the tokenizer. A model gives the same logits before and after.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "files/gguf_writer.hpp"
#include "model/model.hpp"

namespace rung {

struct ConvertResult {
  std::uint64_t bytes = 0;         // of what was written
  int tensors = 0;                 // how many
  std::vector<std::string> notes;  // what the target cannot say, and what was done about it
};

/// Writes the model at `in` (either kind) as the GGUF file `out`. Matrices keep their format, or become
/// `type`. Throws Error for what GGUF cannot say, and when out cannot be written.
ConvertResult convert_to_gguf(const std::string& in, const std::string& out, std::optional<DType> type,
                              const WriteProgress& progress = {});

/// Writes the model at `in` (either kind) as the Hugging Face folder `out`, which is made. Matrices keep
/// their format where safetensors has it, quantised ones become f32; or all become `type` (f32, f16, bf16).
ConvertResult convert_to_hf(const std::string& in, const std::string& out, std::optional<DType> type,
                            const WriteProgress& progress = {});

}  // namespace rung
