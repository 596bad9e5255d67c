#pragma once
// The rungs of the seam `quantizer` in the form that convert/quantize.hpp needs.

#include <string>

#include "convert/quantize.hpp"
#include "core/registry.hpp"

namespace rung {

/// Returns whether the choice `rung` (a name, `auto`, or several names separated by commas) contains a rung
/// for `type`, with or without importance weights. Throws UsageError for an unknown name.
bool can_quantize(const Registry& registry, const std::string& rung, DType type, bool weighted);

/// Returns a function that selects the rung of each tensor according to the choice `rung`. A rung that cannot
/// use weights works without them. Throws Error, which names both, for a rung that does not support a format
/// at all. `registry` must outlive the result.
QuantizerChoice quantizer_choice(const Registry& registry, const std::string& rung);

}  // namespace rung
