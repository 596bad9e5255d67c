#pragma once
// The inputs of the seam `step_cost`: a model as numbers, and measured steps of an engine.

#include <functional>
#include <vector>

#include "core/dtype.hpp"
#include "engine/engine.hpp"
#include "model/kv_shape.hpp"
#include "seams/step_cost.hpp"

namespace rung {

/// Describes a loaded model: the bytes of its weights in their formats, and keys and values in `kv_type`.
StepModel step_model(const Model& model, DType kv_type);

/// Describes a published shape (named_kv_shape()) with 16-bit weights. All weights count as layers, because
/// the shape does not say how many belong to the output matrix. Throws Error if the weights or heads of the
/// shape are not known.
StepModel step_model(const KvShape& shape, DType kv_type);

/// Selects the steps that measure_steps() runs.
struct StepTiming {
  int batch = 8;       // largest decode batch; batches of 1, 2, 4, ... up to it are measured; at most
                       // config().max_sequences
  int context = 1024;  // length of the longest sequence in tokens; a half and a quarter of it are measured
                       // too; at most config().context
  int repeats = 3;     // number of measured runs, after one that is not counted; their medians are used
};

/// Runs and times steps of every kind: prompts from 1 token to a full step, one long prompt in chunks, decode
/// of growing batches after short prompts, and decode of four sequences after longer prompts. They include
/// steps in which a prompt joins sequences that decode. REQUIRES: the engine has no requests. Throws Error if
/// the engine did not run the expected steps. `progress` receives 0 to 1 and can throw.
std::vector<StepSample> measure_steps(Engine& engine, const StepTiming& timing,
                                      const std::function<void(double)>& progress = {});

}  // namespace rung
