#pragma once
// What seam `step_cost` is asked with: a model as numbers, and steps of an engine that were timed.

#include <functional>
#include <vector>

#include "core/dtype.hpp"
#include "engine/engine.hpp"
#include "model/kv_shape.hpp"
#include "seams/step_cost.hpp"

namespace rung {

/// The model as it is loaded: bytes of its weights in their formats, keys and values in `kv_type`.
StepModel step_model(const Model& model, DType kv_type);

/// A published shape (named_kv_shape()): 16-bit weights, all of them counted as layers, because the shape
/// does not say how many are the output matrix. Throws Error for a shape whose weights or heads are not
/// known.
StepModel step_model(const KvShape& shape, DType kv_type);

/// Which steps measure_steps() runs.
struct StepTiming {
  int batch = 8;       // decode with 1, 2, 4, ... sequences up to this; at most config().max_sequences
  int context = 1024;  // one sequence is carried so far (and half, and a quarter); at most config().context
  int repeats = 3;     // the whole is run so often (after a first time that is not counted); medians count
};

/// Runs and times steps of every kind: prompts from 1 token to a full step, one long prompt in chunks, decode
/// of growing batches after short prompts and of four sequences after longer ones; the steps in which a
/// prompt joins others that decode are among them. REQUIRES: an engine with nothing to do. Throws Error when
/// the engine did not run the steps that were expected of it. `progress` (0 to 1) may throw.
std::vector<StepSample> measure_steps(Engine& engine, const StepTiming& timing,
                                      const std::function<void(double)>& progress = {});

}  // namespace rung
