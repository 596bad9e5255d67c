#pragma once

#include "core/registry.hpp"

namespace rung {

/// Every rung of the house. Made once; read-only.
const Registry& variants();

}  // namespace rung
