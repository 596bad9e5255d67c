#pragma once
// Presets of --engine: a preset selects the rungs of several seams by one name. The lessons of chapter 02
// give the reasons.

#include <map>
#include <string>

#include "core/registry.hpp"

namespace rung {

struct Preset {
  std::string name;
  std::map<std::string, std::string> rungs;  // seam -> rung; seams without an entry use `auto`
  bool exact = false;                        // keys and values are stored in float32 too
};

/// Returns `auto`, `naive` (the bottom rung of every ladder of `registry`), or the preset called `name`.
/// Throws UsageError, which lists the known names, for an unknown name.
Preset find_preset(const Registry& registry, const std::string& name);

/// Returns all names, separated by `between`.
std::string preset_names(const std::string& between);

}  // namespace rung
