// Your attention, in four steps. The lesson beside this file explains them. Judge with
//
//   rung exercises attention          builds this file and judges all steps
//   rung exercises attention --hint   shows one hint for the step that does not pass yet
//
// A HeadRow (attention.hpp) is one query of one head, with the keys and values that it may see:
//   row.q                         the query, row.head_dim numbers
//   row.visible                   how many keys and values the row sees; at least 1, because it sees its own
//   row.key(p), row.value(p)      key and value p, row.head_dim numbers each, for p = 0 .. row.visible - 1
//   row.score(product)            the score of a key, computed from its product with the query
//   row.out                       where the result belongs, row.head_dim numbers
// The pointer that key() returns is valid until the next call of key(), because the cache may store fewer
// than 32 bits per number. In this case, key() converts one key to float32. The same holds for value().

#include <algorithm>
#include <cmath>

#include "exercise.hpp"

namespace rung::attention {
namespace {

[[noreturn]] void not_started(const char* function) {
  throw NotStarted(fmt::format("{} is not started: write it in 03_techniques/attention/mine.cpp", function));
}

}  // namespace

// Step 1. The scores of one row. `scores` has space for row.visible numbers. Test: attention.mine.1
//   scores[p] = row.score(sum over d of row.q[d] * row.key(p)[d])
void my_scores([[maybe_unused]] const HeadRow& row, [[maybe_unused]] float* scores) {
  not_started("my_scores()");
}

// Step 2. Replaces n scores by weights from 0 to 1 whose sum is 1. Scores can be in the thousands and can
// have either sign. Test: attention.mine.2
//   weight[p] = exp(score[p] - largest score) / sum of these exponentials
void my_softmax([[maybe_unused]] float* scores, [[maybe_unused]] int n) { not_started("my_softmax()"); }

// Step 3. The weighted sum of the values. `weights` has row.visible numbers. Before the call, row.out
// contains arbitrary numbers. Test: attention.mine.3
//   row.out[d] = sum over p of weights[p] * row.value(p)[d]
void my_weighted_sum([[maybe_unused]] const HeadRow& row, [[maybe_unused]] const float* weights) {
  not_started("my_weighted_sum()");
}

// Step 4. Attention for the whole batch: the steps 1 to 3 for every token t = 0 .. call.tokens() - 1 and
// every head h = 0 .. call.config.heads - 1. call.row(t, h) is the row. Finish one row before you ask for the
// next. call.scratch() has space for the scores of one row; every thread has its own. Test: attention.mine.4
void mine([[maybe_unused]] const Call& call) { not_started("mine()"); }

}  // namespace rung::attention
