#pragma once
// float32 memory for measurements: untouched at first, in pages of the size that is asked for.

#include <cstdint>
#include <span>

namespace rung {

enum class Pages : std::uint8_t {
  small,  // 4 kB, whatever the system's setting
  large,  // 2 MB where the system gives them (transparent huge pages); otherwise small
};

/// Memory straight from the system, zeros, given back at the end. The thread that writes a page first decides
/// on which memory node it lies. Throws Error when there is none left.
class LargeArray {
 public:
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
