#pragma once
// Seam `mixer`: the part of a layer in which tokens see each other.
//
// A mixer reads the normed rows of a step and writes one row for each. In between it uses its own projections
// and its own cache. Softmax attention over keys and values is one mixer (engine/softmax_mixer.hpp). Other
// kinds of layers fit in the same two calls:
//
//   latent attention    (MLA, DeepSeek-AI 2024, arXiv 2405.04434) run() projects x down to a latent row per
//   token
//                       and stores it, with its rotated part, as the "keys" of the layer's view; there are no
//                       values. The projections up are part of the products before and after attention.
//                       plan() is that of attention.
//   linear attention    (Katharopoulos et al. 2020, arXiv 2006.16236; gated variants of it) keeps a matrix
//   per
//                       head and sequence instead of a row per token. plan() notes for each sequence where
//                       its state lies and whether it begins with zeros (context_length == query_count).
//                       run() walks over the rows of a sequence, in chunks where there are many, and updates
//                       the state.
//   state-space layers  (Mamba, Gu and Dao 2023, arXiv 2312.00752) do the same with two states per sequence:
//   that of
//                       the recurrence and the last inputs of the convolution.
//   bidirectional       layers differ in the mask that their attention applies, not in this interface.
//
// States that belong to sequences are a second kind of cache, beside the one for keys and values: Caches gets
// one more pointer for it, and no signature changes.
//
// Must not know: feed-forward blocks, norms between the blocks, the residual stream, the number of layers.
// Thread safety: one call at a time; each uses the threads of the mixer's configuration inside. A row's
// result depends on its own sequence alone, bitwise.

#include "core/tensor.hpp"
#include "seams/batch.hpp"
#include "seams/kv_cache.hpp"

namespace rung {

/// The numbers of a batch on the device, i32 each. Views into the memory of the forward pass, valid for one
/// step, aligned to 4 bytes.
struct DeviceBatch {
  Tensor tokens;       // [1, tokens] token ids
  Tensor positions;    // [1, tokens]
  Tensor slots;        // [1, tokens] where each token's keys and values are written
  Tensor output_rows;  // [1, outputs]
};

/// The caches of a forward pass. Each mixer uses the one that it needs. Not owned.
struct Caches {
  /// A cache of keys and values is all that most models have, so it converts.
  Caches(const KvCache& keys_and_values) : kv(&keys_and_values) {}  // NOLINT(google-explicit-constructor)

  const KvCache* kv;  // has grown to hold the step's tokens
};

class Mixer {
 public:
  virtual ~Mixer() = default;

  /// Host work of one step, called once before the first layer runs, on the mixers of all layers. Layers that
  /// share a part which needs this work do it once among them. Keeps a reference: `batch` must outlive run().
  /// Throws Error when the batch exceeds a limit of the configuration.
  virtual void plan(const Batch& batch) = 0;

  /// x [tokens, dim] f32, the rows after the layer's norm; out [tokens, dim] f32. `batch` is the planned
  /// batch on the device. Also writes what later steps need to the mixer's cache. Nothing is allocated here.
  /// REQUIRES: plan() was called with this step's batch; `out` does not overlap x.
  virtual void run(const Tensor& x, const DeviceBatch& batch, const Caches& caches, const Tensor& out) = 0;
};

}  // namespace rung
