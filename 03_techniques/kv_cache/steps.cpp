// The graded steps of the exercise: what to write, hints, and checks with known answers.

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "core/printable.hpp"
#include "core/rng.hpp"
#include "kv_cache.hpp"

namespace rung::kv_cache {
namespace {

/// A check of a fresh pool. The body calls expect(what, expected, actual) after each operation. The first
/// difference ends the check, because the next operation could access memory outside a wrong pool.
using Expect = std::function<void(const std::string& what, int expected, int actual)>;

Trial check(std::string name, int blocks, std::function<void(BlockPool& pool, const Expect& expect)> body) {
  return step_check(std::move(name), [=](const std::string& name) {
    const std::unique_ptr<BlockPool> pool = mine(blocks);
    body(*pool, [&](const std::string& what, int expected, int actual) {
      if (expected == actual) return;
      fail("{}",
           mismatch(name, counted(blocks, "block"), what, std::to_string(expected), std::to_string(actual)));
    });
    return Verdict();
  });
}

/// Takes all blocks and expects each of them once. Returns them.
std::vector<int> take_all(BlockPool& pool, int blocks, const Expect& expect) {
  std::vector<int> taken;
  for (int i = 0; i < blocks; ++i) {
    taken.push_back(pool.take());
    expect(fmt::format("free blocks after {} calls of take()", i + 1), blocks - i - 1, pool.free_blocks());
  }
  std::vector<int> sorted = taken;
  std::sort(sorted.begin(), sorted.end());
  for (int i = 0; i < blocks; ++i)
    expect(fmt::format("number {} of the taken blocks, sorted", i), i, sorted[static_cast<std::size_t>(i)]);
  return taken;
}

std::vector<Trial> take_checks() {
  std::vector<Trial> checks = {
      check("a new pool is free", 5,
            [](BlockPool& pool, const Expect& expect) { expect("free blocks", 5, pool.free_blocks()); }),
  };
  for (const int blocks : {1, 2, 7, 1000}) {
    checks.push_back(
        check(fmt::format("take() gives every block once, pool of {}", blocks), blocks,
              [blocks](BlockPool& pool, const Expect& expect) { take_all(pool, blocks, expect); }));
    checks.push_back(check(fmt::format("take() number {}: no block is free", blocks + 1), blocks,
                           [blocks](BlockPool& pool, const Expect& expect) {
                             take_all(pool, blocks, expect);
                             expect("take()", -1, pool.take());
                             expect("take(), once more", -1, pool.take());
                             expect("free blocks", 0, pool.free_blocks());
                           }));
  }
  checks.push_back(check("a pool without blocks", 0, [](BlockPool& pool, const Expect& expect) {
    expect("free blocks", 0, pool.free_blocks());
    expect("take()", -1, pool.take());
  }));
  return checks;
}

/// Takes and releases at random, and compares with a set of the free blocks. Every block has one owner at
/// most.
void take_and_release(BlockPool& pool, int blocks, const Expect& expect) {
  Rng rng(6);
  std::set<int> free;
  for (int i = 0; i < blocks; ++i) free.insert(i);
  std::vector<int> taken;
  for (int at = 0; at < 200; ++at) {
    const std::string operation = fmt::format("operation {}, ", at);
    if (taken.empty() || rng.below(2) == 0) {
      const int block = pool.take();
      if (free.empty()) {
        expect(operation + "take() when no block is free", -1, block);
      } else {
        expect(fmt::format("{}is block {} from take() free (1: yes)", operation, block), 1,
               static_cast<int>(free.erase(block)));
        taken.push_back(block);
      }
    } else {
      std::swap(taken[rng.below(taken.size())], taken.back());
      pool.release(taken.back());
      free.insert(taken.back());
      taken.pop_back();
    }
    expect(operation + "free blocks", static_cast<int>(free.size()), pool.free_blocks());
  }
}

std::vector<Trial> release_checks() {
  return {
      check("a released block can be taken again", 1,
            [](BlockPool& pool, const Expect& expect) {
              expect("take()", 0, pool.take());
              pool.release(0);
              expect("free blocks", 1, pool.free_blocks());
              expect("take(), after the release", 0, pool.take());
              expect("free blocks, at the end", 0, pool.free_blocks());
            }),
      check("the block that was released is the one that is free", 3,
            [](BlockPool& pool, const Expect& expect) {
              const std::vector<int> taken = take_all(pool, 3, expect);
              pool.release(taken[1]);
              expect("take(), after the release", taken[1], pool.take());
              expect("take(), when no block is free", -1, pool.take());
            }),
      check("all blocks, released in the order of take(), then in the reverse order", 6,
            [](BlockPool& pool, const Expect& expect) {
              for (const int block : take_all(pool, 6, expect)) pool.release(block);
              expect("free blocks", 6, pool.free_blocks());
              std::vector<int> taken = take_all(pool, 6, expect);
              std::reverse(taken.begin(), taken.end());
              for (const int block : taken) pool.release(block);
              take_all(pool, 6, expect);
            }),
      check("200 random calls of take() and release()", 5,
            [](BlockPool& pool, const Expect& expect) { take_and_release(pool, 5, expect); }),
  };
}

std::vector<Trial> share_checks() {
  return {
      check("owners are counted", 2,
            [](BlockPool& pool, const Expect& expect) {
              expect("owners of a free block", 0, pool.owners(1));
              const int block = pool.take();
              expect("owners after take()", 1, pool.owners(block));
              pool.share(block);
              pool.share(block);
              expect("owners after two calls of share()", 3, pool.owners(block));
              pool.release(block);
              expect("owners after a release", 2, pool.owners(block));
            }),
      check("a shared block is not free until its last owner releases it", 1,
            [](BlockPool& pool, const Expect& expect) {
              pool.share(pool.take());
              pool.release(0);
              expect("free blocks while one owner is left", 0, pool.free_blocks());
              expect("take() while one owner is left", -1, pool.take());
              pool.release(0);
              expect("free blocks without owners", 1, pool.free_blocks());
            }),
      check("a block that is taken again has one owner", 1,
            [](BlockPool& pool, const Expect& expect) {
              pool.share(pool.take());
              pool.release(0);
              pool.release(0);
              expect("take()", 0, pool.take());
              expect("owners", 1, pool.owners(0));
            }),
  };
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(3);
  list[0] = {
      "take",
      "Write the constructor, `take()` and `free_blocks()`: give every block once, then -1.",
      9,
      {"take() must not search. What do you have to store to know a free block at once?",
       "Keep the numbers of the free blocks in a std::vector<int> that you use as a stack. The steps 2 "
       "and 3 need a count of owners per block, so prepare a second vector.",
       "take(): if the stack is empty, return -1. Otherwise, pop the last number, set its owners to "
       "1, and return it."},
      take_checks};
  list[1] = {"release",
             "Write `release()`: a block without owners is free again.",
             2,
             {"take() gave the block one owner. What is left after one release()?",
              "Decrease the number of owners. If it is 0, push the block on the stack of free blocks."},
             release_checks};
  list[2] = {"share",
             "Write `share()` and `owners()`: a block can have several owners.",
             2,
             {"Two sequences share a block, and one of them ends. May the block become free?",
              "share() increases the count that release() decreases. If a ladder trial reports a wrong key, "
              "two sequences were given the same block: one call freed it too early."},
             share_checks,
             true};
  return list;
}

}  // namespace rung::kv_cache
