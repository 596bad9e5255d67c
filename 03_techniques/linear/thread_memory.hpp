#pragma once
// Where the rungs of `linear` compute: regions of scratch memory that all products of a model share
// (seams/scratch.hpp).

#include <cassert>
#include <cstddef>
#include <string_view>

#include "core/parallel.hpp"
#include "seams/linear.hpp"

namespace rung::linear {

/// What prepare() makes of x. Pieces read it while they use the memory of their threads, so it is a region of
/// its own.
inline constexpr std::string_view kRowsRegion = "linear: prepared rows";
/// One part per thread, in use within one piece or one row only.
inline constexpr std::string_view kThreadsRegion = "linear: threads";

/// Memory for each thread of a product, as large as the rung that asked for it needs. The content is
/// undefined: the next product may use the same memory.
class ThreadMemory {
 public:
  ThreadMemory() = default;
  /// Asks for `bytes` for each of config.threads threads.
  ThreadMemory(const LinearConfig& config, std::size_t bytes)
      : threads_(config.threads),
        bytes_((bytes + kLine - 1) / kLine * kLine),
        memory_(config.place, kThreadsRegion, bytes_ * static_cast<std::size_t>(config.threads)) {}

  /// The calling thread's part, `bytes` from the start of a cache line. REQUIRES: the caller is in a loop of
  /// core/parallel.hpp of at most config.threads threads, or in none.
  template <class T>
  T* of_this_thread() const {
    assert(thread_index() < threads_);
    return reinterpret_cast<T*>(static_cast<std::byte*>(memory_.data()) +
                                static_cast<std::size_t>(thread_index()) * bytes_);
  }

 private:
  static constexpr std::size_t kLine = 64;

  int threads_ = 0;
  std::size_t bytes_ = 0;
  ScratchMemory memory_;
};

}  // namespace rung::linear
