#pragma once

#include "core/registry.hpp"

namespace rung {

/// Every rung of the house. Made once; read-only.
const Registry& variants();

/// The same catalogue for whoever adds rungs of their own to it.
Registry make_variants();

}  // namespace rung
