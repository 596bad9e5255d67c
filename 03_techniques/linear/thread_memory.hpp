#pragma once
// The scratch memory of the rungs of `linear`, which all products of a model share (seams/scratch.hpp).

#include <cassert>
#include <cstddef>
#include <string_view>

#include "core/parallel.hpp"
#include "seams/linear.hpp"

namespace rung::linear {

/// The region of the rows that prepare() makes from x. It is separate, because pieces read these rows while
/// they use the memory of their threads.
inline constexpr std::string_view kRowsRegion = "linear: prepared rows";
/// The region with one part per thread. A thread uses its part only while it computes one piece or one row.
inline constexpr std::string_view kThreadsRegion = "linear: threads";

/// Memory for each thread of a product. Its content is undefined at the start of a product, because all
/// products use the same memory.
class ThreadMemory {
 public:
  ThreadMemory() = default;
  /// Requests `bytes` for each of config.threads threads.
  ThreadMemory(const LinearConfig& config, std::size_t bytes)
      : threads_(config.threads),
        memory_(config.place, kThreadsRegion,
                (bytes + kLine - 1) / kLine * kLine * static_cast<std::size_t>(config.threads)) {}

  /// Returns the calling thread's part, which has `bytes` bytes and starts at a cache line. REQUIRES: if the
  /// caller is in a loop of core/parallel.hpp, the loop has at most config.threads threads.
  template <class T>
  T* of_this_thread() const {
    assert(thread_index() < threads_);
    // The region may be larger than this part asked for. All its users divide it in the same way, so that
    // different products can run in one loop.
    const std::size_t part = memory_.bytes() / static_cast<std::size_t>(threads_) / kLine * kLine;
    return reinterpret_cast<T*>(static_cast<std::byte*>(memory_.data()) +
                                static_cast<std::size_t>(thread_index()) * part);
  }

 private:
  static constexpr std::size_t kLine = 64;

  int threads_ = 1;
  ScratchMemory memory_;
};

}  // namespace rung::linear
