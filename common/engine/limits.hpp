#pragma once
// The limits of this machine, with reading measured by a rung of seam `bandwidth`.

#include <string>

#include "core/machine.hpp"
#include "core/registry.hpp"

namespace rung {

/// Reading by the rung called `bandwidth` ("auto": the fastest). Throws UsageError for a rung that does not
/// exist.
ReadLoop read_loop(const Registry& registry, const std::string& bandwidth, int threads);

/// machine_limits() with the rung called `bandwidth` ("auto": the fastest). Throws UsageError for a rung that
/// does not exist.
MachineLimits limits_of_machine(const Registry& registry, const std::string& bandwidth, int threads,
                                bool remeasure = false);

/// Whether rungs of seam linear, as Engine::rungs() names them ("packed+simd"), multiply bytes.
bool multiplies_bytes(const Registry& registry, const std::string& linear);

}  // namespace rung
