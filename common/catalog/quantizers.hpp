#pragma once
// The rungs of seam `quantizer` in the form in which convert/quantize.hpp asks for them.

#include <string>

#include "convert/quantize.hpp"
#include "core/registry.hpp"

namespace rung {

/// Whether the choice `rung` (a name, `auto`, or several with commas between) has a rung for `type`, with or
/// without importance weights. UsageError for an unknown name.
bool can_quantize(const Registry& registry, const std::string& rung, DType type, bool weighted);

/// For each tensor the rung that the choice `rung` comes to. Where it cannot use weights it does
/// without; one that does not support a format at all is an Error that names both. `registry` must outlive
/// the result.
QuantizerChoice quantizer_choice(const Registry& registry, const std::string& rung);

}  // namespace rung
