// Your rung. The lesson beside this file says what it should do and which test judges it.
//
// The idea, for every token t and every head h, with row = call.row(t, h):
//   1. score every visible key:   s[p] = row.score(row.q . row.key(p)),  p = 0 .. row.visible - 1
//   2. turn scores into weights:  w[p] = exp(s[p] - max s) / sum
//   3. mix the values:            row.out[d] = sum over p of w[p] * row.value(p)[d]
// A key or a value that is not stored in float32 is widened when it is asked for and stands until the next
// one is. call.scratch() is memory for max_context scores; call.config has heads and head_dim.

#include "attention.hpp"

namespace rung::attention {

void mine([[maybe_unused]] const Call& call) {
  throw NotStarted("attention rung 'mine' is not started: write 03_techniques/attention/mine.cpp");
}

}  // namespace rung::attention
