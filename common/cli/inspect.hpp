#pragma once
// What rung inspect reports about a model file or folder.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/cli.hpp"

namespace rung::cli {

struct InspectedTensor {
  std::string name, type;
  std::vector<std::int64_t> shape;  // slowest dimension first
  std::size_t bytes = 0;
  double share = 0;  // of the bytes of all tensors

  std::int64_t elements() const;
};

/// All tensors of one type.
struct InspectedType {
  std::string type;
  std::size_t tensors = 0, bytes = 0;
  std::int64_t elements = 0;
  double share = 0;  // of the bytes of all tensors

  double bits_per_weight() const;
};

/// The model that the engine makes of the file.
struct InspectedModel {
  ModelConfig config;
  std::int64_t parameters = 0, active_parameters = 0;  // active: those that one token uses
  std::string tokenizer;
  std::size_t weights_bytes = 0, converted_bytes = 0;

  std::int64_t kv_bytes_per_token() const;  // with 16-bit keys and values
  std::string kv_formula() const;
  /// Lengths up to the model's context, each with the bytes of a sequence of that many tokens.
  std::vector<std::pair<std::int64_t, std::int64_t>> kv_contexts() const;
};

struct InspectReport {
  std::string path, format;
  std::vector<std::pair<std::string, std::string>> metadata;  // in the order of the file
  std::vector<InspectedTensor> tensors;
  std::vector<InspectedType> types;     // by name
  std::size_t tensor_bytes = 0;         // of all tensors
  std::optional<InspectedModel> model;  // absent if the engine cannot run it, for example a vocabulary
  std::string not_runnable;             // the reason then
};

/// Reads a GGUF file or a Hugging Face folder. Throws Error if it cannot be read.
InspectReport inspect(const std::string& path);
Json to_json(const InspectReport& report);
/// The fields of the model by name, in the order in which JSON and text list them.
Json model_json(const InspectedModel& model);
/// `all`: one line for each tensor and long metadata in full, instead of one line for the same tensor of all
/// layers.
void print(const InspectReport& report, bool all);

}  // namespace rung::cli
