// Your rung. The lesson in this folder says what it must do and which test checks it.
//
// The idea, for every token t and every head h, with row = call.row(t, h):
//   1. score every visible key:   s[p] = row.score(row.q . row.key(p)),  p = 0 .. row.visible - 1
//   2. turn scores into weights:  w[p] = exp(s[p] - max s) / sum
//   3. mix the values:            row.out[d] = sum over p of w[p] * row.value(p)[d]
// row.key() and row.value() return float32 numbers, which are valid until the next call of the same function.
// call.scratch() is memory for max_context scores. call.config has heads and head_dim.

#include "attention.hpp"

namespace rung::attention {

void mine([[maybe_unused]] const Call& call) {
  throw NotStarted("attention rung 'mine' is not started: write 03_techniques/attention/mine.cpp");
}

}  // namespace rung::attention
