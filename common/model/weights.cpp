#include "model/weights.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <set>

#include "core/error.hpp"
#include "model/weights_loader.hpp"

namespace rung {
namespace {

enum class Kind { matrix, norm };

/// One weight of a layer: its names with {} for the layer's number, and its shape.
struct LayerRole {
  Tensor LayerWeights::*field;
  Kind kind;
  const char* gguf;
  const char* hugging_face;
  std::int64_t (*rows)(const ModelConfig&);
  std::int64_t (*cols)(const ModelConfig&);
};

std::int64_t one(const ModelConfig&) { return 1; }
std::int64_t dim(const ModelConfig& c) { return c.dim; }
std::int64_t ffn(const ModelConfig& c) { return c.ffn_dim; }
std::int64_t query(const ModelConfig& c) { return std::int64_t{c.heads} * c.head_dim; }
std::int64_t key(const ModelConfig& c) { return std::int64_t{c.kv_heads} * c.head_dim; }

using L = LayerWeights;
constexpr std::array<LayerRole, 9> kLayerRoles = {{
    {&L::attn_norm, Kind::norm, "blk.{}.attn_norm.weight", "model.layers.{}.input_layernorm.weight", one,
     dim},
    {&L::q, Kind::matrix, "blk.{}.attn_q.weight", "model.layers.{}.self_attn.q_proj.weight", query, dim},
    {&L::k, Kind::matrix, "blk.{}.attn_k.weight", "model.layers.{}.self_attn.k_proj.weight", key, dim},
    {&L::v, Kind::matrix, "blk.{}.attn_v.weight", "model.layers.{}.self_attn.v_proj.weight", key, dim},
    {&L::attn_out, Kind::matrix, "blk.{}.attn_output.weight", "model.layers.{}.self_attn.o_proj.weight", dim,
     query},
    {&L::ffn_norm, Kind::norm, "blk.{}.ffn_norm.weight", "model.layers.{}.post_attention_layernorm.weight",
     one, dim},
    {&L::gate, Kind::matrix, "blk.{}.ffn_gate.weight", "model.layers.{}.mlp.gate_proj.weight", ffn, dim},
    {&L::up, Kind::matrix, "blk.{}.ffn_up.weight", "model.layers.{}.mlp.up_proj.weight", ffn, dim},
    {&L::down, Kind::matrix, "blk.{}.ffn_down.weight", "model.layers.{}.mlp.down_proj.weight", dim, ffn},
}};

/// The weights outside the layers.
struct TopNames {
  const char* embedding;
  const char* output_norm;
  const char* output;
};
constexpr TopNames kGgufTop = {"token_embd.weight", "output_norm.weight", "output.weight"};
constexpr TopNames kHfTop = {"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"};

const TopNames& top_names(Naming naming) { return naming == Naming::gguf ? kGgufTop : kHfTop; }

/// Tables of angles that old converters stored; the engine computes them from rope_theta.
bool is_ignorable(std::string_view name) {
  for (const std::string_view end : {".rotary_emb.inv_freq", ".attn_rot_embd.weight"}) {
    if (name.ends_with(end)) return true;
  }
  return false;
}

std::size_t element_alignment(DType type) {
  return type == DType::f32 || type == DType::i32 ? 4 : 2;  // quantised blocks start with a 16-bit scale
}

class Loader {
 public:
  Loader(const TensorSource& source, ConvertedTensors& converted) : source_(source), converted_(converted) {}

  Tensor get(const std::string& name, Kind kind, std::int64_t rows, std::int64_t cols) {
    SourceTensor found;
    const std::string expected =
        kind == Kind::norm ? fmt::format("[{}]", cols) : fmt::format("[{}, {}]", rows, cols);
    if (!source_.find(name, found)) {
      fail("{}: tensor '{}' is missing, expected shape {}", source_.path(), name, expected);
    }
    if (found.shape != expected) {
      fail("{}: tensor '{}' has shape {}, expected {}", source_.path(), name, found.shape, expected);
    }
    if (found.view.empty() || traits(found.view.dtype).to_float == nullptr) {
      fail("{}: tensor '{}' is stored as {}, expected a floating-point or quantised format", source_.path(),
           name, found.dtype_name);
    }
    asked_.insert(name);
    if (kind == Kind::norm) return as_f32(found.view);
    return aligned(found.view);
  }

  void ignore(const std::string& name) { asked_.insert(name); }

  void check_all_used(const std::string& architecture) const {
    for (const std::string& name : source_.names()) {
      if (asked_.count(name) == 0 && !is_ignorable(name)) {
        fail(
            "{}: tensor '{}' has no place in the architecture '{}' as it is supported here; without it the "
            "model "
            "would compute something else",
            source_.path(), name, architecture);
      }
    }
  }

 private:
  std::byte* allocate(std::size_t bytes) {
    converted_.buffers.push_back(std::make_unique<std::byte[]>(bytes));
    converted_.bytes += bytes;
    return converted_.buffers.back().get();
  }

  Tensor aligned(const Tensor& view) {
    const auto address = reinterpret_cast<std::uintptr_t>(view.data);
    if (address % element_alignment(view.dtype) == 0) return view;
    std::byte* copy = allocate(view.bytes());
    std::memcpy(copy, view.data, view.bytes());
    return {copy, view.dtype, view.rows, view.cols};
  }

  Tensor as_f32(const Tensor& view) {
    if (view.dtype == DType::f32) return aligned(view);
    // Norms are short: a second copy of an unaligned one does not matter.
    std::vector<std::uint64_t> source((view.bytes() + 7) / 8);
    std::memcpy(source.data(), view.data, view.bytes());
    auto* values = reinterpret_cast<float*>(allocate(static_cast<std::size_t>(view.size()) * sizeof(float)));
    traits(view.dtype).to_float(source.data(), values, view.size());
    return {values, DType::f32, view.rows, view.cols};
  }

  const TensorSource& source_;
  ConvertedTensors& converted_;
  std::set<std::string> asked_;
};

}  // namespace

std::string output_tensor_name(Naming naming) { return top_names(naming).output; }

ModelWeights load_weights(const ModelConfig& config, const TensorSource& source, Naming naming,
                          ConvertedTensors& converted) {
  Loader loader(source, converted);
  const TopNames& top = top_names(naming);
  ModelWeights weights;
  weights.token_embedding = loader.get(top.embedding, Kind::matrix, config.vocab_size, config.dim);
  for (int layer = 0; layer < config.layers; ++layer) {
    LayerWeights& to = weights.layers.emplace_back();
    for (const LayerRole& role : kLayerRoles) {
      const char* pattern = naming == Naming::gguf ? role.gguf : role.hugging_face;
      to.*role.field = loader.get(fmt::format(fmt::runtime(pattern), layer), role.kind, role.rows(config),
                                  role.cols(config));
    }
  }
  weights.output_norm = loader.get(top.output_norm, Kind::norm, 1, config.dim);
  if (config.tied_embeddings) {
    weights.output = weights.token_embedding;
    loader.ignore(top.output);  // transformers ties too when the file has one
  } else {
    weights.output = loader.get(top.output, Kind::matrix, config.vocab_size, config.dim);
  }
  loader.check_all_used(config.architecture);
  return weights;
}

std::size_t ModelWeights::bytes() const {
  std::set<const void*> seen;
  std::size_t total = 0;
  const auto add = [&](const Tensor& tensor) {
    if (seen.insert(tensor.data).second) total += tensor.bytes();
  };
  add(token_embedding);
  for (const LayerWeights& layer : layers) {
    for (const LayerRole& role : kLayerRoles) add(layer.*role.field);
  }
  add(output_norm);
  add(output);
  return total;
}

}  // namespace rung
