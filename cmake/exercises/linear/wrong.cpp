// A wrong solution of the exercise `linear`: the loop takes eight columns at a time and forgets the rest,
// which shows only where `in` is no multiple of eight. The test of the exercise flow wants it to fail.

#include "core/parallel.hpp"
#include "linear.hpp"

namespace rung::linear {

void mine(const Tensor& x, const Tensor& weight, const Tensor& y, int threads, const ThreadMemory& memory) {
  parallel_for(threads, weight.rows, [&](std::int64_t o) {
    auto* const row = memory.of_this_thread<float>();
    read_row(weight, o, row);
    for (std::int64_t t = 0; t < x.rows; ++t) {
      const float* token = x.ptr<float>(t);
      float sum = 0.0f;
      for (std::int64_t i = 0; i + 8 <= weight.cols; i += 8) {
        for (std::int64_t k = 0; k < 8; ++k) sum += token[i + k] * row[i + k];
      }
      y.ptr<float>(t)[o] = sum;
    }
  });
}

}  // namespace rung::linear
