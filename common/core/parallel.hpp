#pragma once
// Three parallel loops, implemented with OpenMP. The number of threads is an argument, not a global setting.
//
// Every result must be the same for every number of threads. Therefore exactly one thread works on each
// index, and no loop combines the results of several threads.

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace rung {

/// The number of parallel loops that ran on several threads since the program started. Each costs two
/// synchronizations (fork and join), independently of its work. For measurements (rung bench --json).
inline std::atomic<std::int64_t> parallel_regions{0};

/// Calls body(i) once for each i in [0, n). Each thread takes one contiguous range of indices.
/// REQUIRES: threads >= 1; body does not throw and writes only memory that belongs to index i.
template <class Body>
void parallel_for(int threads, std::int64_t n, Body&& body) {
  if (threads <= 1 || n <= 1) {
    for (std::int64_t i = 0; i < n; ++i) body(i);
    return;
  }
  parallel_regions.fetch_add(1, std::memory_order_relaxed);
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::int64_t i = 0; i < n; ++i) body(i);
}

/// Like parallel_for, but each thread takes one index at a time, for indices of unequal cost (causal
/// attention).
template <class Body>
void parallel_for_dynamic(int threads, std::int64_t n, Body&& body) {
  if (threads <= 1 || n <= 1) {
    for (std::int64_t i = 0; i < n; ++i) body(i);
    return;
  }
  parallel_regions.fetch_add(1, std::memory_order_relaxed);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
  for (std::int64_t i = 0; i < n; ++i) body(i);
}

/// Calls body(begin, end) for stretches of indices that together are [0, n). A stretch is half of a thread's
/// share of the remaining indices, and at most `longest` long. The first stretches are long, because memory
/// is fastest in long streams. The last ones are short, so that all threads finish at the same time (guided
/// scheduling, Polychronopoulos and Kuck 1987). REQUIRES: longest >= 1, and the same as for parallel_for.
template <class Body>
void parallel_for_stretches(int threads, std::int64_t n, std::int64_t longest, Body&& body) {
  if (threads <= 1 || n <= 1) {
    for (std::int64_t begin = 0, end; begin < n; begin = end) {
      end = begin + std::min(longest, n - begin);
      body(begin, end);
    }
    return;
  }
  parallel_regions.fetch_add(1, std::memory_order_relaxed);
  std::atomic<std::int64_t> taken = 0;
#pragma omp parallel num_threads(threads)
  for (std::int64_t begin = taken.load(std::memory_order_relaxed); begin < n;) {
    const std::int64_t end = begin + std::clamp((n - begin) / (2 * threads), std::int64_t{1}, longest);
    if (!taken.compare_exchange_weak(begin, end, std::memory_order_relaxed)) continue;
    body(begin, end);
    begin = taken.load(std::memory_order_relaxed);
  }
}

/// Returns the default number of threads: the number of processors on which this process may run.
inline int default_threads() { return omp_get_num_procs(); }

/// Returns the index of the calling thread in its loop, 0 .. threads - 1, for per-thread scratch memory.
inline int thread_index() { return omp_get_thread_num(); }

}  // namespace rung
