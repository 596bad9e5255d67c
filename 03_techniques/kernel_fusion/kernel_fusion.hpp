#pragma once
// The rungs of the ladder `fusion`: each is the one below it with one more fusion. A file per rung.

#include <cstdint>
#include <memory>
#include <vector>

#include "core/registry.hpp"
#include "seams/fusion.hpp"

namespace rung::kernel_fusion {

/// Runs every step as plain operations, one after the other. Does not change the ops table.
class NoFusion : public Fusion {
 public:
  explicit NoFusion(const FusionConfig& config) : config_(config) {}

  std::unique_ptr<Products> side_by_side(std::vector<ProductPart> parts) override;
  std::unique_ptr<Products> activated(std::vector<ProductPart> parts) override;

 protected:
  FusionConfig config_;
};

/// Products of the same input in one loop of the threads.
class Qkv : public NoFusion {
 public:
  using NoFusion::NoFusion;
  std::unique_ptr<Products> side_by_side(std::vector<ProductPart> parts) override;
};

/// Gate, up and the activation in one loop, tile by tile.
class GateUp : public Qkv {
 public:
  using Qkv::Qkv;
  std::unique_ptr<Products> activated(std::vector<ProductPart> parts) override;
};

/// The residual add and the RMS norm after it, row by row.
class AddNorm : public GateUp {
 public:
  using GateUp::GateUp;
  void replace(Ops& ops) const override;
};

/// RoPE of q and k and the write to the cache, row by row.
class RopeStore : public AddNorm {
 public:
  using AddNorm::AddNorm;
  void replace(Ops& ops) const override;
};

/// Returns whether an add and this norm can share one sweep over a row.
inline bool fuses_add_norm(const Norm& norm) { return !norm.empty() && norm.kind == NormKind::rms; }

// The exercise, mine.cpp: one function per step.

/// Step 1. Computes row += scale * out for n numbers, and returns the sum of the squares of the new row.
double my_add(const float* out, float scale, std::int64_t n, float* row);
/// Step 2. Computes to = row / sqrt(squares / n + eps) * weight for n numbers.
void my_norm(const float* row, double squares, const float* weight, float eps, std::int64_t n, float* to);
/// Step 3. Computes x += scale * out, and to = the RMS norm of the new x. out, x, to [tokens, dim] f32 with
/// possibly strided rows, weight [1, dim]. tokens can be 0. Rows do not overlap.
void mine(const Tensor& out, float scale, const Tensor& x, const Tensor& weight, float eps, const Tensor& to,
          int threads);

/// The graded steps of the exercise (steps.cpp).
std::vector<ExerciseStep> steps();

/// Returns whether parts can share one loop: all have pieces of the same size and read the same prepared
/// rows.
bool share_a_loop(const std::vector<ProductPart>& parts);

/// The parts' products in one loop of the threads over all of their pieces (pieces.cpp).
std::unique_ptr<Products> products_in_pieces(std::vector<ProductPart> parts, const FusionConfig& config);

/// The same for gate and up: a thread multiplies a tile of gate and one of up into scratch memory and applies
/// the activation while they are in its cache. All layers share that memory.
std::unique_ptr<Products> activated_in_pieces(std::vector<ProductPart> parts, const FusionConfig& config);

/// The workloads of trials.cpp. Products are those of the ladder `linear` where that has rungs.
std::vector<Trial> make_trials(const Ladder<Fusion>& ladder, const Ladder<Linear>& linear);

/// Adds the rungs of this topic to the ladder `fusion`, bottom first.
void register_rungs(Registry& registry);

}  // namespace rung::kernel_fusion
