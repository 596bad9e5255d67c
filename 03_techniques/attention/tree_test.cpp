// Trees of drafts: every node has the bits of the same tokens as a chain in a cache of their own.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "attention.hpp"
#include "core/rng.hpp"
#include "flash_tasks.hpp"
#include "flash_tile.hpp"
#include "test_support.hpp"
#include "testing/damage.hpp"
#include "trials.hpp"

using namespace rung;
using namespace rung::attention;
using testing::sentence_of;

namespace {

using Parents = std::vector<std::int32_t>;

Parents random_tree(Rng& rng, int nodes) {
  Parents parents;
  for (std::int32_t i = 0; i < nodes; ++i) {
    parents.push_back(static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(i) + 1)) - 1);
  }
  return parents;
}

Parents chain(int nodes) {
  Parents parents;
  for (std::int32_t i = 0; i < nodes; ++i) parents.push_back(i - 1);
  return parents;
}

struct Rows {
  std::vector<float> out;  // [tokens, heads * head_dim]
  std::vector<float> lse;  // [tokens, heads]
};

Rows compute(const std::string& rung, const Workload& work, int threads) {
  AttentionConfig config = work.config;
  config.threads = threads;
  Rows rows;
  rows.out.resize(static_cast<std::size_t>(work.tokens() * work.q_rows.cols));
  rows.lse.resize(static_cast<std::size_t>(work.tokens() * config.heads));
  const auto attention = ladder().make(rung, config);
  attention->plan(work.batch);
  attention->run(work.q_rows, work.kv, {rows.out.data(), DType::f32, work.tokens(), work.q_rows.cols},
                 {rows.lse.data(), DType::f32, work.tokens(), config.heads});
  return rows;
}

/// Row j of a sequence with its whole path as the only rows of a batch: a chain, in a contiguous cache that
/// holds nothing else. `rows`: how many of the last tokens of the path are computed.
Workload chain_of(const Workload& work, const BatchSequence& s, const std::vector<int>& path, int rows) {
  Workload alone;
  alone.config = work.config;
  const auto length = static_cast<std::int32_t>(path.size());
  alone.batch.sequences.push_back({0, rows, length, 0, 1});
  alone.batch.block_table.push_back(0);
  const int first_place = s.context_length - s.query_count;
  for (const int place : path) {
    const std::int64_t slot = work.slot(s, place);
    const auto append = [&](const Tensor& from, std::vector<std::byte>& to) {
      const std::byte* row = static_cast<const std::byte*>(from.row(slot));
      to.insert(to.end(), row, row + bytes_of(from.dtype, from.cols));
    };
    append(work.kv.keys, alone.keys);
    append(work.kv.values, alone.values);
  }
  for (std::size_t i = path.size() - static_cast<std::size_t>(rows); i < path.size(); ++i) {
    const float* q = work.q_rows.ptr<float>(s.query_begin + path[i] - first_place);
    alone.q.insert(alone.q.end(), q, q + work.q_rows.cols);
    alone.batch.positions.push_back(static_cast<std::int32_t>(i));
  }
  alone.q_rows = {alone.q.data(), DType::f32, rows, work.q_rows.cols};
  alone.kv.keys = {alone.keys.data(), work.kv.keys.dtype, length, work.kv.keys.cols};
  alone.kv.values = {alone.values.data(), work.kv.values.dtype, length, work.kv.values.cols};
  alone.kv.block_size = length;
  alone.kv.contiguous = true;
  return alone;
}

/// The same batch without masks: every row sees all places up to its own.
Workload without_masks(const Case& shape) {
  Workload work = make_workload(shape);
  work.batch.ancestors.clear();
  for (BatchSequence& s : work.batch.sequences) s.drafts = 0;
  return work;
}

bool same_row(const std::vector<float>& a, std::int64_t i, const std::vector<float>& b, std::int64_t j,
              std::int64_t width) {
  return std::memcmp(a.data() + i * width, b.data() + j * width,
                     static_cast<std::size_t>(width) * sizeof(float)) == 0;
}

/// All rows of the case against chains, for every rung; returns how many nodes were compared.
int compare_with_chains(const Case& shape, int threads) {
  const Workload work = make_workload(shape);
  const std::int64_t width = work.q_rows.cols, heads = work.config.heads;
  int compared = 0;
  for (const std::string& rung : reference_rungs(work.config)) {
    INFO(shape.name << ", rung " << rung << ", " << threads << " threads");
    const Rows tree = compute(rung, work, threads);
    const Rows plain = compute(rung, without_masks(shape), threads);
    int wrong = 0, changed = 0;
    for (const BatchSequence& s : work.batch.sequences) {
      const int before = s.query_count - s.drafts;
      for (int j = 0; j < s.query_count; ++j) {
        const std::int64_t token = s.query_begin + j;
        const bool as_plain = same_row(tree.out, token, plain.out, token, width);
        if (j < before) {
          wrong += !as_plain;
          continue;
        }
        changed += !as_plain;
        const std::vector<int> path = work.path(s, j);
        // As the end of a chain of drafts, and as a decode step.
        const int depth = static_cast<int>(path.size()) - (s.context_length - s.drafts);
        for (const int rows : {depth, 1}) {
          const Rows alone = compute(rung, chain_of(work, s, path, rows), 1);
          wrong += !same_row(tree.out, token, alone.out, rows - 1, width);
          wrong += !same_row(tree.lse, token, alone.lse, rows - 1, heads);
          ++compared;
        }
      }
    }
    CHECK(wrong == 0);
    if (shape.window != 1) CHECK(changed > 0);  // ignoring masks changes all but what sees itself alone
  }
  return compared;
}

}  // namespace

TEST_CASE("a node of a tree has the bits of its path as a chain") {
  struct Shape {
    int heads, kv_heads, head_dim;
    int window = 0;
    float softcap = 0;
    DType kv_dtype = DType::f32;
    int block = 0;
  };
  Rng rng(3);
  int compared = 0;
  for (const Shape& shape :
       {Shape{6, 2, 40}, Shape{4, 1, 64, 0, 0, DType::f32, 16}, Shape{3, 3, 24, 70, 5, DType::f32, 1},
        Shape{8, 2, 32, 0, 0, DType::q8_0, 64}, Shape{4, 2, 32, 3, 0, DType::mxfp8},
        Shape{4, 2, 20, 64, 0, DType::f16, 2}, Shape{2, 1, 8, 1}, Shape{130, 2, 4}}) {
    // A tree alone in its sequence, one behind the last committed token, and one behind a chunk of a prompt.
    Case c{"",
           shape.heads,
           shape.kv_heads,
           shape.head_dim,
           {{12, 75, random_tree(rng, 12)},
            {20, 20},
            {10, 73, random_tree(rng, 9)},
            {1, 130},
            {30, 80, random_tree(rng, 7)},
            {5, 5, random_tree(rng, 5)}}};
    c.window = shape.window;
    c.softcap = shape.softcap;
    c.kv_dtype = shape.kv_dtype;
    c.block = shape.block;
    c.name = make_workload(c).config.describe() + ", blocks of " + std::to_string(c.block);
    compared += compare_with_chains(c, 1) + compare_with_chains(c, 2);
  }
  CHECK(compared > 8 * 2 * 4 * 33);
}

TEST_CASE("trees whose base lies at, before and behind a border of steps or chunks") {
  const Parents forks = {-1, 0, 0, 1, 2, 2};  // node 0 has two children
  const Parents roots = {-1, -1, 0, 1, -1, 3};
  for (const int border : {64, 512}) {
    for (const int window : {0, 66}) {
      Case c{"", 4, 2, 20, {}};
      for (const int base : {border - 3, border - 1, border, border + 1}) {
        c.sequences.push_back({6, base + 6, forks});
        c.sequences.push_back({7, base + 6, roots});
      }
      c.window = window;
      c.name = fmt::format("border {}, window {}", border, window);
      CHECK(compare_with_chains(c, 2) >= 4 * 2 * 48);
    }
  }
}

TEST_CASE("trees of the largest size: a chain, and as many roots as nodes") {
  Rng rng(9);
  Case c{"64 nodes", 2, 1, 8, {{64, 100, Parents(kMaxTreeNodes, -1)}, {64, 64, random_tree(rng, 64)}}};
  CHECK(compare_with_chains(c, 2) > 0);
  // As a tree or without a mask: a chain is the same.
  Case line{"a chain", 2, 1, 8, {{65, 100, chain(kMaxTreeNodes)}}};
  for (const std::string& rung : reference_rungs(make_workload(line).config)) {
    CHECK(run(rung, make_workload(line)) == run(rung, without_masks(line)));
  }
}

TEST_CASE("drafts without a mask are a chain") {
  Case c{"", 4, 2, 16, {{6, 90, chain(5)}, {3, 70}}};
  Workload work = make_workload(c);
  work.batch.ancestors.clear();
  for (const std::string& rung : reference_rungs(work.config)) {
    CHECK(run(rung, work) == run(rung, without_masks(c)));
  }
}

TEST_CASE("the trials would notice a mask that is ignored") {
  int trees = 0;
  for (const Case& c : cases()) {
    const bool tree = std::any_of(c.sequences.begin(), c.sequences.end(),
                                  [](const Case::Sequence& s) { return !s.parents.empty(); });
    if (!tree) continue;
    const Answer right = oracle(make_workload(c)), wrong = oracle(without_masks(c));
    int noticed = 0;
    for (std::size_t i = 0; i < right.expected.size(); ++i) {
      noticed += std::fabs(wrong.expected[i] - right.expected[i]) > 5 * right.tolerance[i];
    }
    CHECK(noticed > 100);
    ++trees;
  }
  CHECK(trees == 3);
}

TEST_CASE("what is no tree is refused in a sentence") {
  const Case shape{"", 4, 2, 8, {{2, 9}, {6, 40, {-1, 0, 0, 2}}}};
  const auto refusal = [&](const auto& change) {
    Workload work = make_workload(shape);
    return sentence_of([&] {
      change(work.batch);
      run("flash", work);
    });
  };
  const auto contains = [](const std::string& text, const char* part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
  };
  contains(refusal([](Batch& b) { b.sequences[1].drafts = 7; }), "only 6 rows");
  contains(refusal([](Batch& b) { b.sequences[1].drafts = 65; }), "exceeds the 64");
  contains(refusal([](Batch& b) { b.sequences[1].drafts = 3; }), "is no draft");
  contains(refusal([](Batch& b) { b.ancestors[5] = 0b0001; }), "it must be the node itself");
  contains(refusal([](Batch& b) { b.ancestors[6] = 0b1011; }), "it must be the node itself");
  contains(refusal([](Batch& b) { b.ancestors[7] = 0b1100; }), "its parent 2 sees");
  contains(refusal([](Batch& b) { make_tree(b, Parents{-1, 1}); }), "node 1 has parent 1");
  contains(refusal([](Batch& b) { make_tree(b, Parents{-2}); }), "node 0 has parent -2");
  contains(refusal([](Batch& b) { make_tree(b, Parents(7, -1)); }), "only 6 rows");
  contains(refusal([](Batch& b) { make_tree(b, Parents(65, -1)); }), "exceeds the 64");
  Batch empty;
  contains(sentence_of([&] { make_tree(empty, Parents{-1}); }), "belongs to no sequence");
  Workload work = make_workload(shape);
  CHECK(work.batch.ancestors == std::vector<std::uint64_t>{0, 0, 0, 0, 0b0001, 0b0011, 0b0101, 0b1101});
  CHECK(std::vector<std::int32_t>(work.batch.positions.begin() + 4, work.batch.positions.end()) ==
        std::vector<std::int32_t>{36, 37, 37, 38});
}

// Capacities of everything that a step fills are in scratch_bytes(): it would grow with a vector.
TEST_CASE("an attention that knows its limits takes its memory when it is built") {
  Rng rng(5);
  for (const int threads : {1, 3}) {
    for (const int window : {0, 40}) {
      Case largest{"", 8, 2, 8, {{40, 2000}}};
      largest.window = window;
      AttentionConfig config = make_workload(largest).config;
      config.threads = threads;
      config.max_tokens = 40;
      for (const std::string& rung : reference_rungs(config)) {
        INFO(rung << ", " << threads << " threads, window " << window);
        Scratch scratch;
        AttentionConfig shared = config;
        shared.place.scratch = &scratch;
        const auto attention = ladder().make(rung, shared), alone = ladder().make(rung, config);
        CHECK(scratch.bytes() > 0);
        const std::size_t bytes = alone->scratch_bytes();
        CHECK(alone->scratch_bytes() == attention->scratch_bytes() + scratch.bytes());
        for (const std::vector<Case::Sequence>& step : std::vector<std::vector<Case::Sequence>>{
                 {{40, 2000}},
                 {{1, 2000}},
                 {{1, 2000}, {1, 1200}, {1, 3}},
                 {{30, 2000, random_tree(rng, 29)}, {10, 1030, random_tree(rng, 10)}},
                 {{20, 20}, {1, 1999}, {19, 700, random_tree(rng, 3)}}}) {
          Case c{"", 8, 2, 8, step};
          c.window = window;
          const Workload work = make_workload(c);
          std::vector<float> out(static_cast<std::size_t>(work.tokens() * work.q_rows.cols));
          alone->plan(work.batch);
          alone->run(work.q_rows, work.kv, {out.data(), DType::f32, work.tokens(), work.q_rows.cols});
          CHECK(out == run(rung, work));
          CHECK(alone->scratch_bytes() == bytes);
        }
        Case more{"", 8, 2, 8, {{41, 41}}};
        const Workload work = make_workload(more);
        CHECK(sentence_of([&] { alone->plan(work.batch); }).find("a step of 41 rows exceeds the 40") !=
              std::string::npos);
      }
    }
  }
}

TEST_CASE("cutting tasks stays within its limits") {
  Rng rng(8);
  const auto below = [&](int n) { return static_cast<int>(rng.below(static_cast<std::uint64_t>(n))); };
  int cut_tasks = 0;
  for (int round = 0; round < 2000; ++round) {
    AttentionConfig config;
    config.heads = 8;
    config.kv_heads = 2;
    config.head_dim = 8;
    config.threads = 1 + below(9);
    config.max_context = 1 + below(5000);
    config.window = below(2) * below(2000);
    const int chunk = 512;
    std::vector<FlashTask> tasks, cut;
    std::vector<FlashMerge> merges;
    for (int i = 0, n = 1 + below(30); i < n; ++i) {
      const int visible = 1 + below(config.max_context);
      const int oldest = std::max(1, visible - below(kTileRows));
      FlashTask task{};
      task.rows = 1 + below(kTileRows);
      task.kv_heads = 1 + below(kTileRows / task.rows);
      task.first = config.window > 0 ? std::max(0, oldest - config.window) : 0;
      task.visible = visible;
      task.partial = -1;
      tasks.push_back(task);
    }
    const std::size_t before = tasks.size();
    const SplitLimits limits = split_limits(config, chunk);
    split_tasks(config, chunk, tasks, merges, cut);
    REQUIRE(tasks.size() <= before + static_cast<std::size_t>(limits.tasks));
    REQUIRE(merges.size() <= static_cast<std::size_t>(limits.merges));
    std::int64_t floats = 0;
    for (const FlashMerge& merge : merges) {
      REQUIRE(merge.task.partial == floats);
      floats += merge.chunks * flash_partial_floats(merge.task.rows * merge.task.kv_heads, config.head_dim);
    }
    REQUIRE(floats <= limits.floats);
    cut_tasks += static_cast<int>(merges.size());
  }
  CHECK(cut_tasks > 500);
}
