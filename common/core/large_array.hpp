#pragma once
// A large float32 array for measurements, in memory pages of a requested size.

#include <cstdint>
#include <span>

namespace rung {

enum class Pages : std::uint8_t {
  small,  // 4 kB, independently of the system's setting
  large,  // 2 MB if the system provides them (transparent huge pages); otherwise small
};

/// An array of zeros that is allocated directly from the operating system and freed in its destructor. The
/// thread that first writes to a page determines the memory node on which the page is allocated.
class LargeArray {
 public:
  /// Allocates `count` numbers. Throws Error if there is not enough memory.
  LargeArray(std::int64_t count, Pages pages);
  ~LargeArray();
  LargeArray(const LargeArray&) = delete;
  LargeArray& operator=(const LargeArray&) = delete;

  float* begin() const { return data_; }
  std::span<float> span() const { return {data_, static_cast<std::size_t>(count_)}; }

 private:
  void* mapped_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  float* data_ = nullptr;  // at a multiple of 2 MB
  std::int64_t count_ = 0;
};

}  // namespace rung
