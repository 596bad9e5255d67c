#pragma once
// The meaning of `rung quantize --type NAME` for each tensor: one format for all matrices, or a mixture that
// gives more bits to the matrices that lose most.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/dtype.hpp"
#include "files/gguf.hpp"

namespace rung {

struct QuantizeTarget {
  std::string name;             // "q4_k", "q4_k_m"
  DType type = DType::f32;      // of most matrices
  bool mixture = false;         // some matrices get more bits, see type_for()
  std::uint32_t file_type = 0;  // general.file_type of the result
};

/// Returns a target with one format for all matrices. Throws UsageError for a format that GGUF files cannot
/// contain.
QuantizeTarget quantize_target(DType type);
/// Returns a format or a mixture by its name. q2_k is a mixture unless `pure` is true, as in llama.cpp.
/// Throws UsageError, which lists the known names, for an unknown name.
QuantizeTarget quantize_target(std::string_view name, bool pure = false);
/// Returns all names that quantize_target() knows, separated by " | ".
std::string quantize_target_names();

/// The properties of a model on which the rules of the mixtures depend.
struct MixtureModel {
  int layers = 0;
  int heads_per_kv_head = 1;
  bool has_output = true;  // the output matrix is not the embedding matrix
  int experts = 0;         // experts per layer
};
MixtureModel mixture_model(const Gguf& gguf);

/// Returns the format of the matrix `name`, without considering its shape.
DType type_for(const QuantizeTarget& target, const MixtureModel& model, std::string_view name);

/// Returns `type` if rows of `columns` numbers fill its blocks. Otherwise returns the format that llama.cpp
/// uses instead: a format with blocks of 32 and at least as many bits, or else f16.
DType storable_type(DType type, std::int64_t columns);

}  // namespace rung
