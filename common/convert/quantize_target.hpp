#pragma once
// What `rung quantize --type NAME` means for each tensor: one format for all matrices, or a mixture in which
// the matrices that lose most get more bits.

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

/// One format for all matrices. Throws UsageError for one that GGUF files cannot hold.
QuantizeTarget quantize_target(DType type);
/// A format or a mixture by name; q2_k is a mixture unless `pure`, as in llama.cpp. Throws UsageError that
/// lists the known names.
QuantizeTarget quantize_target(std::string_view name, bool pure = false);
/// All names that quantize_target() knows, separated by " | ".
std::string quantize_target_names();

/// What the mixtures' rules ask about a model.
struct MixtureModel {
  int layers = 0;
  int heads_per_kv_head = 1;
  bool has_output = true;  // an output matrix of its own, not the embedding
  int experts = 0;         // of a layer
};
MixtureModel mixture_model(const Gguf& gguf);

/// The format of the matrix `name` before its shape is looked at.
DType type_for(const QuantizeTarget& target, const MixtureModel& model, std::string_view name);

/// `type` where rows of `columns` fill its blocks; else the format that llama.cpp takes instead: one of
/// blocks of 32 and at least as many bits, else f16.
DType storable_type(DType type, std::int64_t columns);

}  // namespace rung
