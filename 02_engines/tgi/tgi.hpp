#pragma once
// What the rungs of this ladder share. A rung is a function from the text of a header to its list of tensors.
// files/safetensors_header.hpp describes the contract, and contains rung 0.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/registry.hpp"
#include "seams/safetensors_index.hpp"

namespace rung::tgi {

using Entries = std::vector<SafetensorsEntry>;

Entries sax(std::string_view header, const std::string& what);
Entries scan(std::string_view header, const std::string& what);

// The exercise, mine.cpp: one function per step. The messages of their Errors begin with the last argument.

/// Step 1. Returns the elements of a JSON list of integers from 0 to kMaxSafetensorsInteger. Throws Error for
/// anything else.
std::vector<std::uint64_t> my_integers(const nlohmann::json& list, const std::string& where);
/// Step 2. Returns the entry of the tensor `name` from its description in the header. Throws Error if a field
/// is missing or has another type.
SafetensorsEntry my_tensor(const std::string& name, const nlohmann::json& description,
                           const std::string& where);
/// Step 3. Returns the entries of a header.
Entries mine(std::string_view header, const std::string& what);

std::vector<ExerciseStep> steps();

/// A header of `count` tensors, named and shaped like those of a transformer, and the list that it describes.
struct MadeHeader {
  std::string text;
  Entries entries;
};
MadeHeader make_header(int count, bool metadata = true);

/// A header with the expected result: the tensors that a rung must read from it, or that it must refuse it.
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
