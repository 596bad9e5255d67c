// Finds every weight of a model in a file, for all names and layouts that families use.

#include "model/weights.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>

#include "core/error.hpp"
#include "model/fp8_scales.hpp"
#include "model/weight_names.hpp"
#include "model/weights_loader.hpp"

namespace rung {
namespace {

/// Where a weight lies within the tensor of a file: the whole of it, or some of its rows.
struct Place {
  std::string name;       // without .weight or .bias
  std::int64_t rows = 0;  // of the tensor
  std::int64_t cols = 0;
  std::int64_t begin = 0;  // rows [begin, begin + count) are meant
  std::int64_t count = 0;
  std::int64_t stacked = 0;  // so many such matrices are one tensor [stacked, rows, cols]; 0: [rows, cols]
};

/// Tensors that say nothing: tables of angles that the engine computes itself or that the configuration has
/// been read from, and masks that old checkpoints stored.
bool is_ignorable(std::string_view name, const Family& family, Naming naming) {
  for (const std::string_view end : {".rotary_emb.inv_freq", ".attn_rot_embd.weight"}) {
    if (name.ends_with(end)) return true;
  }
  if (naming == Naming::gguf) return name.starts_with("rope_freqs.") || name.starts_with("rope_factors_");
  if (is_activation_scale(name)) return true;
  if (family.hf_names == HfNames::gpt2)
    return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias");
  for (std::string_view rest = family.hf_ignored; !rest.empty();) {
    const std::size_t end = std::min(rest.find('|'), rest.size());
    if (name.find(rest.substr(0, end)) != std::string_view::npos) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

std::size_t element_alignment(DType type) { return static_cast<std::size_t>(traits(type).alignment); }

class Loader {
 public:
  Loader(const ModelConfig& config, const TensorSource& source, Naming naming, ConvertedTensors& converted)
      : config_(config), family_(*config.family), source_(source), naming_(naming), converted_(converted) {
    if (naming == Naming::hugging_face) prefix_ = find_prefix(source, family_.hf_names);
  }

  /// The prefix under which the embeddings are found; the usual one when they are not there at all.
  static HfPrefix find_prefix(const TensorSource& source, HfNames names) {
    SourceTensor found;
    for (const HfPrefix& prefix : kHfPrefixes) {
      if (source.find(fmt::format("{}{}.weight", prefix.body, hf_top_names(names).embedding), found))
        return prefix;
    }
    return kHfPrefixes[0];
  }

  ModelWeights load() {
    const bool gguf = naming_ == Naming::gguf;
    const TopNames& top = gguf ? gguf_top_names() : hf_top_names(family_.hf_names);
    ModelWeights weights;
    weights.token_embedding = matrix(whole(body(top.embedding), config_.vocab_size, config_.dim), false);
    if (config_.learned_positions) {
      weights.position_embedding =
          matrix(whole(body(top.positions), config_.context_length, config_.dim), false);
    }
    for (int layer = 0; layer < config_.layers; ++layer) {
      LayerWeights& to = weights.layers.emplace_back();
      for (const LayerRole& role : layer_roles()) {
        if (family_.weights.has(role.role)) to.*role.field = load_role(role, layer);
      }
      for (int expert = 0; expert < config_.experts; ++expert) {
        ExpertWeights& block = to.experts.emplace_back();
        for (const ExpertName& name : expert_names()) block.*name.field = load_expert(name, layer, expert);
      }
    }
    const Place output_norm = whole(body(top.output_norm), 1, config_.dim);
    weights.output_norm.weight = norm(output_norm);
    if (family_.output_norm_bias) weights.output_norm.bias = vector(output_norm.name + ".bias", config_.dim);
    const std::string output = gguf ? top.output : std::string(prefix_.output) + top.output;
    if (config_.tied_embeddings) {
      weights.output = weights.token_embedding;
      asked_.insert(output + ".weight");  // transformers ties too when the file has one
    } else {
      weights.output = matrix(whole(output, config_.vocab_size, config_.dim), false);
    }
    check_all_used();
    return weights;
  }

 private:
  std::string body(const char* name) const {
    return naming_ == Naming::gguf ? name : std::string(prefix_.body) + name;
  }
  static Place whole(std::string name, std::int64_t rows, std::int64_t cols) {
    return {std::move(name), rows, cols, 0, rows};
  }

  Weight load_role(const LayerRole& role, int layer) {
    const Place place = find_place(role, layer);
    Weight weight;
    weight.weight =
        role.is_norm ? norm(place) : matrix(place, family_.hf_transposed && naming_ == Naming::hugging_face);
    const std::string bias = place.name + ".bias";
    const bool has_bias = family_.biases.has(role.role) ||
                          (family_.optional_biases.has(role.role) && bias_is_there(role.role, bias));
    if (!has_bias) return weight;
    weight.bias = role.is_norm ? vector(bias, place.cols)
                               : vector(bias, place.rows).col_slice(place.begin, place.count);
    return weight;
  }

  /// One matrix of one expert. GGUF stacks those of a layer as [experts, rows, cols]; its oldest mixtures,
  /// and Hugging Face, have them apart.
  Tensor load_expert(const ExpertName& name, int layer, int expert) {
    const std::int64_t rows = name.rows(config_), cols = name.cols(config_);
    const auto apart = [&](const char* pattern) {
      return whole(fmt::format(fmt::runtime(body(pattern)), layer, expert), rows, cols);
    };
    if (naming_ == Naming::hugging_face) return matrix(apart(name.hugging_face), false);
    SourceTensor found;
    const Place old = apart(name.gguf_apart);
    if (source_.find(old.name + ".weight", found)) return matrix(old, false);
    Place place = whole(fmt::format(fmt::runtime(name.gguf), layer), rows, cols);
    place.stacked = config_.experts;
    place.begin = expert * rows;
    return matrix(place, false);
  }

  bool bias_is_there(Role role, const std::string& name) const {
    const bool in_ffn = role == Role::gate || role == Role::up || role == Role::down;
    if (in_ffn ? config_.ffn_bias : config_.attention_bias) return true;
    SourceTensor found;
    return source_.find(name, found);
  }

  Place find_place(const LayerRole& role, int layer) const {
    const StoredName stored = stored_name(role, family_);
    const char* pattern = naming_ == Naming::gguf ? stored.gguf : stored.hugging_face;
    std::string name = fmt::format(fmt::runtime(body(pattern)), layer);
    const std::int64_t rows = role.rows(config_), cols = role.cols(config_);
    const bool qkv = role.role == Role::q || role.role == Role::k || role.role == Role::v;
    const bool gate_up = role.role == Role::gate || role.role == Role::up;
    if (qkv && family_.fused_qkv) {
      const std::int64_t q = std::int64_t{config_.heads} * config_.head_dim;
      const std::int64_t k = std::int64_t{config_.kv_heads} * config_.head_dim;
      const std::int64_t begin = role.role == Role::q ? 0 : role.role == Role::k ? q : q + k;
      return {std::move(name), q + 2 * k, cols, begin, rows};
    }
    if (gate_up && family_.fused_gate_up) {
      return {std::move(name), 2 * rows, cols, role.role == Role::gate ? 0 : rows, rows};
    }
    return whole(std::move(name), rows, cols);
  }

  /// A tensor of the file, checked.
  Tensor get(const std::string& name, const std::string& expected) {
    SourceTensor found;
    if (!source_.find(name, found)) {
      fail("{}: tensor '{}' is missing, expected shape {}", source_.path(), name, expected);
    }
    if (found.shape != expected) {
      fail("{}: tensor '{}' has shape {}, expected {}", source_.path(), name, found.shape, expected);
    }
    if (found.view.empty() || traits(found.view.dtype).to_float == nullptr) {
      fail("{}: tensor '{}' is stored as {}, expected a floating-point or quantized format", source_.path(),
           name, found.dtype_name);
    }
    asked_.insert(name);
    return found.view;
  }

  Tensor matrix(const Place& place, bool transposed) {
    const std::string name = place.name + ".weight";
    const auto known = matrices_.find(name);  // a fused tensor is asked for several times
    if (known != matrices_.end()) return known->second.row_slice(place.begin, place.count);
    const Tensor view = place.stacked != 0
                            ? get(name, fmt::format("[{}, {}, {}]", place.stacked, place.rows, place.cols))
                        : transposed ? get(name, fmt::format("[{}, {}]", place.cols, place.rows))
                                     : get(name, fmt::format("[{}, {}]", place.rows, place.cols));
    const Tensor usable = transposed ? transpose(view, name) : aligned(scaled(view, name));
    return matrices_.emplace(name, usable).first->second.row_slice(place.begin, place.count);
  }

  Tensor norm(const Place& place) {
    const Tensor values = vector(place.name + ".weight", place.cols);
    const float offset = naming_ == Naming::hugging_face ? family_.hf_norm_offset : 0;
    if (offset == 0) return values;
    auto* shifted = reinterpret_cast<float*>(allocate(values.bytes()));
    for (std::int64_t i = 0; i < values.cols; ++i) shifted[i] = values.ptr<float>()[i] + offset;
    return {shifted, DType::f32, 1, values.cols};
  }

  /// The matrix itself, or its product with the scales of an FP8 checkpoint.
  Tensor scaled(const Tensor& view, const std::string& name) {
    if (view.dtype != DType::f8_e4m3) return view;
    const auto scales = find_fp8_scales(source_, name, view);
    if (!scales) return view;
    asked_.insert(scales->name);
    auto* product = reinterpret_cast<std::uint16_t*>(allocate(static_cast<std::size_t>(view.size()) * 2));
    apply_fp8_scales(view, *scales, product);
    return {product, DType::bf16, view.rows, view.cols};
  }

  /// A norm's weight or a bias, as f32.
  Tensor vector(const std::string& name, std::int64_t count) {
    const auto known = matrices_.find(name);
    if (known != matrices_.end()) return known->second;
    return matrices_.emplace(name, as_f32(get(name, fmt::format("[{}]", count)))).first->second;
  }

  void check_all_used() const {
    for (const std::string& name : source_.names()) {
      if (asked_.count(name) == 0 && !is_ignorable(name, family_, naming_)) {
        fail(
            "{}: tensor '{}' has no place in the architecture '{}' as it is supported here; without it the "
            "model "
            "would compute something else",
            source_.path(), name, config_.architecture);
      }
    }
  }

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
    auto* values = reinterpret_cast<float*>(allocate(static_cast<std::size_t>(view.size()) * sizeof(float)));
    unaligned_to_f32(view, values);  // vectors are short: a second copy does not matter
    return {values, DType::f32, view.rows, view.cols};
  }

  /// [in, out] as [out, in], in the same format. REQUIRES: plain numbers, which safetensors has only.
  Tensor transpose(const Tensor& view, const std::string& name) {
    const DTypeTraits& type = traits(view.dtype);
    if (type.block_elements != 1) {
      fail("{}: tensor '{}' is stored as {} and the wrong way round; only plain numbers can be turned",
           source_.path(), name, type.name);
    }
    const auto width = static_cast<std::size_t>(type.block_bytes);
    const auto rows = static_cast<std::size_t>(view.rows), cols = static_cast<std::size_t>(view.cols);
    std::byte* turned = allocate(view.bytes());
    const auto* from = static_cast<const std::byte*>(view.data);
    constexpr std::size_t kTile = 32;  // so that reads and writes both stay within a few cache lines
    for (std::size_t r0 = 0; r0 < rows; r0 += kTile) {
      for (std::size_t c0 = 0; c0 < cols; c0 += kTile) {
        for (std::size_t r = r0; r < std::min(r0 + kTile, rows); ++r) {
          for (std::size_t c = c0; c < std::min(c0 + kTile, cols); ++c) {
            std::memcpy(turned + (c * rows + r) * width, from + (r * cols + c) * width, width);
          }
        }
      }
    }
    return {turned, view.dtype, view.cols, view.rows};
  }

  const ModelConfig& config_;
  const Family& family_;
  const TensorSource& source_;
  Naming naming_;
  ConvertedTensors& converted_;
  HfPrefix prefix_{"", ""};
  std::set<std::string> asked_;
  std::map<std::string, Tensor> matrices_;  // by name in the file, as they will be used
};

/// Calls visit(tensor) once for every tensor, though two roles may share it; of each layer's experts for the
/// first `experts` only, or for all when that is 0.
template <class Visit>
void visit_distinct(const ModelWeights& weights, int experts, Visit&& visit) {
  std::set<const void*> seen;
  const auto one = [&](const Tensor& tensor) {
    if (!tensor.empty() && seen.insert(tensor.data).second) visit(tensor);
  };
  const auto both = [&](const Weight& weight) {
    one(weight.weight);
    one(weight.bias);
  };
  one(weights.token_embedding);
  one(weights.position_embedding);
  for (const LayerWeights& layer : weights.layers) {
    for (const LayerRole& role : layer_roles()) both(layer.*role.field);
    const std::size_t all = layer.experts.size();
    const std::size_t counted = experts == 0 ? all : std::min(static_cast<std::size_t>(experts), all);
    for (std::size_t i = 0; i < counted; ++i) {
      for (const ExpertName& name : expert_names()) one(layer.experts[i].*name.field);
    }
  }
  both(weights.output_norm);
  one(weights.output);
}

}  // namespace

bool has_output_tensor(const TensorSource& source, Naming naming) {
  SourceTensor found;
  if (naming == Naming::gguf) return source.find("output.weight", found);
  return std::any_of(kHfPrefixes.begin(), kHfPrefixes.end(), [&](const HfPrefix& prefix) {
    return source.find(std::string(prefix.output) + "lm_head.weight", found);
  });
}

ModelWeights load_weights(const ModelConfig& config, const TensorSource& source, Naming naming,
                          ConvertedTensors& converted) {
  return Loader(config, source, naming, converted).load();
}

std::size_t ModelWeights::bytes() const {
  std::size_t total = 0;
  visit_distinct(*this, 0, [&](const Tensor& tensor) { total += tensor.bytes(); });
  return total;
}

std::int64_t ModelWeights::parameters(int experts_per_token) const {
  std::int64_t total = 0;
  visit_distinct(*this, experts_per_token, [&](const Tensor& tensor) { total += tensor.size(); });
  return total;
}

}  // namespace rung
