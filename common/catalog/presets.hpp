#pragma once
// Presets of --engine: the rungs of several seams under one name. The topics of chapter 02 say why.

#include <map>
#include <string>

#include "core/registry.hpp"

namespace rung {

struct Preset {
  std::string name;
  std::map<std::string, std::string> rungs;  // seam -> rung; the others stay `auto`
  bool exact = false;                        // keys and values are stored in float32 too
};

/// `auto`, `naive` (the bottom of every ladder of `registry`), or a preset by its name. Throws UsageError
/// that lists the known names.
Preset find_preset(const Registry& registry, const std::string& name);

/// All names, with `between` between two of them.
std::string preset_names(const std::string& between);

}  // namespace rung
