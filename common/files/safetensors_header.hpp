#pragma once
// Reads the header of a safetensors file as a list of tensors. The reader can be exchanged: the default one
// is below, and 02_engines/tgi has faster ones for the seam `safetensors_index`.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

/// The header's entry of one tensor, which is not checked yet. SafeTensors checks its type, sizes and
/// offsets.
struct SafetensorsEntry {
  std::string name;
  std::string dtype;                // as the file writes it: "BF16"
  std::vector<std::int64_t> shape;  // slowest dimension first; empty for a scalar
  std::uint64_t begin = 0;          // first byte of the tensor, counted from the end of the header
  std::uint64_t end = 0;
  friend bool operator==(const SafetensorsEntry&, const SafetensorsEntry&) = default;
};

inline constexpr std::size_t kMaxSafetensorsDims = 8;
inline constexpr std::uint64_t kMaxSafetensorsInteger = std::uint64_t{1} << 62;

class SafetensorsReader {
 public:
  virtual ~SafetensorsReader() = default;

  /// Returns the tensors of a header, in any order. `header` is one JSON object in UTF-8, which can be
  /// followed by white space. REQUIRES: it begins with '{' and has no byte of value 0, which the loader
  /// checks. The key "__metadata__" is skipped. Every other key names a tensor, and its value is an object
  /// with "dtype", a string, "shape", at most kMaxSafetensorsDims integers, and "data_offsets", two integers.
  /// All integers are from 0 to kMaxSafetensorsInteger. Other fields of this object are skipped.
  ///
  /// Throws Error, with a message that begins with `what`, for anything else: text that is not JSON, a field
  /// that is missing or has another type, or a key that occurs twice in the same object at any depth. Thread
  /// safety: several threads can call const functions at the same time.
  virtual std::vector<SafetensorsEntry> read(std::string_view header, const std::string& what) const = 0;
};

/// Returns the default reader. It parses the whole JSON document and then reads its parts.
const SafetensorsReader& default_safetensors_reader();

}  // namespace rung
