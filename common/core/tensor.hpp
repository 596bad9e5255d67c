#pragma once
// A view of a matrix that lies somewhere: in a mapped file, in host memory, or on a device.
//
// It owns nothing and is passed by value or const reference; constness is of the view, not of what it
// shows. Code above the device seam hands tensors around and slices them but never looks inside:
// only rungs written for the memory in question call ptr().

#include <cassert>
#include <cstddef>
#include <cstdint>

#include "core/dtype.hpp"

namespace rung {

struct Tensor {
  void* data = nullptr;
  DType dtype = DType::f32;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t stride = 0;  // elements from one row to the next; >= cols, a multiple of the block size

  Tensor() = default;
  Tensor(void* data_, DType dtype_, std::int64_t rows_, std::int64_t cols_)
      : Tensor(data_, dtype_, rows_, cols_, cols_) {}
  Tensor(void* data_, DType dtype_, std::int64_t rows_, std::int64_t cols_, std::int64_t stride_)
      : data(data_), dtype(dtype_), rows(rows_), cols(cols_), stride(stride_) {}

  bool empty() const { return data == nullptr; }
  std::int64_t size() const { return rows * cols; }
  /// Bytes of the elements themselves (without the gaps of a strided view).
  std::size_t bytes() const { return static_cast<std::size_t>(rows) * bytes_of(dtype, cols); }

  /// Rows [begin, begin + count) as a view. One of a tensor without memory has none either.
  Tensor row_slice(std::int64_t begin, std::int64_t count) const {
    assert(begin >= 0 && count >= 0 && begin + count <= rows);
    return {empty() ? nullptr : row(begin), dtype, count, cols, stride};
  }
  /// Columns [begin, begin + count) as a view. REQUIRES: begin on a block boundary.
  Tensor col_slice(std::int64_t begin, std::int64_t count) const {
    assert(begin >= 0 && count >= 0 && begin + count <= cols);
    return {empty() ? nullptr : static_cast<std::byte*>(data) + bytes_of(dtype, begin), dtype, rows, count,
            stride};
  }

  /// Address of row i.
  void* row(std::int64_t i) const {
    return static_cast<std::byte*>(data) + static_cast<std::size_t>(i) * bytes_of(dtype, stride);
  }
  /// Row i as plain numbers. REQUIRES: host memory, and T is what dtype says.
  template <class T>
  T* ptr(std::int64_t i = 0) const {
    return static_cast<T*>(row(i));
  }
};

}  // namespace rung
