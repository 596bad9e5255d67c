#pragma once
// Threads: OpenMP behind two loops, so that the number of threads is an argument and not a global.
//
// Every result must be the same for every thread count. Both loops keep that easy: an index is
// worked on by exactly one thread, and nothing is reduced across threads.

#include <omp.h>

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

/// Threads used when nobody says otherwise: the processors this process may run on.
inline int default_threads() { return omp_get_num_procs(); }

/// Which of the running threads this is, 0 .. threads - 1: for per-thread scratch memory.
inline int thread_index() { return omp_get_thread_num(); }

}  // namespace rung
