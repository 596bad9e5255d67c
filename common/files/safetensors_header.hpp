#pragma once
// The header of a safetensors file as a list of tensors. Who parses it can be exchanged: the reader below is
// the plain one, 02_engines/tgi has faster ones behind seam `safetensors_index`.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

/// What the header says of one tensor, read but not believed: SafeTensors checks type, sizes and offsets.
struct SafetensorsEntry {
  std::string name;
  std::string dtype;                // as the file writes it: "BF16"
  std::vector<std::int64_t> shape;  // slowest dimension first; empty for a scalar
  std::uint64_t begin = 0;          // of its bytes, counted from the end of the header
  std::uint64_t end = 0;
  friend bool operator==(const SafetensorsEntry&, const SafetensorsEntry&) = default;
};

inline constexpr std::size_t kMaxSafetensorsDims = 8;
inline constexpr std::uint64_t kMaxSafetensorsInteger = std::uint64_t{1} << 62;

class SafetensorsReader {
 public:
  virtual ~SafetensorsReader() = default;

  /// The tensors of a header, in any order. `header` is one JSON object in UTF-8, maybe with white space
  /// behind it. REQUIRES: it begins with '{' and has no byte of value 0; the loader checks both. Its key
  /// "__metadata__" is passed over; every other one names a tensor and holds an object with "dtype", a
  /// string, "shape", at most kMaxSafetensorsDims integers, and "data_offsets", two integers, all integers
  /// from 0 to kMaxSafetensorsInteger. Other fields of that object are passed over.
  ///
  /// Throws Error, with a sentence that begins with `what`, for anything else: text that is no JSON at any
  /// place, a missing field or one of another type, a key that is twice in the same object at any depth.
  /// Thread safety: const calls may run at the same time.
  virtual std::vector<SafetensorsEntry> read(std::string_view header, const std::string& what) const = 0;
};

/// The reader that is used where nothing else was asked for: a whole JSON document, then its parts.
const SafetensorsReader& default_safetensors_reader();

}  // namespace rung
