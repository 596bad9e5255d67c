#pragma once
// Threads: OpenMP behind three loops, so that the number of threads is an argument and not a global.
//
// Every result must be the same for every thread count. They keep that easy: an index is
// worked on by exactly one thread, and nothing is reduced across threads.

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace rung {

/// How many times threads were sent out and waited for, since the program began: each costs two
/// synchronisations, whatever the work was. For measurements (rung bench --json).
inline std::atomic<std::int64_t> parallel_regions{0};

/// Calls body(i) once for every i in [0, n); each thread takes one contiguous piece.
/// REQUIRES: threads >= 1; body does not throw and writes only what index i owns.
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

/// The same, handing out one index at a time: for pieces of unequal cost (causal attention).
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

/// Calls body(begin, end) for stretches that together are [0, n), each half of a thread's share of what is
/// left and no longer than `longest`: long ones first, which memory serves as long streams, and short ones at
/// the end, so that all threads finish together (guided scheduling, Polychronopoulos and Kuck 1987).
/// REQUIRES: longest >= 1; otherwise as parallel_for.
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

/// Threads used when nobody says otherwise: the processors this process may run on.
inline int default_threads() { return omp_get_num_procs(); }

/// Which of the running threads this is, 0 .. threads - 1: for per-thread scratch memory.
inline int thread_index() { return omp_get_thread_num(); }

}  // namespace rung
