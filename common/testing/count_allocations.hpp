#pragma once
// Counts the calls of operator new in a test program, to show that a function allocates nothing.
//
// It replaces operator new and delete of the whole program, so exactly one source file of a program may
// include it. Memory that a library takes with malloc() is not counted. The sanitizers have an operator new
// of their own, which must stay: under them nothing is counted, and kCountsAllocations is false.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RUNG_COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RUNG_COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef RUNG_COUNTS_ALLOCATIONS
#define RUNG_COUNTS_ALLOCATIONS 1
#endif

namespace rung::testing {

inline constexpr bool kCountsAllocations = RUNG_COUNTS_ALLOCATIONS == 1;

inline std::atomic<std::int64_t> allocations{0};

__attribute__((noinline)) inline void* counted(std::size_t bytes) {
  ++allocations;
  void* memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
__attribute__((noinline)) inline void give_back(void* memory) { std::free(memory); }

/// How many times `call` allocates, on any thread.
template <class Call>
std::int64_t allocations_of(const Call& call) {
  const std::int64_t before = allocations;
  call();
  return allocations - before;
}

}  // namespace rung::testing

#if RUNG_COUNTS_ALLOCATIONS
void* operator new(std::size_t bytes) { return rung::testing::counted(bytes); }
void* operator new[](std::size_t bytes) { return rung::testing::counted(bytes); }
void operator delete(void* memory) noexcept { rung::testing::give_back(memory); }
void operator delete[](void* memory) noexcept { rung::testing::give_back(memory); }
void operator delete(void* memory, std::size_t /*bytes*/) noexcept { rung::testing::give_back(memory); }
void operator delete[](void* memory, std::size_t /*bytes*/) noexcept { rung::testing::give_back(memory); }
#endif
