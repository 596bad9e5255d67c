#pragma once

#include "core/registry.hpp"

namespace rung {

/// Returns the registry of all rungs of this project. It is created once and is read-only.
const Registry& variants();

/// Returns a new registry with all rungs of this project, to which the caller can add rungs.
Registry make_variants();

}  // namespace rung
