// Rung 0: nothing is kept. Every request computes its whole prompt, and nothing is looked up.

#include "prefix_caching.hpp"

namespace rung::prefix_caching {
namespace {

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

}  // namespace

std::unique_ptr<PrefixCache> make_none(const PrefixCacheConfig& /*config*/) {
  return std::make_unique<NoPrefixCache>();
}

}  // namespace rung::prefix_caching
