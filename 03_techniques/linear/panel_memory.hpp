#pragma once
// A copy of a weight in another layout: memory of its own, or what an earlier process left in a file.

#include <cstddef>
#include <functional>
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

/// The panels of one weight, read-only once they are made.
class Panels {
 public:
  Panels() = default;
  /// Takes them from config.store if it has them; else lets `write` fill memory of their own, and tells the
  /// store. `version` counts the changes of this rung's layout, which must not depend on the processor.
  Panels(const LinearConfig& config, const char* rung, int version, std::size_t bytes,
         const std::function<void(std::byte*)>& write);

  const std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  PanelMemory own_;  // empty when they lie in the store
  const std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace rung::linear
