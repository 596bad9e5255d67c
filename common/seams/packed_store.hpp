#pragma once
// Where a weight's copy in another layout may outlive the process that made it.
//
// Rungs of the seam `linear` that lay weights out anew ask here first (LinearConfig::store). The engine
// implements it with a file beside the model (engine/packed_file.hpp).
//
// Thread safety: none; rungs are made one after the other.

#include <cstddef>
#include <span>
#include <string_view>

#include "core/tensor.hpp"

namespace rung {

class PackedStore {
 public:
  virtual ~PackedStore() = default;

  /// The copy of `weight` in `layout` that an earlier process left, `bytes` long, from the start of a cache
  /// line; empty when there is none. It stays as long as this store. `layout` names the order of the bytes
  /// and nothing else: the rung, and a number that changes when the order does.
  virtual std::span<const std::byte> find(const Tensor& weight, std::string_view layout,
                                          std::size_t bytes) = 0;

  /// There was none, so the caller made this one. `copy` stays where it is until the store is saved.
  virtual void add(const Tensor& weight, std::string_view layout, std::span<const std::byte> copy) = 0;
};

}  // namespace rung
