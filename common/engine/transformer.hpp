#pragma once
// The forward pass: tokens in, logits out. One path for prompt chunks, decode steps and several
// sequences at once, on any device. transformer.cpp is the file that everybody reads.

#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "core/registry.hpp"
#include "engine/engine_config.hpp"
#include "engine/moe_ffn.hpp"
#include "model/model.hpp"
#include "model/rope.hpp"
#include "seams/attention.hpp"
#include "seams/batch.hpp"
#include "seams/device.hpp"
#include "seams/fusion.hpp"
#include "seams/kv_cache.hpp"
#include "seams/linear.hpp"
#include "seams/ops.hpp"

namespace rung {

/// Sees intermediate values: a name, the layer (-1 outside the layers) and the tensor, valid during
/// the call. For debugging and for comparing with other implementations.
using Tap = std::function<void(std::string_view name, int layer, const Tensor& value)>;

/// One layer, ready to run: norms on the device, products behind their rungs. Norms that the family does
/// not have are empty; what each has is in model/families.cpp.
struct Layer {
  int index = 0;
  Weight attn_norm;                   // [1, dim]
  std::unique_ptr<Products> qkv;      // [dim] -> [(heads + 2 * kv_heads) * head_dim]
  Weight q_norm, k_norm;              // [1, head_dim] or the whole width
  const RopeTables* rope = nullptr;   // null: no rotation in this layer
  Attention* attention = nullptr;     // over all of the past, or over this layer's window
  std::unique_ptr<Linear> attn_out;   // [heads * head_dim] -> [dim]
  Weight attn_post_norm;              // [1, dim]
  Weight ffn_norm;                    // [1, dim]
  std::unique_ptr<Products> gate_up;  // [dim] -> [ffn_dim], the activation included
  std::unique_ptr<Linear> down;       // [ffn_dim] -> [dim]
  std::unique_ptr<MoeFfn> moe;        // in the place of these two in a mixture of experts
  Weight ffn_post_norm;               // [1, dim]
  Weight next_norm;                   // the next layer's attn_norm; none in the last layer
};

/// In how many places of a model the fusions of its rung apply; a layer has two adds with a norm behind them
/// but the last.
struct FusedSteps {
  int layers = 0;
  int qkv = 0, gate_up = 0, add_norm = 0, rope_store = 0;
};

/// Memory for everything a step computes, taken once for the largest step. All f32 on the device.
struct Workspace {
  Workspace(Device& device, const ModelConfig& model, int max_tokens, int max_outputs, int max_context);
  std::size_t bytes() const;
  /// For layers that write gate and up down before the activation.
  void take_gate_up(Device& device, const ModelConfig& model);

  Tensor x, norm, qkv, attn, out, gate_up, hidden;  // [max_tokens, ...]
  Tensor last, last_norm, logits;                   // [max_outputs, ...]
  Tensor tokens, positions, slots, output_rows;     // [1, max_...] i32: the batch's numbers on the device
  Tensor rope_cos, rope_sin;                        // [max_context, rotary_dim / 2]
  Tensor local_cos, local_sin;                      // the same for layers with a RoPE of their own
  std::unique_ptr<MoeWorkspace> moe;                // null in a dense model

 private:
  Tensor take(Device& device, DType dtype, std::int64_t rows, std::int64_t cols);
  std::vector<DeviceBuffer> buffers_;
};

class Transformer {
 public:
  /// Builds every product and the attention from the rungs that `config` names. `model` and `device`
  /// must outlive this, and so must `packed`, where copies of weights may be kept (null: nowhere). Throws
  /// Error when a named rung does not support a weight.
  Transformer(const Model& model, const Registry& registry, const EngineConfig& config, Device& device,
              PackedStore* packed = nullptr);

  Transformer(const Transformer&) = delete;  // layers point into it
  Transformer& operator=(const Transformer&) = delete;

  /// One step. Returns logits [output_rows, vocab] f32 on the device, valid until the next call.
  /// REQUIRES: the batch fits max_step_tokens and max_step_outputs; the cache has grown to hold it.
  Tensor forward(const Batch& batch, const KvCache& kv, const Tap& tap = {});

  std::size_t workspace_bytes() const {
    return work_.bytes() + fusion_->scratch_bytes() + attention_bytes_ + device_weights_bytes_;
  }
  std::size_t packed_bytes() const { return packed_bytes_; }
  FusedSteps fused() const;

  int layers() const { return static_cast<int>(layers_.size()); }
  /// How a layer turns its keys; null where it does not. The tables reach to the configured context.
  const RopeTables* rope_of(int layer) const { return layers_[static_cast<std::size_t>(layer)].rope; }
  const Ops& ops() const { return ops_; }

 private:
  /// The family's norm of `from`, written to `to`; `from` itself where there is none at this place.
  Tensor normed(const Weight& norm, const Tensor& from, const Tensor& to) const;

  Tensor on_device(const Tensor& host);
  Weight on_device(const Weight& host);
  ProductPart part(const Weight& weight);
  std::vector<ProductPart> parts(std::initializer_list<Weight> weights);
  std::unique_ptr<Linear> linear(const Weight& weight);
  std::unique_ptr<MoeFfn> mixture(const LayerWeights& w);
  RopeTables rope_tables(const RopeFrequencies& frequencies, const Tensor& cos, const Tensor& sin);
  Attention* attention_for(int window);

  const Model& source_;
  const Registry& registry_;
  EngineConfig config_;
  ModelConfig model_;
  Device& device_;
  PackedStore* packed_;
  std::vector<DeviceBuffer> device_weights_;  // copies of weights, on devices that cannot read a mapped file
  std::size_t device_weights_bytes_ = 0;
  std::size_t packed_bytes_ = 0;  // of all products

  Ops ops_, tile_ops_;  // on all threads; on the calling one
  std::unique_ptr<Fusion> fusion_;
  Workspace work_;
  RopeTables rope_, local_rope_;
  Tensor embedding_;
  Tensor position_embedding_;
  std::vector<Layer> layers_;
  Weight output_norm_;
  std::unique_ptr<Linear> output_;
  std::map<int, std::unique_ptr<Attention>> attention_;  // by window
  std::size_t attention_bytes_ = 0;                      // of all of them
};

}  // namespace rung
