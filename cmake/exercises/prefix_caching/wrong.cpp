// A wrong answer: blocks are known by their own tokens alone, whatever stood before them.

#include <algorithm>
#include <map>

#include "prefix_caching.hpp"

namespace rung::prefix_caching {
namespace {

class Forgetful final : public PrefixCache {
 public:
  explicit Forgetful(const PrefixCacheConfig& config) : size_(static_cast<std::size_t>(config.block_size)) {}

  int match(std::span<const std::int32_t> tokens, std::uint64_t, std::vector<std::int32_t>& blocks) override {
    blocks.clear();
    for (std::size_t at = 0; at + size_ <= tokens.size(); at += size_) {
      const auto found = known_.find(part(tokens, at));
      if (found == known_.end()) break;
      blocks.push_back(found->second);
    }
    return static_cast<int>(blocks.size() * size_);
  }
  void insert(std::span<const std::int32_t> tokens, std::span<const std::int32_t> blocks, std::uint64_t,
              std::vector<std::int32_t>& kept) override {
    for (std::size_t at = 0; at + size_ <= tokens.size(); at += size_) {
      if (known_.try_emplace(part(tokens, at), blocks[at / size_]).second) kept.push_back(blocks[at / size_]);
    }
  }
  void evict(int, const std::function<bool(std::int32_t)>&, std::vector<std::int32_t>&) override {}
  std::vector<std::int32_t> held() const override {
    std::vector<std::int32_t> blocks;
    for (const auto& [tokens, block] : known_) blocks.push_back(block);
    return blocks;
  }
  void check_integrity() const override {}

 private:
  std::vector<std::int32_t> part(std::span<const std::int32_t> tokens, std::size_t at) const {
    return {tokens.begin() + static_cast<std::ptrdiff_t>(at),
            tokens.begin() + static_cast<std::ptrdiff_t>(at + size_)};
  }
  std::size_t size_;
  std::map<std::vector<std::int32_t>, std::int32_t> known_;
};

}  // namespace

std::unique_ptr<PrefixCache> make_mine(const PrefixCacheConfig& config) {
  return std::make_unique<Forgetful>(config);
}

}  // namespace rung::prefix_caching
