#pragma once
// A store of weights in other layouts. Its contents may outlive the process that made them.
//
// A rung of the seam `linear` that copies a weight into another layout first looks for the copy in this store
// (LinearConfig::store). The engine implements the store as a file beside the model (engine/packed_file.hpp).
//
// Thread safety: none; rungs are built one after the other.

#include <cstddef>
#include <span>
#include <string_view>

#include "core/tensor.hpp"

namespace rung {

class PackedStore {
 public:
  virtual ~PackedStore() = default;

  /// Returns the copy of `weight` in `layout` that an earlier process stored, or an empty span if there is
  /// none. The copy has `bytes` bytes, starts at the start of a cache line, and is valid as long as this
  /// store. `layout` identifies the order of the bytes: it contains the name of the rung and a number that
  /// changes whenever the rung changes the order.
  virtual std::span<const std::byte> find(const Tensor& weight, std::string_view layout,
                                          std::size_t bytes) = 0;

  /// Adds a copy that the caller made because find() returned none. REQUIRES: `copy` remains valid and
  /// unchanged until the store is saved.
  virtual void add(const Tensor& weight, std::string_view layout, std::span<const std::byte> copy) = 0;
};

}  // namespace rung
