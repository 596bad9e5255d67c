// Scratch memory of the rungs of `linear`: taken once, shared by all products of a model, never outgrown.

#include "devices/cpu_device.hpp"
#include "test_support.hpp"
#include "testing/count_allocations.hpp"
#include "testing/topic_test.hpp"

using namespace rung;
using namespace rung::linear;

namespace {

constexpr std::int64_t kTokens = 131;  // more than a block of tokens of any rung, with a rest
constexpr int kThreads = 2;

/// Calls visit(rung, dtype) for every rung and format that are this project's own: the library oneDNN
/// allocates as it likes.
template <class Visit>
void each_rung(const Visit& visit) {
  for (const RungInfo& rung : registry().find("linear").rungs()) {
    if (rung.exercise || rung.name == "onednn") continue;
    for (const DType dtype : {DType::f32, DType::f16, DType::bf16, DType::q8_0, DType::q4_0, DType::q4_1,
                              DType::q4_k, DType::q6_k, DType::mxfp4}) {
      if (!supports(rung.name, dtype)) continue;
      INFO(rung.name << " " << traits(dtype).name);
      visit(rung.name, dtype);
    }
  }
}

std::unique_ptr<Linear> make(const std::string& rung, const Tensor& weight, int max_tokens,
                             Scratch* scratch) {
  LinearConfig config{weight, kThreads, max_tokens};
  config.place.scratch = scratch;
  return registry().ladder<Linear>().make(rung, config);
}

/// What apply() writes, by pieces: all in one piece, or one by one from two threads.
std::vector<float> in_pieces(Linear& linear, const Tensor& x, std::int64_t out, bool one_by_one) {
  GuardedBuffer y(x.rows, out, out + 3);
  const PreparedRows* prepared = linear.prepare(x);
  const std::int64_t piece = one_by_one ? linear.piece_rows() : out;
  parallel_for(kThreads, (out + piece - 1) / piece, [&](std::int64_t i) {
    const std::int64_t begin = i * piece;
    linear.apply_piece(x, prepared, begin, y.tensor().col_slice(begin, std::min(piece, out - begin)));
  });
  y.check_guards();
  return y.values();
}

}  // namespace

TEST_CASE("a call allocates nothing, not even the first one") {
  each_rung([](const std::string& rung, DType dtype) {
    const Problem p(dtype, kTokens, 768, 150);
    std::vector<float> storage(static_cast<std::size_t>(kTokens * 150));
    const Tensor y(storage.data(), DType::f32, kTokens, 150);
    Scratch scratch;
    const auto linear = make(rung, p.weight, kTokens, &scratch);
    scratch.allocate(cpu_device());
    const std::int64_t taken = testing::allocations_of([&] {
      for (const std::int64_t tokens :
           {std::int64_t{0}, std::int64_t{1}, std::int64_t{3}, std::int64_t{40}, kTokens}) {
        const Tensor x = p.x.row_slice(0, tokens);
        linear->apply(x, y.row_slice(0, tokens));
        if (linear->piece_rows() == 0) continue;
        const PreparedRows* prepared = linear->prepare(x);
        linear->apply_piece(x, prepared, 0, y.row_slice(0, tokens));
      }
    });
    CHECK(taken == 0);
  });
}

TEST_CASE(
    "products that share scratch memory compute the bits of those with their own, one after the other") {
  each_rung([](const std::string& rung, DType dtype) {
    // Each of them asks for the most of something: rows of x, or columns.
    const Problem wide(dtype, 5, 1024, 40), long_one(dtype, kTokens, 256, 70), small(dtype, 1, 256, 8);
    Scratch scratch, alone;
    std::vector<std::pair<const Problem*, std::unique_ptr<Linear>>> products;
    for (const Problem* p : {&wide, &long_one, &small}) {
      products.emplace_back(p, make(rung, p->weight, static_cast<int>(p->x.rows), &scratch));
      make(rung, p->weight, static_cast<int>(p->x.rows), &alone);
    }
    CHECK(scratch.bytes() == alone.bytes());
    const std::size_t shared = scratch.bytes();
    make(rung, small.weight, 1, &scratch);
    CHECK(scratch.bytes() == shared);  // a smaller one more asks for nothing more
    scratch.allocate(cpu_device());
    for (int round = 0; round < 2; ++round) {
      for (const auto& [p, linear] : products) {
        GuardedBuffer y(p->x.rows, p->weight.rows, p->weight.rows);
        linear->apply(p->x, y.tensor());
        y.check_guards();
        CHECK(y.values() == multiply(rung, p->weight, p->x, kThreads));
      }
    }
  });
}

TEST_CASE("pieces are columns of apply(), one by one and many at a time") {
  each_rung([](const std::string& rung, DType dtype) {
    constexpr std::int64_t kOut = 16 * 150 + 7;  // more pieces than the memory of a thread holds at a time
    const Problem p(dtype, kTokens, 256, kOut);
    Scratch scratch;
    const auto linear = make(rung, p.weight, kTokens, &scratch);
    scratch.allocate(cpu_device());
    if (linear->piece_rows() == 0) return;
    for (const std::int64_t tokens : {std::int64_t{1}, std::int64_t{4}, std::int64_t{9}, kTokens}) {
      INFO(tokens << " tokens");
      const Tensor x = p.x.row_slice(0, tokens);
      const std::vector<float> expected = multiply(rung, p.weight, x, kThreads);
      CHECK(in_pieces(*linear, x, kOut, true) == expected);
      CHECK(in_pieces(*linear, x, kOut, false) == expected);
    }
  });
}

TEST_CASE("a configuration says what it is a part of, and what cannot be is refused") {
  const Problem p(DType::q4_0, 1, 64, 8);
  LinearConfig config{p.weight, 1, 1};
  CHECK(config.describe() == "a linear layer [64 -> 8] in q4_0");
  config.role = LinearRole::row_split;
  CHECK(config.describe() == "a row-split part of a linear layer [64 -> 8] in q4_0");
  config.check();
  config.weight = Tensor(p.weight.data, DType::q4_0, 8, 48);
  CHECK_THROWS_WITH(config.check(), testing::contains("split it where a block ends"));
  config.role = LinearRole::column_split;
  CHECK(config.describe() == "a column-split part of a linear layer [48 -> 8] in q4_0");
  config = {p.weight, 0, 1};
  CHECK_THROWS_WITH(registry().ladder<Linear>().make("naive", config), testing::contains("0 threads"));
  config = {p.weight, 1, -1};
  CHECK_THROWS_WITH(registry().ladder<Linear>().make("naive", config), testing::contains("-1 rows"));
}
