#pragma once
// Seam `mixer`: the part of a layer in which a token can read the other tokens of its sequence.
//
// A mixer reads the normalized rows of a step and writes one output row for each of them. It has its own
// projections and uses its own cache. Softmax attention over keys and values is one mixer
// (engine/softmax_mixer.hpp). Other kinds of layers fit the same two calls:
//
// - Latent attention (MLA, DeepSeek-AI 2024, arXiv 2405.04434). run() projects x down to one latent row per
//   token and stores this row, with its rotated part, as the "keys" of the layer's view. There are no values.
//   The up-projections are part of the products before and after attention. plan() is the same as that of
//   softmax attention.
// - Linear attention (Katharopoulos et al. 2020, arXiv 2006.16236, and its gated variants). It keeps one
//   matrix per head and sequence instead of one row per token. For each sequence, plan() notes where its
//   state is stored and whether the state starts with zeros (context_length == query_count). run() visits the
//   rows of a sequence, in chunks if there are many, and updates the state.
// - State-space layers (Mamba, Gu and Dao 2023, arXiv 2312.00752). They do the same with two states per
//   sequence: the state of the recurrence and the last inputs of the convolution.
// - Bidirectional layers. They differ in the mask that their attention applies, not in this interface.
//
// States of sequences are a second kind of cache, beside the cache of keys and values. To add them, Caches
// gets one more pointer, and no signature changes.
//
// Must not know: feed-forward blocks, norms between the blocks, the residual stream, the number of layers.
// Thread safety: one call at a time; each uses the threads of the mixer's configuration inside. A row's
// result depends on its own sequence alone, bitwise.

#include "core/tensor.hpp"
#include "seams/batch.hpp"
#include "seams/kv_cache.hpp"

namespace rung {

/// The integers of a batch on the device, all i32. The tensors are views into the memory of the forward pass.
/// They are valid for one step and aligned to 4 bytes.
struct DeviceBatch {
  Tensor tokens;       // [1, tokens] token ids
  Tensor positions;    // [1, tokens]
  Tensor slots;        // [1, tokens] cache slots to which the tokens' keys and values are written
  Tensor output_rows;  // [1, outputs] rows whose logits are requested
};

/// The caches of a forward pass, not owned. Each mixer uses the cache that it needs.
struct Caches {
  /// Implicit, because most models need only a cache of keys and values.
  Caches(const KvCache& keys_and_values) : kv(&keys_and_values) {}  // NOLINT(google-explicit-constructor)

  const KvCache* kv;  // has grown to hold the step's tokens
};

class Mixer {
 public:
  virtual ~Mixer() = default;

  /// Does the host work of one step. The forward pass calls it on the mixers of all layers before the first
  /// layer runs. If layers share a part that needs this work, only one of them does it. Keeps a reference to
  /// `batch`, which must outlive run(). Throws Error if the batch exceeds a limit of the configuration.
  virtual void plan(const Batch& batch) = 0;

  /// Computes the layer's output rows, and writes to the mixer's cache what later steps need. x [tokens, dim]
  /// f32 has the rows after the layer's norm; out [tokens, dim] f32. `batch` is the planned batch on the
  /// device. Allocates nothing. REQUIRES: plan() was called with this step's batch; `out` does not overlap x.
  virtual void run(const Tensor& x, const DeviceBatch& batch, const Caches& caches, const Tensor& out) = 0;
};

}  // namespace rung
