// Every rung against the float64 oracle, against PyTorch, and against itself under every way to run it.

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <numeric>
#include <utility>

#include "attention.hpp"
#include "core/guarded_buffer.hpp"
#include "core/rng.hpp"
#include "ops/merge_attention.hpp"
#include "test_support.hpp"
#include "testing/damage.hpp"
#include "trials.hpp"
#include "widen.hpp"

using namespace rung;
using namespace rung::attention;
using testing::sentence_of;

TEST_CASE("every rung gives the oracle's answer") {
  testing::judge_all(testing::registry_of<register_rungs>(), "attention");
}

TEST_CASE("the log-sum-exp is the oracle's, and asking for it changes no bit") {
  int compared = 0;
  for (const Case& whole : cases()) {
    const Case shape = judged_part(whole);
    if (shape.timed) continue;
    const Workload work = make_workload(shape);
    const Answer answer = oracle(work);
    for (const std::string& rung : reference_rungs(work.config)) {
      for (const int threads : {1, 2}) {
        INFO(shape.name << ", rung " << rung << ", threads " << threads);
        AttentionConfig config = work.config;
        config.threads = threads;
        const auto attention = ladder().make(rung, config);
        attention->plan(work.batch);
        GuardedBuffer out(work.tokens(), work.q_rows.cols, work.q_rows.cols);
        GuardedBuffer lse(work.tokens(), config.heads, config.heads + 3);
        attention->run(work.q_rows, work.kv, out.tensor(), lse.tensor());
        out.check_guards();
        lse.check_guards();
        const std::vector<float> alone = run(rung, work, threads);
        CHECK(std::memcmp(out.tensor().data, alone.data(), alone.size() * sizeof(float)) == 0);
        for (std::int64_t t = 0; t < work.tokens(); ++t) {
          for (int h = 0; h < config.heads; ++h) {
            const auto i = static_cast<std::size_t>(t * config.heads + h);
            const auto got = static_cast<double>(lse.tensor().ptr<float>(t)[h]);
            INFO("token " << t << ", head " << h << ": expected " << answer.lse[i] << ", got " << got);
            REQUIRE(std::fabs(got - answer.lse[i]) <= answer.lse_tolerance[i]);
            ++compared;
          }
        }
      }
    }
  }
  CHECK(compared > 1000);
}

TEST_CASE("attention over the first keys and over the last ones merge into attention over all") {
  constexpr int kKeys = 700;
  Case shape{"decode", 6, 2, 32, {{1, kKeys}}};
  const Workload work = make_workload(shape);
  const Answer answer = oracle(work);
  for (const std::string& rung : reference_rungs(work.config)) {
    for (const int first : {1, 64, 333, kKeys - 1}) {
      INFO("rung " << rung << ", " << first << " keys and " << kKeys - first);
      const std::int64_t width = work.q_rows.cols;
      GuardedBuffer out(1, width, width), lse(1, shape.heads, shape.heads);
      GuardedBuffer more_out(1, width, width), more_lse(1, shape.heads, shape.heads);
      Batch some = work.batch;
      some.sequences[0].context_length = first;
      const auto beginning = ladder().make(rung, work.config);
      beginning->plan(some);
      beginning->run(work.q_rows, work.kv, out.tensor(), lse.tensor());
      AttentionConfig latest = work.config;
      latest.window = kKeys - first;
      const auto end = ladder().make(rung, latest);
      end->plan(work.batch);
      end->run(work.q_rows, work.kv, more_out.tensor(), more_lse.tensor());

      merge_attention(out.tensor(), lse.tensor(), more_out.tensor(), more_lse.tensor());
      for (std::int64_t i = 0; i < width; ++i) {
        const auto k = static_cast<std::size_t>(i);
        REQUIRE(std::fabs(static_cast<double>(out.tensor().ptr<float>(0)[i]) - answer.expected[k]) <=
                2 * answer.tolerance[k] + 1e-6);
      }
      for (int h = 0; h < shape.heads; ++h) {
        const auto k = static_cast<std::size_t>(h);
        REQUIRE(std::fabs(static_cast<double>(lse.tensor().ptr<float>(0)[h]) - answer.lse[k]) <=
                2 * answer.lse_tolerance[k] + 1e-6);
      }
      // Nothing added to it, and it added to nothing.
      GuardedBuffer none_out(1, width, width), none_lse(1, shape.heads, shape.heads);
      for (int h = 0; h < shape.heads; ++h) none_lse.tensor().ptr<float>(0)[h] = -HUGE_VALF;
      const std::vector<float> before(out.tensor().ptr<float>(0), out.tensor().ptr<float>(0) + width);
      merge_attention(out.tensor(), lse.tensor(), none_out.tensor(), none_lse.tensor());
      CHECK(std::memcmp(before.data(), out.tensor().data, before.size() * sizeof(float)) == 0);
      merge_attention(none_out.tensor(), none_lse.tensor(), out.tensor(), lse.tensor());
      CHECK(std::memcmp(before.data(), none_out.tensor().data, before.size() * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("the trials would notice a mask that is off by one, and scores that overflow", "[.long]") {
  double largest_score = 0;
  for (const Case& whole : cases()) {
    const Case shape = judged_part(whole);
    const Workload work = make_workload(shape);
    const Answer right = oracle(work);
    largest_score = std::max(largest_score, right.largest_score);
    // Nothing can change where the only row has no key to lose, or no key after it.
    const bool decode = std::all_of(shape.sequences.begin(), shape.sequences.end(),
                                    [](const auto& s) { return s.queries == 1; });
    for (const int shift : {-1, 1}) {
      if (decode && (shift == 1 || work.config.max_context == 1)) continue;
      const Answer wrong = oracle(work, shift);
      double worst = 0;  // difference in tolerances
      for (std::size_t i = 0; i < right.expected.size(); ++i) {
        worst = std::max(worst, std::fabs(wrong.expected[i] - right.expected[i]) / right.tolerance[i]);
      }
      INFO(shape.name << ", mask shifted by " << shift);
      CHECK(worst > 5);
    }
  }
  CHECK(largest_score > 500);  // exp(89) is already beyond float32
}

TEST_CASE("the trials would notice a window that is off by one, and a cap that is left out") {
  int windows = 0, caps = 0;
  const auto differs = [](const Answer& right, const Answer& wrong) {
    for (std::size_t i = 0; i < right.expected.size(); ++i) {
      if (std::fabs(wrong.expected[i] - right.expected[i]) > 5 * right.tolerance[i]) return true;
    }
    return false;
  };
  for (const Case& whole : cases()) {
    const Case shape = judged_part(whole);
    if (shape.window == 0 && shape.softcap == 0) continue;
    Workload work = make_workload(shape);
    const Answer right = oracle(work);
    INFO(shape.name);
    if (shape.window > 0 && shape.window < work.config.max_context) {
      CHECK(differs(right, oracle(work, 0, -1)));
      if (shape.window > 1) CHECK(differs(right, oracle(work, 0, 1)));
      ++windows;
    }
    if (shape.softcap > 0 && shape.window != 1) {  // a single key has weight 1, capped or not
      work.config.softcap = 0;
      CHECK(differs(right, oracle(work)));
      ++caps;
    }
  }
  CHECK(windows >= 8);
  CHECK(caps >= 6);
}

// A row's result depends on its own query, keys and position. So all positions of three sequences are
// computed one by one, alone, and then in every other way.
TEST_CASE("a row is bitwise the same however it is batched, chunked and threaded", "[.long]") {
  struct Shape {
    int heads, kv_heads, head_dim;
    int window = 0;
    float softcap = 0;
    DType kv_dtype = DType::f32;
    int longest = 200;
  };
  for (const Shape& shape :
       {Shape{8, 2, 64}, Shape{6, 2, 40}, Shape{3, 3, 128}, Shape{4, 1, 8}, Shape{6, 2, 40, 1},
        Shape{3, 1, 8, 2, 5}, Shape{8, 2, 64, 16}, Shape{5, 1, 96, 70, 50}, Shape{4, 2, 80, 0, 5},
        Shape{4, 1, 64, 0, 0, DType::q8_0}, Shape{6, 2, 40, 70, 0, DType::f16},
        Shape{4, 2, 32, 0, 0, DType::mxfp8}, Shape{2, 1, 8, 0, 0, DType::f32, 600},
        Shape{3, 1, 20, 300, 0, DType::f32, 600}}) {
    const int n = shape.longest;  // beyond 512 positions split_kv cuts
    const std::vector<Case::Sequence> whole = {{n, n}, {65, 65}, {130, 130}};
    Case c{"", shape.heads, shape.kv_heads, shape.head_dim, whole};
    c.window = shape.window;
    c.softcap = shape.softcap;
    c.kv_dtype = shape.kv_dtype;
    const Workload work = make_workload(c);
    const auto width = static_cast<std::size_t>(work.q_rows.cols);

    // Rows [begin, end) of sequence s, as one member of a batch.
    struct Piece {
      std::size_t s;
      int begin, end;
    };
    const auto compute = [&](const std::string& rung, const std::vector<Piece>& pieces, int threads,
                             std::vector<float>& result) {
      Workload part;
      part.config = work.config;
      part.kv = work.kv;
      part.batch.block_table = work.batch.block_table;
      std::vector<std::size_t> rows;
      for (const auto& [s, begin, end] : pieces) {
        BatchSequence sequence = work.batch.sequences[s];
        for (int p = begin; p < end; ++p) {
          rows.push_back(static_cast<std::size_t>(sequence.query_begin + p));
          part.batch.positions.push_back(p);
        }
        sequence.query_begin = static_cast<int>(rows.size()) - (end - begin);
        sequence.query_count = end - begin;
        sequence.context_length = end;
        part.batch.sequences.push_back(sequence);
      }
      for (const std::size_t row : rows) {
        part.q.insert(part.q.end(), work.q.begin() + static_cast<std::ptrdiff_t>(row * width),
                      work.q.begin() + static_cast<std::ptrdiff_t>((row + 1) * width));
      }
      part.q_rows = {part.q.data(), DType::f32, part.tokens(), work.q_rows.cols};
      const std::vector<float> out = run(rung, part, threads);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        std::memcpy(&result[rows[i] * width], &out[i * width], width * sizeof(float));
      }
    };

    for (const std::string& rung : reference_rungs(work.config)) {
      std::vector<float> alone(work.q.size()), other(work.q.size());
      for (std::size_t s = 0; s < whole.size(); ++s) {
        for (int p = 0; p < whole[s].context; ++p) compute(rung, {{s, p, p + 1}}, 1, alone);
      }
      const auto same = [&](const std::string& how) {
        INFO("rung " << rung << ", " << shape.heads << " heads, " << shape.kv_heads << " KV heads of "
                     << shape.head_dim << ", window " << shape.window << ", cap " << shape.softcap << ", "
                     << how);
        CHECK(std::memcmp(alone.data(), other.data(), alone.size() * sizeof(float)) == 0);
        std::fill(other.begin(), other.end(), std::numeric_limits<float>::quiet_NaN());
      };
      for (const int chunk : {7, 64, n}) {
        for (std::size_t s = 0; s < whole.size(); ++s) {
          for (int p = 0; p < whole[s].context; p += chunk) {
            compute(rung, {{s, p, std::min(p + chunk, whole[s].context)}}, 1, other);
          }
        }
        same("in chunks of " + std::to_string(chunk));
      }
      for (const int threads : {1, 2, 3}) {
        compute(rung, {{0, 0, n}, {1, 0, 65}, {2, 0, 130}}, threads, other);
        same("all in one batch with " + std::to_string(threads) + " threads");
        // Prefill of one beside decode of another, as continuous batching does it.
        compute(rung, {{2, 0, 129}, {1, 0, 30}}, threads, other);
        compute(rung, {{0, 0, n / 2}, {2, 129, 130}, {1, 30, 65}}, threads, other);
        compute(rung, {{0, n / 2, n}}, threads, other);
        same("mixed with " + std::to_string(threads) + " threads");
      }
    }
  }
}

// Where a key lies is not part of the mathematics: the same numbers in blocks give the same bits.
TEST_CASE("keys and values in blocks give the bits of contiguous ones") {
  for (const DType type : {DType::f32, DType::f16, DType::q8_0}) {
    for (const int window : {0, 70}) {
      Case shape{"", 6, 2, 64, {{33, 95}, {1, 600}, {130, 130}, {1, 1}}};
      shape.kv_dtype = type;
      shape.window = window;
      const Workload whole = make_workload(shape);
      for (const int block : {1, 2, 8, 64, 256}) {
        shape.block = block;
        const Workload paged = make_workload(shape);
        REQUIRE_FALSE(paged.kv.contiguous);
        for (const std::string& rung : reference_rungs(whole.config)) {
          INFO(rung << ", " << traits(type).name << ", window " << window << ", blocks of " << block);
          CHECK(run(rung, paged, 2) == run(rung, whole, 2));
        }
      }
    }
  }
}

TEST_CASE("what a later token holds never reaches an earlier row") {
  for (const float poison :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    Workload work = make_workload({"", 4, 2, 40, {{70, 70}}});
    for (const std::string& rung : reference_rungs(work.config)) {
      const std::vector<float> before = run(rung, work);
      Workload later = make_workload({"", 4, 2, 40, {{70, 70}}});
      const std::int64_t slot = std::int64_t{later.batch.block_table[0]} * later.kv.block_size;
      for (int i = 0; i < 80; ++i) {
        later.kv.keys.ptr<float>(slot + 66)[i] = poison;
        later.kv.values.ptr<float>(slot + 66)[i] = poison;
      }
      const std::vector<float> after = run(rung, later);
      INFO("rung " << rung);
      const std::size_t rows_before = 66 * 160;
      CHECK(std::memcmp(before.data(), after.data(), rows_before * sizeof(float)) == 0);
      CHECK_FALSE(std::isfinite(after[rows_before]));
    }
  }
}

// Every position is a page of its own here, and the pages before the window may not be touched at all: not
// even to throw the result away. That is what lets a cache give them back.
TEST_CASE("keys before the window are never read") {
  constexpr int kPositions = 200, kHeads = 8, kHeadDim = 128;
  const std::size_t row = kHeads * kHeadDim * sizeof(float);
  REQUIRE(row % static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) == 0);
  void* memory =
      mmap(nullptr, 2 * kPositions * row, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  for (const auto& [queries, window] : {std::pair{1, 16}, {30, 16}, {30, 1}, {1, 100}, {70, 64}, {5, 2}}) {
    Case shape{"", kHeads, kHeads, kHeadDim, {{queries, kPositions}}};
    shape.window = window;
    Workload work = make_workload(shape);
    REQUIRE(mprotect(memory, 2 * kPositions * row, PROT_READ | PROT_WRITE) == 0);
    auto* keys = static_cast<float*>(memory);
    auto* values = keys + std::size_t{kPositions} * kHeads * kHeadDim;
    const std::int64_t slot = std::int64_t{work.batch.block_table[0]} * work.kv.block_size;
    std::memcpy(keys, work.kv.keys.ptr<float>(slot), kPositions * row);
    std::memcpy(values, work.kv.values.ptr<float>(slot), kPositions * row);
    const Answer answer = oracle(work);
    work.kv.keys = {keys, DType::f32, kPositions, kHeads * kHeadDim};
    work.kv.values = {values, DType::f32, kPositions, kHeads * kHeadDim};
    work.kv.block_size = kPositions;
    work.batch.block_table[0] = 0;
    const std::size_t hidden = static_cast<std::size_t>(kPositions - queries + 1 - window) * row;
    REQUIRE(mprotect(keys, hidden, PROT_NONE) == 0);
    REQUIRE(mprotect(values, hidden, PROT_NONE) == 0);
    for (const std::string& rung : reference_rungs(work.config)) {
      const std::vector<float> got = run(rung, work);
      INFO("rung " << rung << ", " << queries << " rows, window " << window);
      for (std::size_t i = 0; i < got.size(); ++i) {
        if (!(std::fabs(got[i] - answer.expected[i]) <= answer.tolerance[i])) {
          FAIL_CHECK("element " << i << ": expected " << answer.expected[i] << ", got " << got[i]);
        }
      }
    }
  }
  munmap(memory, 2 * kPositions * row);
}

TEST_CASE("widened keys have the bits of the format's definition") {
  for (const DType type : {DType::f32, DType::f16, DType::bf16, DType::f8_e4m3, DType::q8_0, DType::mxfp8}) {
    const DTypeTraits& t = traits(type);
    // All patterns of 8 or 16 bits as elements, or as the scale and the quants of blocks.
    std::vector<std::byte> bytes(static_cast<std::size_t>(t.block_bytes) << 16);
    Rng rng(5);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(rng.below(256));
    for (std::uint32_t i = 0; i < 65536; ++i) {
      std::memcpy(bytes.data() + i * static_cast<std::size_t>(t.block_bytes), &i,
                  std::min<std::size_t>(2, static_cast<std::size_t>(t.block_bytes)));
    }
    for (const std::int64_t n : {std::int64_t{4}, std::int64_t{28}, std::int64_t{40}, std::int64_t{64}}) {
      if (n % t.block_elements != 0) continue;
      const std::size_t row = bytes_of(type, n), stride = row + static_cast<std::size_t>(t.block_bytes);
      const auto rows = static_cast<std::int64_t>(bytes.size() / stride);
      std::vector<float> got(static_cast<std::size_t>(rows * n)), expected(static_cast<std::size_t>(n));
      widen_rows(type, bytes.data(), stride, rows, n, got.data());
      std::int64_t wrong = 0;
      for (std::int64_t r = 0; r < rows; ++r) {
        t.to_float(bytes.data() + static_cast<std::size_t>(r) * stride, expected.data(), n);
        for (std::int64_t i = 0; i < n; ++i) {
          const float a = got[static_cast<std::size_t>(r * n + i)], b = expected[static_cast<std::size_t>(i)];
          wrong += std::isnan(a) && std::isnan(b) ? 0 : std::memcmp(&a, &b, sizeof a) != 0;
        }
      }
      INFO(t.name << ", rows of " << n);
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("flash's 2^x is within 2 ulp, and 0 where float32 would be subnormal") {
  std::vector<float> x, y;
  for (int i = 0; i <= 1'270'000; ++i) x.push_back(-1e-4f * static_cast<float>(i));
  for (const float tiny : {-1e-30f, -1e-8f, -200.0f, -1e30f, -std::numeric_limits<float>::infinity()})
    x.push_back(tiny);
  y.resize(x.size());
  exp2_of(x.data(), y.data(), static_cast<std::int64_t>(x.size()));
  CHECK(y[0] == 1.0f);
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] < -126) {
      CHECK(y[i] == 0.0f);
      continue;
    }
    const double exact = std::exp2(double{x[i]});
    worst = std::max(worst, std::fabs(y[i] - exact) / std::ldexp(1.0, std::ilogb(exact) - 23));
  }
  INFO("worst error " << worst << " ulp");
  CHECK(worst < 2);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  float result = 0;
  exp2_of(&nan, &result, 1);
  CHECK(std::isnan(result));
}

TEST_CASE("what cannot be done is said in a sentence") {
  AttentionConfig config = make_workload(cases()[1]).config;
  config.kv_heads = 3;
  CHECK_THROWS_AS(ladder().make("naive", config), Error);
  config.kv_heads = 2;
  for (const DType type : {DType::q4_0, DType::q8_0}) {  // heads of 8: not a block of 32
    config.kv_dtype = type;
    CHECK_THROWS_AS(ladder().make("naive", config), Error);
  }
  config.kv_dtype = DType::f32;
  CHECK_NOTHROW(ladder().make("naive", config));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::string& rung : reference_rungs(config)) {
    for (const float softcap : {-1.0f, nan, std::numeric_limits<float>::infinity()}) {
      AttentionConfig wrong = config;
      wrong.softcap = softcap;
      CHECK(sentence_of([&] { ladder().make(rung, wrong); }).find("cannot be") != std::string::npos);
    }
    AttentionConfig wrong = config;
    wrong.window = -1;
    CHECK(sentence_of([&] { ladder().make(rung, wrong); }).find("a window of -1 tokens") !=
          std::string::npos);
    wrong.window = 0;
    wrong.scale = nan;
    CHECK_THROWS_AS(ladder().make(rung, wrong), Error);
  }
  for (const std::string& rung : reference_rungs(make_workload(cases()[1]).config)) {
    Workload work = make_workload(cases()[1]);
    const int block_size = std::exchange(work.kv.block_size, 3);
    work.kv.contiguous = false;
    CHECK(sentence_of([&] { run(rung, work); }).find("--block-size") != std::string::npos);
    work.kv.block_size = block_size;
    work.kv.contiguous = true;
    work.kv.keys.dtype = DType::bf16;
    CHECK(sentence_of([&] { run(rung, work); }).find("--kv-type") != std::string::npos);
    work.kv.keys.dtype = DType::f32;
    work.config.max_context = 4;
    CHECK(sentence_of([&] { run(rung, work); }).find("raise --ctx") != std::string::npos);
  }
}

TEST_CASE("every rung gives PyTorch's answer", "[parity]") {
  std::ifstream file(RUNG_ATTENTION_GOLDEN);
  std::string word, name;
  int compared = 0;
  while (file >> word) {
    REQUIRE(word == "case");
    Case shape{};
    std::size_t sequences = 0;
    file >> name >> shape.heads >> shape.kv_heads >> shape.head_dim >> sequences;
    for (std::size_t s = 0; s < sequences; ++s) {
      int queries = 0, context = 0;
      file >> word >> queries >> context;
      shape.sequences = {{queries, context}};
      Workload work = make_workload(shape);
      const auto read = [&](float* to, int count) {
        file >> word;
        for (int i = 0; i < count; ++i) REQUIRE(file >> to[i]);
      };
      std::vector<float> expected(work.q.size());
      const int kv_size = context * shape.kv_heads * shape.head_dim;
      const std::int64_t slot = std::int64_t{work.batch.block_table[0]} * work.kv.block_size;
      read(work.q.data(), static_cast<int>(work.q.size()));
      read(work.kv.keys.ptr<float>(slot), kv_size);
      read(work.kv.values.ptr<float>(slot), kv_size);
      read(expected.data(), static_cast<int>(expected.size()));
      const Answer answer = oracle(work);
      for (const std::string& rung : reference_rungs(work.config)) {
        const std::vector<float> got = run(rung, work);
        for (std::size_t i = 0; i < got.size(); ++i) {
          INFO("rung " << rung << ", case " << name << ", sequence " << s << ", element " << i);
          // The file has ten digits; the rest is the tolerance of every trial.
          REQUIRE(std::fabs(got[i] - expected[i]) <= answer.tolerance[i] + 1e-7 * std::fabs(expected[i]));
          ++compared;
        }
      }
    }
  }
  CHECK(compared >= 3 * 484);  // all elements of the file, by at least three rungs
}
