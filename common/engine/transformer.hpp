#pragma once
// The forward pass, from tokens to logits. The same code computes prompt chunks, decode steps and several
// sequences at once, on any device. transformer.cpp is the file to read first.

#include <initializer_list>
#include <map>
#include <memory>
#include <vector>

#include "core/registry.hpp"
#include "engine/engine_config.hpp"
#include "engine/moe_ffn.hpp"
#include "model/model.hpp"
#include "model/rope.hpp"
#include "seams/attention.hpp"
#include "seams/batch.hpp"
#include "seams/device.hpp"
#include "seams/ffn.hpp"
#include "seams/forward_pass.hpp"
#include "seams/fusion.hpp"
#include "seams/kv_cache.hpp"
#include "seams/linear.hpp"
#include "seams/mixer.hpp"
#include "seams/ops.hpp"
#include "seams/scratch.hpp"

namespace rung {

/// Layers [begin, end) of a model: a stage of a pipeline.
struct LayerRange {
  int begin = 0;
  int end = -1;  // -1: up to and including the model's last layer
};

/// One layer, ready to run. Its norms are on the device, and its other parts are behind seams. A norm that
/// the model family does not have is empty; model/families.cpp lists the norms of each family.
struct Layer {
  int index = 0;                     // the layer's number in the model
  Norm attn_norm;                    // [1, dim]
  std::unique_ptr<Mixer> mixer;      // [tokens, dim] -> [tokens, dim]
  Norm attn_post_norm;               // [1, dim]
  Norm ffn_norm;                     // [1, dim]
  std::unique_ptr<Ffn> ffn;          // [tokens, dim] -> [tokens, dim]
  Norm ffn_post_norm;                // [1, dim]
  Norm next_norm;                    // the next layer's attn_norm; empty in the last layer of the pass
  const RopeTables* rope = nullptr;  // how the mixer rotates its keys; null: not at all
};

/// In how many places of a model each fusion of its rung applies. A layer has two residual adds, each
/// followed by a norm. The norm after the last add of a model is never fused, because it is computed only for
/// the rows of logits.
struct FusedSteps {
  int layers = 0;
  int qkv = 0, gate_up = 0, add_norm = 0, rope_store = 0;
};

/// Memory for the results of the forward pass itself, allocated once for the largest step. Mixers and
/// feed-forward blocks get their memory from a Scratch. All tensors are f32 on the device, unless noted
/// otherwise.
class Workspace {
 public:
  /// `ends` says whether the pass ends with logits.
  Workspace(Device& device, const ModelConfig& model, int max_tokens, int max_outputs, int max_context,
            bool ends);
  std::size_t bytes() const;

  /// Copies the integers of a batch to the device in one transfer. The result is valid until the next call.
  DeviceBatch upload(Device& device, const Batch& batch);

  Tensor x, norm, out;             // [max_tokens, dim]
  Tensor last, last_norm, logits;  // [max_outputs, ...]; empty unless the pass ends with logits
  Tensor rope_cos, rope_sin;       // [max_context, rotary_dim / 2]
  Tensor local_cos, local_sin;     // the same, for layers with their own RoPE

 private:
  Tensor take(Device& device, DType dtype, std::int64_t rows, std::int64_t cols);

  std::vector<DeviceBuffer> buffers_;
  std::vector<std::int32_t> host_numbers_;  // tokens, positions, slots, output rows of a batch, without gaps
  Tensor numbers_;                          // the same on the device: [1, 3 * max_tokens + max_outputs] i32
};

class Transformer final : public ForwardPass {
 public:
  /// Builds the parts of the layers in `range` from the rungs that `config` names. Only a pass that begins at
  /// layer 0 accepts token ids, and only a pass that ends at the last layer can return logits. Layer
  /// `range.begin + i` of the model uses layer i of the cache, so the cache of a pipeline stage contains only
  /// the stage's own layers.
  ///
  /// `packed` keeps copies of weights; if it is null, they are not kept. `model`, `device` and `packed` must
  /// outlive this object. Throws Error if a named rung does not support a weight, or if `range` is empty or
  /// exceeds the model.
  Transformer(const Model& model, const Registry& registry, const EngineConfig& config, Device& device,
              PackedStore* packed = nullptr, LayerRange range = {});

  Transformer(const Transformer&) = delete;  // layers point into it
  Transformer& operator=(const Transformer&) = delete;

  /// REQUIRES: the batch fits max_step_tokens and max_step_outputs.
  Tensor forward(const Batch& batch, const Caches& caches, const Tensor& from, Leave to,
                 const Tap& tap) override;
  using ForwardPass::forward;

  std::size_t workspace_bytes() const;
  std::size_t packed_bytes() const { return packed_bytes_; }
  FusedSteps fused() const { return fused_; }

  /// Returns how many layers this pass has.
  int layers() const { return static_cast<int>(layers_.size()); }
  /// Returns how the keys of a layer of the cache are rotated, or null if they are not. The tables have one
  /// row for each position of the configured context.
  const RopeTables* rope_of(int layer) const { return layers_[static_cast<std::size_t>(layer)].rope; }
  const Ops& ops() const { return ops_; }

 private:
  bool begins() const { return range_.begin == 0; }
  bool ends() const { return range_.end == model_.layers; }
  void check_ends(const Batch& batch, const Tensor& from, Leave to) const;
  void enter(const DeviceBatch& batch, const Tensor& from, const Tensor& x);
  Tensor logits_of(const Tensor& x, const Tensor& output_rows);

  Layer layer(const LayerWeights& w, int index);
  std::unique_ptr<Mixer> mixer(const LayerWeights& w, int index, const RopeTables* rope);
  std::unique_ptr<Ffn> dense(const LayerWeights& w);
  std::unique_ptr<Ffn> mixture(const LayerWeights& w);
  Tensor on_device(const Tensor& host);
  Weight on_device(const Weight& host);
  Norm norm(const Weight& weight);
  ProductPart part(const Weight& weight);
  std::vector<ProductPart> parts(std::initializer_list<Weight> weights);
  std::unique_ptr<Linear> linear(const Weight& weight);
  RopeTables rope_tables(const RopeFrequencies& frequencies, const Tensor& cos, const Tensor& sin);
  Attention* attention_for(int window);

  const Model& source_;
  const Registry& registry_;
  EngineConfig config_;
  ModelConfig model_;
  LayerRange range_;  // both numbers are set; `end` is not -1
  Device& device_;
  PackedStore* packed_;
  std::vector<DeviceBuffer> device_weights_;  // copies of weights, on devices that cannot read a mapped file
  std::size_t device_weights_bytes_ = 0;
  std::size_t packed_bytes_ = 0;  // sum over all products
  FusedSteps fused_;

  Scratch scratch_;  // memory of the rungs, mixers and feed-forward blocks
  Workplace place_;
  // ops_ runs on all threads, with the entries that the rung of `fusion` replaces. tile_ops_ runs on the
  // calling thread alone.
  Ops ops_, tile_ops_;
  std::unique_ptr<Fusion> fusion_;
  Workspace work_;
  RopeTables rope_, local_rope_;
  Tensor embedding_;
  Tensor position_embedding_;
  std::map<int, std::unique_ptr<Attention>> attention_;  // by window
  std::size_t attention_bytes_ = 0;                      // sum over attention_
  std::unique_ptr<MoeWorkspace> moe_work_;               // null in a dense model
  std::vector<Layer> layers_;
  Norm output_norm_;
  std::unique_ptr<Linear> output_;
};

}  // namespace rung
