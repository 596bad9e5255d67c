#pragma once
// Runs a rung of lesson 0 (seams/one_token.hpp) in place of the engine's own forward pass.
//
// The rung keeps its own keys and values, so the engine's KV cache stays unused. The engine still decides
// which tokens are computed.

#include <cstdint>
#include <memory>
#include <vector>

#include "model/model.hpp"
#include "model/rope.hpp"
#include "seams/forward_pass.hpp"
#include "seams/one_token.hpp"

namespace rung {

/// Returns the model's weights as float32 arrays. Throws Error, which names the reason, for a model that is
/// not a plain Llama: the lesson's pass has no biases, windows, experts or extra norms.
std::shared_ptr<const PlainModel> plain_model(const Model& model, const RopeFrequencies& rope);

class OneTokenPass final : public ForwardPass {
 public:
  /// `max_outputs` is the largest number of rows of logits in one step.
  OneTokenPass(std::unique_ptr<OneToken> rung, int vocab_size, int max_outputs);

  /// REQUIRES: the batch has one sequence, whose tokens follow those of the steps before.
  Tensor forward(const Batch& batch, const Caches& caches, const Tensor& from, Leave to,
                 const Tap& tap) override;

 private:
  std::unique_ptr<OneToken> rung_;
  int vocab_size_;
  std::vector<std::int32_t> text_;  // of the sequence, up to the last computed token
  std::vector<float> logits_;       // [max_outputs, vocab]
};

}  // namespace rung
