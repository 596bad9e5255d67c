#pragma once
// What the rungs of this ladder share. A rung is a plain function: header text in, tensors out; the contract
// stands in files/safetensors_header.hpp. Rung 0 is the plain reader of that floor.

#include <string>
#include <string_view>
#include <vector>

#include "core/registry.hpp"
#include "seams/safetensors_index.hpp"

namespace rung::tgi {

using Entries = std::vector<SafetensorsEntry>;

Entries sax(std::string_view header, const std::string& what);
Entries scan(std::string_view header, const std::string& what);
Entries mine(std::string_view header, const std::string& what);

/// A header made of `count` tensors as a transformer has them, and the list that reading it must give.
struct MadeHeader {
  std::string text;
  Entries entries;
};
MadeHeader make_header(int count, bool metadata = true);

/// Headers with their answer: what must be read from them, or that they must be refused.
struct Case {
  std::string name;
  std::string header;
  Entries expected;
  bool refused = false;
};
std::vector<Case> cases();

std::vector<Trial> trials(const Ladder<SafetensorsIndex>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::tgi
