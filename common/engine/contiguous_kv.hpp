#pragma once

#include <memory>

#include "core/registry.hpp"
#include "seams/kv_cache.hpp"

namespace rung {

/// Rung `contiguous` of seam `kv`: every sequence owns one block of max_context slots from the start.
/// The simplest cache, and the one that wastes most: a sequence of ten tokens holds memory for all.
std::unique_ptr<KvCache> contiguous_kv(const KvConfig& config);

void register_contiguous_kv(Registry& registry);

}  // namespace rung
