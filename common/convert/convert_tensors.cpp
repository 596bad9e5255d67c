#include "convert/convert_tensors.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.hpp"
#include "files/safetensors_writer.hpp"
#include "model/weight_names.hpp"

namespace rung {
namespace {

using Rows = OutTensor::Rows;
constexpr std::size_t kPieceBytes = std::size_t{4} << 20;

class Lister {
 public:
  Lister(const Model& model, Naming to, std::optional<DType> type)
      : model_(model), config_(model.config), family_(*model.config.family), to_(to), type_(type) {}

  std::vector<OutTensor> list() {
    const bool gguf = to_ == Naming::gguf;
    const TopNames& top = gguf ? gguf_top_names() : hf_top_names(family_.hf_names);
    matrix(body(top.embedding), {model_.weights.token_embedding}, {}, false);
    if (config_.learned_positions)
      matrix(body(top.positions), {model_.weights.position_embedding}, {}, false);
    for (std::size_t layer = 0; layer < model_.weights.layers.size(); ++layer) {
      for (const LayerRole& role : layer_roles()) add_role(role, layer);
      add_experts(layer);
    }
    norm(body(top.output_norm), model_.weights.output_norm);
    if (!config_.tied_embeddings) matrix(top.output, {model_.weights.output}, {}, false);
    return std::move(out_);
  }

 private:
  std::string body(const char* name) const {
    if (to_ == Naming::gguf) return name;
    return std::string(family_.hf_names == HfNames::gpt2 ? "transformer." : "model.") + name;
  }

  void add_role(const LayerRole& role, std::size_t layer) {
    const LayerWeights& w = model_.weights.layers[layer];
    const Weight& weight = w.*role.field;
    if (weight.empty()) return;
    const bool turned = family_.hf_transposed && to_ == Naming::hugging_face;
    const StoredName stored = stored_name(role, family_);
    const char* pattern = to_ == Naming::gguf ? stored.gguf : stored.hugging_face;
    const std::string name = fmt::format(fmt::runtime(body(pattern)), layer);
    if (family_.fused_qkv && role.role == Role::q) return fused(name, {&w.q, &w.k, &w.v}, turned);
    if (family_.fused_qkv && (role.role == Role::k || role.role == Role::v)) return;
    if (family_.fused_gate_up && role.role == Role::gate) return fused(name, {&w.gate, &w.up}, turned);
    if (family_.fused_gate_up && role.role == Role::up) return;
    if (role.is_norm) return norm(name, weight);
    const Rows rows = role.role == Role::q || role.role == Role::k ? row_order() : Rows::as_they_are;
    matrix(name, {weight.weight}, {rows}, turned);
    // Which experts a token gets is too much to decide by a rounded number; llama.cpp keeps it so too.
    if (role.role == Role::router && to_ == Naming::gguf) out_.back().type = DType::f32;
    if (!weight.bias.empty()) bias(name, {weight.bias}, rows);
  }

  /// GGUF takes the experts of a layer as one tensor [experts, rows, cols]; Hugging Face has them apart.
  void add_experts(std::size_t layer) {
    const std::vector<ExpertWeights>& experts = model_.weights.layers[layer].experts;
    if (experts.empty()) return;
    for (const ExpertName& name : expert_names()) {
      std::vector<Tensor> stacked;
      for (std::size_t e = 0; e < experts.size(); ++e) {
        const Tensor& one = experts[e].*name.field;
        if (to_ == Naming::gguf) {
          stacked.push_back(one);
        } else {
          matrix(fmt::format(fmt::runtime(body(name.hugging_face)), layer, e), {one}, {}, false);
        }
      }
      if (stacked.empty()) continue;
      const std::int64_t rows = stacked.front().rows, cols = stacked.front().cols;
      matrix(fmt::format(fmt::runtime(name.gguf), layer), std::move(stacked), {}, false);
      out_.back().shape = {static_cast<std::int64_t>(experts.size()), rows, cols};
    }
  }

  /// How rows of Q and K must move between what the model has and what the target wants.
  Rows row_order() const {
    const RopePairs wanted = to_ == Naming::gguf ? family_.gguf_rope_pairs : RopePairs::half;
    if (wanted == config_.rope_pairs || config_.rotary_dim == 0) return Rows::as_they_are;
    if (config_.rotary_dim != config_.head_dim) {
      fail("{}: rows of Q and K cannot be reordered where only {} of {} elements of a head are rotated",
           model_.path, config_.rotary_dim, config_.head_dim);
    }
    return wanted == RopePairs::half ? Rows::pairs_to_halves : Rows::halves_to_pairs;
  }

  void fused(const std::string& name, std::initializer_list<const Weight*> weights, bool turned) {
    std::vector<Tensor> matrices, biases;
    for (const Weight* weight : weights) {
      matrices.push_back(weight->weight);
      if (!weight->bias.empty()) biases.push_back(weight->bias);
    }
    matrix(name, matrices, {}, turned);
    if (!biases.empty()) bias(name, biases, Rows::as_they_are);
  }

  DType stored_type(DType type) const {
    if (type_) return *type_;
    if (to_ == Naming::gguf && type == DType::f8_e4m3)
      return DType::bf16;  // GGUF has no such format; bf16 holds it
    return to_ == Naming::hugging_face && safetensors_type(type) == nullptr ? DType::f32 : type;
  }

  void matrix(const std::string& name, std::vector<Tensor> parts, std::vector<Rows> rows, bool turned) {
    OutTensor& out = out_.emplace_back();
    std::int64_t count = 0;
    for (const Tensor& part : parts) count += part.rows;
    const std::int64_t cols = parts.front().cols;
    out.name = name + ".weight";
    out.shape = turned ? std::vector{cols, count} : std::vector{count, cols};
    out.type = stored_type(parts.front().dtype);
    if (cols % traits(out.type).block_elements != 0) {
      fail("{}: tensor '{}' cannot be stored as {}: its rows of {} are no multiple of {}", model_.path, name,
           traits(out.type).name, cols, traits(out.type).block_elements);
    }
    rows.resize(parts.size(), Rows::as_they_are);
    out.parts = std::move(parts);
    out.rows = std::move(rows);
    out.head_dim = config_.head_dim;
    out.transposed = turned;
  }

  void vector(const std::string& name, const std::vector<Tensor>& parts, Rows rows, float offset) {
    OutTensor& out = out_.emplace_back();
    std::int64_t count = 0;
    for (const Tensor& part : parts) {
      out.parts.emplace_back(part.data, part.dtype, part.cols, 1);  // a column, so that rows can be reordered
      count += part.cols;
    }
    out.name = name;
    out.shape = {count};
    out.rows.assign(parts.size(), rows);
    out.head_dim = config_.head_dim;
    out.offset = offset;
  }

  void bias(const std::string& name, const std::vector<Tensor>& parts, Rows rows) {
    vector(name + ".bias", parts, rows, 0);
  }
  void norm(const std::string& name, const Weight& weight) {
    const bool q_or_k = name.ends_with("attn_q_norm") || name.ends_with("attn_k_norm") ||
                        name.ends_with(".q_norm") || name.ends_with(".k_norm");
    vector(name + ".weight", {weight.weight}, q_or_k ? row_order() : Rows::as_they_are,
           to_ == Naming::hugging_face ? -family_.hf_norm_offset : 0.0f);
    if (!weight.bias.empty()) vector(name + ".bias", {weight.bias}, Rows::as_they_are, 0);
  }

  const Model& model_;
  const ModelConfig& config_;
  const Family& family_;
  Naming to_;
  std::optional<DType> type_;
  std::vector<OutTensor> out_;
};

/// Row r of the result is this row of the part.
std::int64_t source_row(std::int64_t r, Rows order, int head_dim) {
  if (order == Rows::as_they_are) return r;
  const std::int64_t half = head_dim / 2, head = r / head_dim * head_dim, i = r % head_dim;
  if (order == Rows::halves_to_pairs) return head + (i % 2 == 0 ? i / 2 : half + i / 2);
  return head + (i < half ? 2 * i : 2 * (i - half) + 1);
}

}  // namespace

std::vector<OutTensor> tensors_for(const Model& model, Naming to, std::optional<DType> type) {
  return Lister(model, to, type).list();
}

void write_tensor(const OutTensor& tensor, const std::function<void(std::span<const std::byte>)>& sink) {
  std::vector<std::byte> piece;
  std::vector<float> row;
  const std::int64_t cols = tensor.parts.front().cols;
  const std::size_t row_bytes = bytes_of(tensor.type, cols);
  const auto flush = [&](bool at_end) {
    if (tensor.transposed || piece.empty() || (!at_end && piece.size() < kPieceBytes)) return;
    sink(piece);
    piece.clear();
  };
  for (std::size_t p = 0; p < tensor.parts.size(); ++p) {
    const Tensor& part = tensor.parts[p];
    for (std::int64_t r = 0; r < part.rows; ++r) {
      const void* from = part.row(source_row(r, tensor.rows[p], tensor.head_dim));
      piece.resize(piece.size() + row_bytes);
      std::byte* to = piece.data() + piece.size() - row_bytes;
      if (part.dtype == tensor.type && tensor.offset == 0) {
        std::memcpy(to, from, row_bytes);
      } else {
        row.resize(static_cast<std::size_t>(cols));
        traits(part.dtype).to_float(from, row.data(), cols);
        for (float& value : row) {
          value += tensor.offset;
          if (!std::isfinite(value) || (tensor.type == DType::f16 && std::fabs(value) > 65504.0f)) {
            fail("tensor '{}' has the number {}, which {} cannot hold; choose another --type", tensor.name,
                 value, traits(tensor.type).name);
          }
        }
        traits(tensor.type).from_float(row.data(), to, cols);
      }
      flush(false);
    }
  }
  flush(true);
  if (!tensor.transposed) return;
  // [rows, cols] -> [cols, rows]; only plain numbers come here, so a row is cols numbers of equal size.
  const auto width = row_bytes / static_cast<std::size_t>(cols);
  const std::size_t rows = piece.size() / row_bytes;
  std::vector<std::byte> turned(piece.size());
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < static_cast<std::size_t>(cols); ++c) {
      std::memcpy(&turned[(c * rows + r) * width], &piece[r * row_bytes + c * width], width);
    }
  }
  sink(turned);
}

}  // namespace rung
