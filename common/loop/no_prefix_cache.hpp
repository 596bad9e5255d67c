#pragma once
// A prefix cache that keeps nothing. It is the rung `none` and serves simulations without a prefix cache.

#include "seams/prefix_cache.hpp"

namespace rung {

class NoPrefixCache final : public PrefixCache {
 public:
  int match(std::span<const std::int32_t>, std::uint64_t, std::vector<std::int32_t>& blocks) override {
    blocks.clear();
    return 0;
  }
  int peek(std::span<const std::int32_t>, std::uint64_t) override { return 0; }
  void insert(std::span<const std::int32_t>, std::span<const std::int32_t>, std::uint64_t,
              std::vector<std::int32_t>&) override {}
  void evict(int, const std::function<bool(std::int32_t)>&, std::vector<std::int32_t>&) override {}
  std::vector<std::int32_t> held() const override { return {}; }
  void check_integrity() const override {}
};

}  // namespace rung
