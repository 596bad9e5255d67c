#pragma once
// Output memory for judging rungs. It is filled with NaN and lies between two guard regions.
//
// If a rung does not write an element, this element remains NaN. If a rung writes outside its output, it
// changes a guard. The gaps between the rows of a strided output are guards too.

#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "core/error.hpp"
#include "core/tensor.hpp"

namespace rung {

class GuardedBuffer {
 public:
  /// Creates a float32 matrix [rows, cols] whose rows start `stride` elements apart; 0 means `cols`.
  GuardedBuffer(std::int64_t rows, std::int64_t cols, std::int64_t stride = 0)
      : rows_(rows), cols_(cols), stride_(stride == 0 ? cols : stride) {
    poison();
  }

  /// Fills the matrix with NaN and restores the guards.
  void poison() {
    storage_.assign(static_cast<std::size_t>(2 * kGuard + rows_ * stride_), guard_value());
    for (std::int64_t r = 0; r < rows_; ++r) {
      for (std::int64_t c = 0; c < cols_; ++c) {
        storage_[index(r, c)] = std::numeric_limits<float>::quiet_NaN();
      }
    }
  }

  Tensor tensor() { return {storage_.data() + kGuard, DType::f32, rows_, cols_, stride_}; }

  /// Returns the elements of the matrix row by row, without gaps.
  std::vector<float> values() const {
    std::vector<float> result;
    result.reserve(static_cast<std::size_t>(rows_ * cols_));
    for (std::int64_t r = 0; r < rows_; ++r) {
      for (std::int64_t c = 0; c < cols_; ++c) result.push_back(storage_[index(r, c)]);
    }
    return result;
  }

  /// Throws Error if memory outside the matrix was changed.
  void check_guards() const {
    for (std::size_t i = 0; i < storage_.size(); ++i) {
      const std::int64_t offset = static_cast<std::int64_t>(i) - kGuard;
      const bool inside = offset >= 0 && offset < rows_ * stride_ && offset % stride_ < cols_;
      const float guard = guard_value();
      if (!inside && std::memcmp(&storage_[i], &guard, sizeof guard) != 0) {
        fail(
            "the rung wrote outside its output of shape [{}, {}] (row stride {}), {} elements from its start",
            rows_, cols_, stride_, offset);
      }
    }
  }

 private:
  static constexpr std::int64_t kGuard = 64;
  static float guard_value() { return -1.2345678e30f; }
  std::size_t index(std::int64_t r, std::int64_t c) const {
    return static_cast<std::size_t>(kGuard + r * stride_ + c);
  }

  std::int64_t rows_, cols_, stride_;
  std::vector<float> storage_;
};

}  // namespace rung
