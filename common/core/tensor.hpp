#pragma once
// A view of a matrix in a mapped file, in host memory, or in the memory of a device.
//
// A Tensor owns no memory and is passed by value or by const reference. A const Tensor is a constant view;
// its elements can still be written. Most code only passes and slices tensors. Only rungs that were written
// for the kind of memory call ptr().

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
  /// Returns the bytes of the elements, without the gaps between the rows of a strided view.
  std::size_t bytes() const { return static_cast<std::size_t>(rows) * bytes_of(dtype, cols); }

  /// Returns the rows [begin, begin + count) as a view. If this tensor has no memory, the view has none
  /// either.
  Tensor row_slice(std::int64_t begin, std::int64_t count) const {
    assert(begin >= 0 && count >= 0 && begin + count <= rows);
    return {empty() ? nullptr : row(begin), dtype, count, cols, stride};
  }
  /// Returns the columns [begin, begin + count) as a view. REQUIRES: begin is a multiple of the block size.
  Tensor col_slice(std::int64_t begin, std::int64_t count) const {
    assert(begin >= 0 && count >= 0 && begin + count <= cols);
    return {empty() ? nullptr : static_cast<std::byte*>(data) + bytes_of(dtype, begin), dtype, rows, count,
            stride};
  }

  /// Returns the address of row i.
  void* row(std::int64_t i) const {
    return static_cast<std::byte*>(data) + static_cast<std::size_t>(i) * bytes_of(dtype, stride);
  }
  /// Returns row i as an array of T. REQUIRES: the tensor is in host memory, and T is the C++ type of dtype.
  template <class T>
  T* ptr(std::int64_t i = 0) const {
    return static_cast<T*>(row(i));
  }
};

}  // namespace rung
