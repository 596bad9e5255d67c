#pragma once
// What the test files of `linear` share.

#include <string>
#include <vector>

#include "core/guarded_buffer.hpp"
#include "core/rng.hpp"
#include "linear.hpp"
#include "testing/topic_test.hpp"

namespace rung::linear {

inline const Registry& registry() { return testing::registry_of<register_rungs>(); }

/// A weight [out, in] and inputs [tokens, in].
struct Problem {
  std::vector<std::byte> storage;
  std::vector<float> inputs;
  Tensor weight, x;

  Problem(DType dtype, std::int64_t tokens, std::int64_t in, std::int64_t out)
      : storage(bytes_of(dtype, in * out)), inputs(static_cast<std::size_t>(tokens * in)) {
    Rng rng(7);
    std::vector<float> row(static_cast<std::size_t>(in));
    weight = Tensor(storage.data(), dtype, out, in);
    for (std::int64_t o = 0; o < out; ++o) {
      for (float& w : row) w = static_cast<float>(rng.normal());
      traits(dtype).from_float(row.data(), weight.row(o), in);
    }
    for (float& v : inputs) v = static_cast<float>(rng.normal());
    x = Tensor(inputs.data(), DType::f32, tokens, in);
  }
};

inline bool supports(const std::string& rung, DType dtype) {
  return registry().ladder<Linear>().supports(rung, {Tensor(nullptr, dtype, 0, 0), 1, 1});
}

/// x W^T by this rung, [tokens, out]; rows of y have `gap` floats between them.
inline std::vector<float> multiply(const std::string& rung, const Tensor& weight, const Tensor& x,
                                   int threads, std::int64_t gap = 0) {
  GuardedBuffer y(x.rows, weight.rows, weight.rows + gap);
  const LinearConfig config{weight, threads, static_cast<int>(x.rows)};
  registry().ladder<Linear>().make(rung, config)->apply(x, y.tensor());
  y.check_guards();
  return y.values();
}

}  // namespace rung::linear
