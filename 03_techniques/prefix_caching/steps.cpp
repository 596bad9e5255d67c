// The graded steps of the exercise: what to write, hints, and checks with known answers.

#include <algorithm>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "prefix_caching.hpp"

namespace rung::prefix_caching {
namespace {

using Ids = std::vector<std::int32_t>;

constexpr int kBlock = 4;  // tokens per block, in most checks

// Four tokens each, so a block of the checks.
const Ids A = {1, 2, 3, 4}, B = {5, 6, 7, 8}, C = {9, 10, 11, 12};

Ids operator+(Ids a, const Ids& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::string text_of(const Ids& ids) {
  std::string text;
  for (const std::int32_t id : ids) text += fmt::format("{}{}", text.empty() ? "" : " ", id);
  return text.empty() ? "none" : text;
}

/// A fresh cache of a check, which compares the results of each operation.
class Checked {
 public:
  Checked(std::string name, int block_size)
      : name_(std::move(name)), block_size_(block_size), cache_(make_mine({block_size, Eviction::lru})) {}

  void insert(const Ids& tokens, const Ids& blocks, const Ids& expected, std::uint64_t salt = 0) {
    Ids kept = {-7};  // of an earlier call
    cache_->insert(tokens, blocks, salt, kept);
    expect("kept, which held -7 before", Ids{-7} + expected, kept);
  }
  void held(const Ids& expected) { expect("held(), sorted", expected, sorted(cache_->held())); }

  /// `parts` is the result of a cache that finds parts of blocks, too. If it is not given, it is the same.
  struct Found {
    int tokens = 0;
    Ids blocks = {};
  };
  void match(const Ids& tokens, const Found& whole, std::uint64_t salt = 0) {
    match(tokens, whole, whole, salt);
  }
  void match(const Ids& tokens, const Found& whole, const Found& parts, std::uint64_t salt = 0) {
    Found got{0, {-7}};  // of an earlier call
    got.tokens = cache_->match(tokens, salt, got.blocks);
    const Found& expected = got.tokens == parts.tokens ? parts : whole;
    expect("the number of tokens that match() returned", {expected.tokens}, {got.tokens});
    expect("the blocks of the match", expected.blocks, got.blocks);
  }

  /// Blocks in `must_stay` may not go.
  void evict(int count, const Ids& expected, const Ids& must_stay = {}) {
    Ids dropped = {-7};  // of an earlier call
    cache_->evict(
        count, [&](std::int32_t block) { return std::ranges::count(must_stay, block) == 0; }, dropped);
    expect("dropped, which held -7 before, sorted", Ids{-7} + expected, sorted(dropped));
  }

 private:
  static Ids sorted(Ids ids) {
    std::sort(ids.begin(), ids.end());
    return ids;
  }
  /// The first difference ends the check.
  void expect(const char* what, const Ids& expected, const Ids& actual) {
    ++operations_;
    if (expected == actual) return;
    fail("{}", mismatch(name_, fmt::format("blocks of {} tokens", block_size_),
                        fmt::format("result {}: {}", operations_, what), text_of(expected), text_of(actual)));
  }

  std::string name_;
  int block_size_;
  std::unique_ptr<PrefixCache> cache_;
  int operations_ = 0;
};

Trial check(std::string name, std::function<void(Checked& cache)> body, int block_size = kBlock) {
  return step_check(std::move(name), [=](const std::string& name) {
    Checked cache(name, block_size);
    body(cache);
    return Verdict();
  });
}

std::vector<Trial> insert_checks() {
  return {
      check("a new cache is empty", [](Checked& cache) { cache.held({}); }),
      check("a text of two blocks",
            [](Checked& cache) {
              cache.insert(A + B, {7, 8}, {7, 8});
              cache.held({7, 8});
            }),
      check("6 tokens: the last block is not full",
            [](Checked& cache) {
              cache.insert(A + Ids{5, 6}, {7, 8}, {7});
              cache.held({7});
            }),
      check("3 tokens and no tokens: no whole block",
            [](Checked& cache) {
              cache.insert({1, 2, 3}, {7}, {});
              cache.insert({}, {}, {});
              cache.held({});
            }),
      check("the same text in other blocks: the first blocks stay",
            [](Checked& cache) {
              cache.insert(A + B, {7, 8}, {7, 8});
              cache.insert(A + B, {17, 18}, {});
              cache.held({7, 8});
            }),
      check("a longer text: only its last block is new",
            [](Checked& cache) {
              cache.insert(A + B, {7, 8}, {7, 8});
              cache.insert(A + B + C, {17, 18, 19}, {19});
              cache.held({7, 8, 19});
            }),
      check("the same tokens after another text need another block",
            [](Checked& cache) {
              cache.insert(A + B, {7, 8}, {7, 8});
              cache.insert(C + B, {17, 18}, {17, 18});
              cache.held({7, 8, 17, 18});
            }),
      check("the same tokens twice in a text need two blocks",
            [](Checked& cache) {
              cache.insert(A + A + A, {7, 8, 9}, {7, 8, 9});
              cache.held({7, 8, 9});
            }),
      check("texts with different salts share nothing",
            [](Checked& cache) {
              cache.insert(A, {7}, {7}, 0);
              cache.insert(A, {8}, {8}, 1);
              cache.held({7, 8});
            }),
      check(
          "blocks of one token",
          [](Checked& cache) {
            cache.insert({5, 5, 6}, {7, 8, 9}, {7, 8, 9});
            cache.insert({5, 6}, {17, 18}, {18});
            cache.held({7, 8, 9, 18});
          },
          1),
  };
}

std::vector<Trial> match_checks() {
  return {
      check("an empty cache finds nothing",
            [](Checked& cache) {
              cache.match(A, {0, {}});
              cache.match({}, {0, {}});
            }),
      check("the whole text is known",
            [](Checked& cache) {
              cache.insert(A + B, {7, 8}, {7, 8});
              cache.match(A + B, {8, {7, 8}});
            }),
      check("a known text goes on",
            [](Checked& cache) {
              cache.insert(A, {7}, {7});
              cache.match(A + B + C, {4, {7}});
            }),
      check("a part of a known text",
            [](Checked& cache) {
              cache.insert(A + B + C, {7, 8, 9}, {7, 8, 9});
              cache.match(A + B, {8, {7, 8}});
            }),
      check("6 tokens of a known text: whole blocks have 4 of them",
            [](Checked& cache) {
              cache.insert(A + B, {7, 8}, {7, 8});
              cache.match(A + Ids{5, 6}, {4, {7}}, {6, {7, 8}});
              cache.match({1, 2, 3}, {0, {}}, {3, {7}});
            }),
      check("the text differs in its second block",
            [](Checked& cache) {
              cache.insert(A + B, {7, 8}, {7, 8});
              cache.match(A + C, {4, {7}});
            }),
      check("a known block after an unknown one is not found",
            [](Checked& cache) {
              cache.insert(A + B + C, {7, 8, 9}, {7, 8, 9});
              cache.match(C + B, {0, {}});
              cache.match(B, {0, {}});
              cache.match(A + C + C, {4, {7}});
            }),
      check("known tokens after another known text",
            [](Checked& cache) {
              cache.insert(A + B, {7, 8}, {7, 8});
              cache.insert(C, {9}, {9});
              cache.match(C + B, {4, {9}});
              cache.insert(C + B, {9, 18}, {18});
              cache.match(C + B, {8, {9, 18}});
              cache.match(A + B, {8, {7, 8}});
            }),
      check("texts with different salts share nothing",
            [](Checked& cache) {
              cache.insert(A + B, {7, 8}, {7, 8}, 0);
              cache.insert(A, {9}, {9}, 1);
              cache.match(A + B, {4, {9}}, 1);
              cache.match(A + B, {0, {}}, 2);
            }),
      check(
          "blocks of one token",
          [](Checked& cache) {
            cache.insert({5, 5, 6}, {7, 8, 9}, {7, 8, 9});
            cache.match({5, 5, 7}, {2, {7, 8}});
          },
          1),
  };
}

std::vector<Trial> evict_checks() {
  return {
      check("an empty cache has nothing to evict", [](Checked& cache) { cache.evict(2, {}); }),
      check("the end of a text goes first",
            [](Checked& cache) {
              cache.insert(A + B + C, {7, 8, 9}, {7, 8, 9});
              cache.evict(1, {9});
              cache.held({7, 8});
              cache.match(A + B + C, {8, {7, 8}});
            }),
      check("the whole text, if more blocks must go than there are",
            [](Checked& cache) {
              cache.insert(A + B, {8, 7}, {8, 7});
              cache.evict(5, {7, 8});
              cache.held({});
              cache.match(A + B, {0, {}});
            }),
      check("no block must go",
            [](Checked& cache) {
              cache.insert(A, {7}, {7});
              cache.evict(0, {});
              cache.held({7});
            }),
      check("two texts share their first block, which must stay",
            [](Checked& cache) {
              cache.insert(A + B, {7, 8}, {7, 8});
              cache.insert(A + C, {7, 9}, {9});
              cache.evict(2, {8, 9});
              cache.match(A + B, {4, {7}});
            }),
      check("the last block may not go, and the first one has a continuation",
            [](Checked& cache) {
              cache.insert(A + B, {7, 8}, {7, 8});
              cache.evict(2, {}, {8});
              cache.held({7, 8});
            }),
      check("one of two ends may not go",
            [](Checked& cache) {
              cache.insert(A + B, {7, 8}, {7, 8});
              cache.insert(A + C, {7, 9}, {9});
              cache.evict(3, {9}, {8});
              cache.held({7, 8});
            }),
      check("a text with another salt is no continuation",
            [](Checked& cache) {
              cache.insert(A, {7}, {7}, 0);
              cache.insert(A + B, {8, 9}, {8, 9}, 1);
              cache.evict(1, {7}, {8, 9});
            }),
      check("the continuation counts, although the same text is known with another salt",
            [](Checked& cache) {
              cache.insert(A + B, {8, 9}, {8, 9}, 0);
              cache.insert(A, {7}, {7}, 1);
              cache.evict(1, {}, {7, 9});
            }),
      check("a text that does not begin with the block is no continuation",
            [](Checked& cache) {
              cache.insert(A, {7}, {7});
              cache.insert(B + A, {8, 9}, {8, 9});
              cache.insert(C, {10}, {10});
              cache.evict(1, {7}, {8, 9, 10});
            }),
      check("an evicted text can be inserted again",
            [](Checked& cache) {
              cache.insert(A + B, {7, 8}, {7, 8});
              cache.evict(1, {8});
              cache.insert(A + B, {7, 18}, {18});
              cache.match(A + B, {8, {7, 18}});
            }),
  };
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(3);
  list[0] = {
      "insert",
      "Write `insert()` and `held()`: remember every whole block together with the text up to its end.",
      9,
      {"The same four tokens can stand after two different texts. What must the key of a block contain "
       "besides its own tokens?",
       "Loop over the ends of the whole blocks: block_size, 2 * block_size, and so on, as long as they "
       "are at most tokens.size(). The key is the salt and the tokens before this end.",
       "try_emplace() of std::map inserts only if the key is new, and returns a pair. Its second member "
       "says whether it did. Only then, append the block to kept."},
      insert_checks};
  list[1] = {"match",
             "Write `match()`: follow the text block by block, as long as its beginning is known.",
             10,
             {"The first block is not known, but the second one is. May a sequence use it?",
              "Clear `blocks`. Look up the text up to the end of each whole block, in order, and stop at the "
              "first one that find() does not know.",
              "Write down the use: let a counter of the class grow with every use, and store it beside the "
              "block's number. Step 3 needs it."},
             match_checks};
  list[2] = {
      "evict",
      "Write `evict()`: remove blocks after which no known text continues.",
      15,
      {"A lookup stops at the first unknown block. What happens to the blocks that follow an evicted one?",
       "In a std::map, the keys are in order: the texts that continue a text follow it at once. So look at "
       "the next key only. Does it have the same salt, is it longer, and does it begin with this text?",
       "In each round, search all blocks that can be removed for the one with the oldest use. Remove it, and "
       "begin the next round, because its predecessor may now be an end. Return if there was none."},
      evict_checks,
      true};
  return list;
}

}  // namespace rung::prefix_caching
