// Rung 2: a radix tree (RadixAttention: Zheng et al. 2023, arXiv 2312.07104). A node is a run of blocks that
// always follow each other, its children are the ways in which known texts go on; so what two texts share is
// one path. Looking up compares tokens along one path and hashes nothing. Where a text leaves a known one
// inside a block, the block is reused up to there: the KV cache copies it as soon as something is written.
//
// Nodes begin and end at blocks' borders, so two children may begin with the same tokens and differ later in
// the block.

#include <algorithm>
#include <list>

#include "core/error.hpp"
#include "prefix_caching.hpp"

namespace rung::prefix_caching {
namespace {

struct Node {
  Node* parent = nullptr;
  std::vector<std::int32_t> tokens;  // whole blocks of them
  std::vector<std::int32_t> blocks;
  std::list<Node> children;
  std::int64_t last_use = 0, uses = 0;
};

std::size_t common_prefix(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

class Radix final : public PrefixCache {
 public:
  explicit Radix(const PrefixCacheConfig& config) : config_(config) {}

  int match(std::span<const std::int32_t> tokens, std::uint64_t salt,
            std::vector<std::int32_t>& blocks) override {
    blocks.clear();
    ++clock_;
    return walk(tokens, salt, [&](Node& node, std::size_t same) {
      use(node);
      const std::size_t used = (same + size() - 1) / size();
      blocks.insert(blocks.end(), node.blocks.begin(),
                    node.blocks.begin() + static_cast<std::ptrdiff_t>(used));
    });
  }

  int peek(std::span<const std::int32_t> tokens, std::uint64_t salt) override {
    return walk(tokens, salt, [](Node&, std::size_t) {});
  }

  void insert(std::span<const std::int32_t> tokens, std::span<const std::int32_t> blocks, std::uint64_t salt,
              std::vector<std::int32_t>& kept) override {
    tokens = tokens.first(tokens.size() / size() * size());
    ++clock_;
    Node* node = root(salt, true);
    while (!tokens.empty()) {
      Node* next = nullptr;
      std::size_t shared = 0;  // whole blocks that the child and the text share, in tokens
      for (Node& child : node->children) {
        const std::size_t same = common_prefix(child.tokens, tokens) / size() * size();
        if (same > shared) shared = same, next = &child;
      }
      if (next == nullptr) {
        Node& leaf = node->children.emplace_back();
        leaf.parent = node;
        leaf.tokens.assign(tokens.begin(), tokens.end());
        leaf.blocks.assign(blocks.begin(),
                           blocks.begin() + static_cast<std::ptrdiff_t>(tokens.size() / size()));
        leaf.last_use = clock_;
        kept.insert(kept.end(), leaf.blocks.begin(), leaf.blocks.end());
        return;
      }
      if (shared < next->tokens.size()) split(*next, shared);
      next->last_use = clock_;
      tokens = tokens.subspan(shared);
      blocks = blocks.subspan(shared / size());
      node = next;
    }
  }

  void evict(int count, const std::function<bool(std::int32_t)>& may_go,
             std::vector<std::int32_t>& dropped) override {
    while (count > 0) {
      Node* victim = nullptr;
      for (Root& r : roots_) oldest_leaf(r.node, may_go, victim);
      if (victim == nullptr) return;
      // From its end on: what is left still begins at the beginning.
      while (count > 0 && !victim->blocks.empty() && may_go(victim->blocks.back())) {
        dropped.push_back(victim->blocks.back());
        victim->blocks.pop_back();
        victim->tokens.resize(victim->tokens.size() - size());
        --count;
      }
      if (victim->blocks.empty()) {
        Node& parent = *victim->parent;
        parent.children.remove_if([victim](const Node& n) { return &n == victim; });
      }
    }
  }

  std::vector<std::int32_t> held() const override {
    std::vector<std::int32_t> blocks;
    const auto collect = [&](const auto& self, const Node& node) -> void {
      blocks.insert(blocks.end(), node.blocks.begin(), node.blocks.end());
      for (const Node& child : node.children) self(self, child);
    };
    for (const Root& r : roots_) collect(collect, r.node);
    return blocks;
  }

  void check_integrity() const override {
    for (const Root& r : roots_) check(r.node, true);
  }

 private:
  struct Root {
    std::uint64_t salt;
    Node node;
  };

  std::size_t size() const { return static_cast<std::size_t>(config_.block_size); }

  Node* root(std::uint64_t salt, bool make) {
    for (Root& r : roots_) {
      if (r.salt == salt) return &r.node;
    }
    if (!make) return nullptr;
    roots_.push_back({salt, {}});
    return &roots_.back().node;
  }

  /// Follows `tokens` as far as they are known, and returns how far that is. `visit` sees every node on the
  /// way and how many of its tokens are the text's.
  template <class Visit>
  int walk(std::span<const std::int32_t> tokens, std::uint64_t salt, Visit visit) {
    std::size_t known = 0;
    for (Node* node = root(salt, false); node != nullptr;) {
      const auto rest = tokens.subspan(known);
      std::size_t longest = 0;
      Node* next = nullptr;
      for (Node& child : node->children) {
        const std::size_t same = common_prefix(child.tokens, rest);
        if (same > longest) longest = same, next = &child;
      }
      if (next == nullptr) break;
      visit(*next, longest);
      known += longest;
      node = longest == next->tokens.size() ? next : nullptr;
    }
    return static_cast<int>(known);
  }

  void use(Node& node) {
    node.last_use = clock_;
    ++node.uses;
  }

  /// The node keeps its first `shared` tokens; the rest becomes its only child.
  void split(Node& node, std::size_t shared) {
    Node rest;
    rest.parent = &node;
    rest.last_use = node.last_use;
    rest.uses = node.uses;
    rest.tokens.assign(node.tokens.begin() + static_cast<std::ptrdiff_t>(shared), node.tokens.end());
    rest.blocks.assign(node.blocks.begin() + static_cast<std::ptrdiff_t>(shared / size()), node.blocks.end());
    rest.children = std::move(node.children);
    node.children.clear();
    node.tokens.resize(shared);
    node.blocks.resize(shared / size());
    node.children.push_back(std::move(rest));
    for (Node& child : node.children.back().children) child.parent = &node.children.back();
  }

  void oldest_leaf(Node& node, const std::function<bool(std::int32_t)>& may_go, Node*& oldest) {
    for (Node& child : node.children) {
      if (!child.children.empty()) {
        oldest_leaf(child, may_go, oldest);
        continue;
      }
      if (!may_go(child.blocks.back())) continue;
      if (oldest == nullptr || older(child, *oldest)) oldest = &child;
    }
  }
  bool older(const Node& a, const Node& b) const {
    if (config_.eviction == Eviction::lfu && a.uses != b.uses) return a.uses < b.uses;
    return a.last_use < b.last_use;
  }

  void check(const Node& node, bool is_root) const {
    if (is_root != node.tokens.empty() || node.tokens.size() != node.blocks.size() * size()) {
      fail("prefix cache: a node has {} tokens in {} blocks of {}", node.tokens.size(), node.blocks.size(),
           size());
    }
    for (const Node& child : node.children) {
      if (child.parent != &node)
        fail("prefix cache: the node of block {} has another parent", child.blocks.front());
      check(child, false);
      for (const Node& other : node.children) {
        if (&other != &child && common_prefix(other.tokens, child.tokens) >= size())
          fail("prefix cache: blocks {} and {} hold the same tokens", child.blocks.front(),
               other.blocks.front());
      }
    }
  }

  PrefixCacheConfig config_;
  std::list<Root> roots_;  // one tree per salt; addresses stay
  std::int64_t clock_ = 0;
};

}  // namespace

std::unique_ptr<PrefixCache> make_radix(const PrefixCacheConfig& config) {
  return std::make_unique<Radix>(config);
}

}  // namespace rung::prefix_caching
