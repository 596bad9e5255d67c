// The rules of the mixtures follow llama.cpp (src/llama-quant.cpp, llama_tensor_get_type and
// tensor_type_fallback) in the form they have for families other than Falcon: exceptions for 70B models and
// for importance matrices are left out.

#include "convert/quantize_target.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/error.hpp"

namespace rung {
namespace {

struct Mixture {
  std::string_view name;
  DType type;
  std::uint32_t file_type;  // enum llama_ftype
};
constexpr std::array<Mixture, 4> kMixtures = {{
    {"q2_k", DType::q2_k, 10},
    {"q3_k_m", DType::q3_k, 12},
    {"q4_k_m", DType::q4_k, 15},
    {"q5_k_m", DType::q5_k, 17},
}};

/// The layer of blk.N.something; -1 for other names.
int layer_of(std::string_view name) {
  int layer = -1;
  if (name.starts_with("blk.")) std::from_chars(name.data() + 4, name.data() + name.size(), layer);
  return layer;
}

/// The first and last eighth of the layers and every third between them.
bool gets_more_bits(int layer, int layers) {
  return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
}

// With eight experts attention is a small part of a layer: llama.cpp spends more bits on it, at this number.
constexpr int kExpertsOfMixtral = 8;

DType value_type(DType base, const MixtureModel& model, int layer) {
  if (model.experts == kExpertsOfMixtral) return DType::q8_0;
  switch (base) {
    case DType::q2_k:
      return model.heads_per_kv_head >= 4 ? DType::q4_k : DType::q3_k;
    case DType::q3_k:
      return layer < 2 ? DType::q5_k : DType::q4_k;
    default:
      return gets_more_bits(layer, model.layers) ? DType::q6_k : base;
  }
}

DType down_type(DType base, const MixtureModel& model, int layer) {
  switch (base) {
    case DType::q2_k:
      return DType::q3_k;
    case DType::q3_k:
      return layer < model.layers / 16 ? DType::q5_k : DType::q4_k;
    default:
      return gets_more_bits(layer, model.layers) ? DType::q6_k : base;
  }
}

DType attention_output_type(DType base, const MixtureModel& model) {
  if (model.experts == kExpertsOfMixtral) return DType::q5_k;
  if (base == DType::q2_k) return DType::q3_k;
  return base == DType::q3_k ? DType::q4_k : base;
}

DType fused_qkv_type(DType base) {
  if (base == DType::q3_k) return DType::q4_k;
  if (base == DType::q4_k) return DType::q5_k;
  return base == DType::q5_k ? DType::q6_k : base;
}

}  // namespace

QuantizeTarget quantize_target(DType type) {
  return {std::string(traits(type).name), type, false, ggml_type(type).file_type};
}

QuantizeTarget quantize_target(std::string_view name, bool pure) {
  for (const Mixture& mixture : kMixtures) {
    if (mixture.name == name && !pure) return {std::string(name), mixture.type, true, mixture.file_type};
  }
  for (const GgmlType& row : ggml_types()) {
    if (traits(row.dtype).name == name) return quantize_target(row.dtype);
  }
  fail_usage("unknown format '{}'{}; choose one of: {}", name, pure ? " (with --pure)" : "",
             quantize_target_names());
}

std::string quantize_target_names() {
  std::string names;
  for (const GgmlType& row : ggml_types()) {
    names += fmt::format("{}{}", names.empty() ? "" : " | ", traits(row.dtype).name);
  }
  for (const Mixture& mixture : kMixtures) {
    if (mixture.name.ends_with("_m")) names += fmt::format(" | {}", mixture.name);
  }
  return names;
}

MixtureModel mixture_model(const Gguf& gguf) {
  MixtureModel model;
  model.has_output = gguf.find_tensor("output.weight") != nullptr;
  for (const GgufTensor& tensor : gguf.tensors())
    model.layers = std::max(model.layers, layer_of(tensor.name) + 1);
  // The shapes of K and V tell how many query heads share one, whatever the family calls its metadata.
  const GgufTensor* q = gguf.find_tensor("blk.0.attn_q.weight");
  const GgufTensor* v = gguf.find_tensor("blk.0.attn_v.weight");
  if (q != nullptr && v != nullptr && v->view.rows > 0) {
    model.heads_per_kv_head = static_cast<int>(q->view.rows / v->view.rows);
  }
  const GgufTensor* router = gguf.find_tensor("blk.0.ffn_gate_inp.weight");
  if (router != nullptr) model.experts = static_cast<int>(std::min<std::int64_t>(router->view.rows, 1 << 20));
  return model;
}

DType type_for(const QuantizeTarget& target, const MixtureModel& model, std::string_view name) {
  // Tables that are looked up or decide between experts: small, and every error counts.
  if (name.find("ffn_gate_inp") != std::string_view::npos) return DType::f32;
  for (const std::string_view part : {"position_embd", "token_types"}) {
    if (name.find(part) != std::string_view::npos && traits(target.type).block_elements > 1)
      return DType::f32;
  }
  if (!target.mixture) return target.type;
  if (name == "output.weight" || (name == "token_embd.weight" && !model.has_output)) return DType::q6_k;
  const int layer = layer_of(name);
  if (layer < 0) return target.type;
  if (name.ends_with(".attn_v.weight")) return value_type(target.type, model, layer);
  if (name.ends_with(".attn_k.weight") && model.experts == kExpertsOfMixtral) return DType::q8_0;
  if (name.find(".ffn_down") != std::string_view::npos) return down_type(target.type, model, layer);
  if (name.ends_with(".attn_output.weight")) return attention_output_type(target.type, model);
  if (name.ends_with(".attn_qkv.weight")) return fused_qkv_type(target.type);
  return target.type;
}

DType storable_type(DType type, std::int64_t columns) {
  if (columns % traits(type).block_elements == 0) return type;
  DType instead = DType::f16;
  if (type == DType::q2_k || type == DType::q3_k) instead = DType::iq4_nl;
  if (type == DType::q4_k) instead = DType::q5_0;
  if (type == DType::q5_k) instead = DType::q5_1;
  if (type == DType::q6_k) instead = DType::q8_0;
  return columns % traits(instead).block_elements == 0 ? instead : DType::f16;
}

}  // namespace rung
