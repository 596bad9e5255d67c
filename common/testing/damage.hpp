#pragma once
// For tests of file readers: files made of given bytes, and damaged copies of them.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/rng.hpp"
#include "testing/catch.hpp"

namespace rung::testing {

inline std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Writes a file anew. The old one is removed first: some file systems wait for the disk when a file is
/// replaced, and tests do that thousands of times.
inline std::string write_bytes(const std::string& path, std::string_view bytes) {
  std::filesystem::remove(path);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path;
}

/// Changes the first bytes of a file, which keeps its length.
inline void overwrite_bytes(const std::string& path, std::string_view bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// Catch2 3 calls the matcher of version 2 ContainsSubstring.
#ifdef RUNG_CATCH2_V2
using Catch::Matchers::Contains;
#else
inline auto Contains(const std::string& text) { return Catch::Matchers::ContainsSubstring(text); }
#endif

/// Little-endian bytes, put together by hand so that a test does not lean on our own writer.
struct Bytes {
  std::string data;

  template <class T>
  Bytes& number(T value) {
    data.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Bytes& u32(std::uint32_t value) { return number(value); }
  Bytes& u64(std::uint64_t value) { return number(value); }
  Bytes& text(std::string_view value) {
    u64(value.size());
    data += value;
    return *this;
  }
  Bytes& zeros(std::size_t count) {
    data.append(count, '\0');
    return *this;
  }
  Bytes& align(std::size_t alignment) { return zeros((alignment - data.size() % alignment) % alignment); }
};

/// The sentence of the Error that `action` throws; empty when it throws none.
template <class Action>
std::string sentence_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

/// Runs `action` on a damaged file: it must succeed or throw Error; anything else fails the test.
/// Returns whether it threw.
template <class Action>
bool survives(Action&& action) {
  const std::string sentence = sentence_of(action);
  if (!sentence.empty()) {
    INFO(sentence);
    REQUIRE(sentence.size() > 20);  // a sentence, not a word
  }
  return !sentence.empty();
}

/// A copy of `bytes` with one to four random bits changed, all within its first `within` bytes.
inline std::string flip_bits(std::string bytes, Rng& rng, std::size_t within) {
  const std::uint64_t flips = 1 + rng.below(4);
  for (std::uint64_t i = 0; i < flips; ++i) {
    char& byte = bytes[rng.below(within)];
    byte = static_cast<char>(byte ^ (1 << rng.below(8)));
  }
  return bytes;
}

}  // namespace rung::testing
