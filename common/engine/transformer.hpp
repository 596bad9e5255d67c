#pragma once
// The forward pass: tokens in, logits out. One path for prompt chunks, decode steps and several
// sequences at once, on any device. transformer.cpp is the file that everybody reads.

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
  int end = -1;  // -1: the model's last layer is included
};

/// One layer, ready to run: norms on the device, the rest behind seams. Norms that the family does not have
/// are empty; what each has is in model/families.cpp.
struct Layer {
  int index = 0;                     // in the model
  Norm attn_norm;                    // [1, dim]
  std::unique_ptr<Mixer> mixer;      // [tokens, dim] -> [tokens, dim]
  Norm attn_post_norm;               // [1, dim]
  Norm ffn_norm;                     // [1, dim]
  std::unique_ptr<Ffn> ffn;          // [tokens, dim] -> [tokens, dim]
  Norm ffn_post_norm;                // [1, dim]
  Norm next_norm;                    // the next layer's attn_norm; none in the last layer of the pass
  const RopeTables* rope = nullptr;  // how the mixer rotates its keys; null: it does not
};

/// In how many places of a model the fusions of its rung apply. A layer has two adds with a norm behind them;
/// the norm behind the last add of a model is computed for the rows of logits only, and is not fused.
struct FusedSteps {
  int layers = 0;
  int qkv = 0, gate_up = 0, add_norm = 0, rope_store = 0;
};

/// Memory for what the forward pass itself computes, taken once for the largest step. Mixers and feed-forward
/// blocks take theirs from a Scratch. All f32 on the device, except where noted.
class Workspace {
 public:
  /// `ends`: whether the pass ends with logits.
  Workspace(Device& device, const ModelConfig& model, int max_tokens, int max_outputs, int max_context,
            bool ends);
  std::size_t bytes() const;

  /// Copies the numbers of a batch to the device, in one transfer. The result is valid until the next call.
  DeviceBatch upload(Device& device, const Batch& batch);

  Tensor x, norm, out;             // [max_tokens, dim]
  Tensor last, last_norm, logits;  // [max_outputs, ...]; empty unless the pass ends with logits
  Tensor rope_cos, rope_sin;       // [max_context, rotary_dim / 2]
  Tensor local_cos, local_sin;     // the same for layers with a RoPE of their own

 private:
  Tensor take(Device& device, DType dtype, std::int64_t rows, std::int64_t cols);

  std::vector<DeviceBuffer> buffers_;
  std::vector<std::int32_t>
      host_numbers_;  // tokens, positions, slots and output rows of a batch, without gaps
  Tensor numbers_;    // the same on the device: [1, 3 * max_tokens + max_outputs] i32
};

class Transformer final : public ForwardPass {
 public:
  /// Builds the parts of the layers in `range` from the rungs that `config` names. A pass that begins at
  /// layer 0 may enter with token ids, one that ends at the last layer may leave with logits. Layer
  /// `range.begin + i` uses layer i of the cache, so a stage of a pipeline has a cache for its own layers
  /// alone.
  ///
  /// `model` and `device` must outlive this, and so must `packed`, where copies of weights may be kept (null:
  /// nowhere). Throws Error when a named rung does not support a weight, or when `range` is empty or exceeds
  /// the model.
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

  /// How many layers this pass has.
  int layers() const { return static_cast<int>(layers_.size()); }
  /// How a layer of the cache rotates its keys; null where it does not. The tables reach to the configured
  /// context.
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
  LayerRange range_;  // with both numbers given
  Device& device_;
  PackedStore* packed_;
  std::vector<DeviceBuffer> device_weights_;  // copies of weights, on devices that cannot read a mapped file
  std::size_t device_weights_bytes_ = 0;
  std::size_t packed_bytes_ = 0;  // of all products
  FusedSteps fused_;

  Scratch scratch_;  // where the rungs, mixers and feed-forward blocks compute
  Workplace place_;
  Ops ops_, tile_ops_;  // on all threads, with what the rung of `fusion` replaces; on the calling one
  std::unique_ptr<Fusion> fusion_;
  Workspace work_;
  RopeTables rope_, local_rope_;
  Tensor embedding_;
  Tensor position_embedding_;
  std::map<int, std::unique_ptr<Attention>> attention_;  // by window
  std::size_t attention_bytes_ = 0;                      // of all of them
  std::unique_ptr<MoeWorkspace> moe_work_;               // null in a dense model
  std::vector<Layer> layers_;
  Norm output_norm_;
  std::unique_ptr<Linear> output_;
};

}  // namespace rung
