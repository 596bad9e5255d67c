#pragma once
// Memory for a copy of a weight in another layout.

#include <cstddef>
#include <memory>

#include "seams/linear.hpp"

namespace rung::linear {

struct FreePanels {
  void operator()(std::byte* memory) const;
};
using PanelMemory = std::unique_ptr<std::byte[], FreePanels>;

/// `bytes` bytes from the start of a cache line, content undefined. Large ones ask for pages of 2 MB: a
/// weight is read from end to end for every token, and each small page costs a look into the page table.
/// Throws Error with a sentence that names the rung and the layer.
PanelMemory take_panels(std::size_t bytes, const char* rung, const LinearConfig& config);

}  // namespace rung::linear
