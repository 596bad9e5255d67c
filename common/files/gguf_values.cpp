// Reads GGUF metadata with types. The bytes were checked when the file was opened, so this file checks only
// the types.

#include <cstring>
#include <type_traits>
#include <utility>

#include "core/error.hpp"
#include "files/gguf.hpp"

namespace rung {
namespace {

template <class T>
T read(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// Calls use(value) with the number at `at` in its own C++ type; false when `type` is no number.
template <class Use>
bool with_number(GgufType type, const std::byte* at, Use&& use) {
  switch (type) {
    case GgufType::u8:
      return use(read<std::uint8_t>(at)), true;
    case GgufType::i8:
      return use(read<std::int8_t>(at)), true;
    case GgufType::u16:
      return use(read<std::uint16_t>(at)), true;
    case GgufType::i16:
      return use(read<std::int16_t>(at)), true;
    case GgufType::u32:
      return use(read<std::uint32_t>(at)), true;
    case GgufType::i32:
      return use(read<std::int32_t>(at)), true;
    case GgufType::f32:
      return use(read<float>(at)), true;
    case GgufType::boolean:
      return use(std::to_integer<int>(*at) != 0), true;
    case GgufType::u64:
      return use(read<std::uint64_t>(at)), true;
    case GgufType::i64:
      return use(read<std::int64_t>(at)), true;
    case GgufType::f64:
      return use(read<double>(at)), true;
    case GgufType::string:
    case GgufType::array:
      break;
  }
  return false;
}

std::string_view read_string(const std::byte* at) {
  return {reinterpret_cast<const char*>(at + 8), static_cast<std::size_t>(read<std::uint64_t>(at))};
}

std::size_t size_of_number(GgufType type) {
  std::size_t size = 0;
  alignas(8) const std::byte zero[8] = {};
  with_number(type, zero, [&](auto value) { size = sizeof value; });
  return size;
}

constexpr std::size_t kArrayHead = 12;  // element type and length stand before the elements

std::string type_text(const GgufEntry& entry) {
  if (entry.type != GgufType::array) return std::string(gguf_type_name(entry.type));
  return fmt::format("array of {}", gguf_type_name(entry.element_type));
}

[[noreturn]] void fail_type(const std::string& path, const GgufEntry& entry, std::string_view wanted) {
  fail("{}: metadata '{}' is {}, expected {}", path, entry.key, type_text(entry), wanted);
}

/// The integer of an entry, if it is one that fits Integer; else a sentence.
template <class Integer>
Integer to_integer(const std::string& path, const GgufEntry& entry, std::string_view wanted) {
  Integer result = 0;
  bool is_integer = false;
  bool fits = false;
  with_number(entry.type, entry.raw.data(), [&](auto value) {
    using Value = decltype(value);
    if constexpr (std::is_integral_v<Value> && !std::is_same_v<Value, bool>) {
      is_integer = true;
      fits = std::in_range<Integer>(value);
      result = static_cast<Integer>(value);
    }
  });
  if (!is_integer) fail_type(path, entry, wanted);
  if (!fits) fail("{}: metadata '{}' has a value out of range, expected {}", path, entry.key, wanted);
  return result;
}

}  // namespace

const GgufEntry* Gguf::find(std::string_view key) const {
  const auto at = entry_by_key_.find(key);
  return at == entry_by_key_.end() ? nullptr : &entries_[at->second];
}

const GgufTensor* Gguf::find_tensor(std::string_view name) const {
  const auto at = tensor_by_name_.find(name);
  return at == tensor_by_name_.end() ? nullptr : &tensors_[at->second];
}

const GgufEntry& Gguf::entry(std::string_view key, std::string_view wanted) const {
  const GgufEntry* found = find(key);
  if (found == nullptr) fail("{}: metadata '{}' is missing, expected {}", path(), key, wanted);
  return *found;
}

const GgufEntry& Gguf::array(std::string_view key, std::string_view wanted) const {
  const GgufEntry& found = entry(key, wanted);
  if (found.type != GgufType::array) fail_type(path(), found, wanted);
  return found;
}

std::uint64_t Gguf::get_u64(std::string_view key) const {
  constexpr std::string_view kWanted = "a non-negative integer";
  return to_integer<std::uint64_t>(path(), entry(key, kWanted), kWanted);
}

std::int64_t Gguf::get_i64(std::string_view key) const {
  constexpr std::string_view kWanted = "an integer";
  return to_integer<std::int64_t>(path(), entry(key, kWanted), kWanted);
}

double Gguf::get_f64(std::string_view key) const {
  constexpr std::string_view kWanted = "a number";
  const GgufEntry& found = entry(key, kWanted);
  double result = 0;
  if (found.type == GgufType::boolean ||
      !with_number(found.type, found.raw.data(), [&](auto value) { result = static_cast<double>(value); })) {
    fail_type(path(), found, kWanted);
  }
  return result;
}

bool Gguf::get_bool(std::string_view key) const {
  const GgufEntry& found = entry(key, "a bool");
  if (found.type != GgufType::boolean) fail_type(path(), found, "a bool");
  return std::to_integer<int>(found.raw[0]) != 0;
}

std::string Gguf::get_string(std::string_view key) const {
  const GgufEntry& found = entry(key, "a string");
  if (found.type != GgufType::string) fail_type(path(), found, "a string");
  return std::string(read_string(found.raw.data()));
}

std::uint64_t Gguf::get_u64(std::string_view key, std::uint64_t otherwise) const {
  return has(key) ? get_u64(key) : otherwise;
}
std::int64_t Gguf::get_i64(std::string_view key, std::int64_t otherwise) const {
  return has(key) ? get_i64(key) : otherwise;
}
double Gguf::get_f64(std::string_view key, double otherwise) const {
  return has(key) ? get_f64(key) : otherwise;
}
bool Gguf::get_bool(std::string_view key, bool otherwise) const {
  return has(key) ? get_bool(key) : otherwise;
}
std::string Gguf::get_string(std::string_view key, std::string_view otherwise) const {
  return has(key) ? get_string(key) : std::string(otherwise);
}

std::vector<std::string_view> Gguf::string_array(std::string_view key) const {
  const GgufEntry& found = array(key, "an array of strings");
  if (found.element_type != GgufType::string) fail_type(path(), found, "an array of strings");
  std::vector<std::string_view> result;
  result.reserve(found.count);
  const std::byte* at = found.raw.data() + kArrayHead;
  for (std::uint64_t i = 0; i < found.count; ++i) {
    result.push_back(read_string(at));
    at += 8 + result.back().size();
  }
  return result;
}

std::vector<float> Gguf::float_array(std::string_view key) const {
  constexpr std::string_view kWanted = "an array of f32";
  const GgufEntry& found = array(key, kWanted);
  if (found.element_type != GgufType::f32 && found.element_type != GgufType::f64) {
    fail_type(path(), found, kWanted);
  }
  std::vector<float> result(found.count);
  const std::size_t size = size_of_number(found.element_type);
  for (std::uint64_t i = 0; i < found.count; ++i) {
    with_number(found.element_type, found.raw.data() + kArrayHead + i * size,
                [&](auto value) { result[i] = static_cast<float>(value); });
  }
  return result;
}

std::vector<std::int64_t> Gguf::int_array(std::string_view key) const {
  constexpr std::string_view kWanted = "an array of integers";
  const GgufEntry& found = array(key, kWanted);
  const std::size_t size = size_of_number(found.element_type);
  if (size == 0 || found.element_type == GgufType::f32 || found.element_type == GgufType::f64) {
    fail_type(path(), found, kWanted);
  }
  std::vector<std::int64_t> result(found.count);
  for (std::uint64_t i = 0; i < found.count; ++i) {
    with_number(found.element_type, found.raw.data() + kArrayHead + i * size, [&](auto value) {
      if constexpr (std::is_same_v<decltype(value), std::uint64_t>) {
        if (!std::in_range<std::int64_t>(value)) {
          fail("{}: element {} of metadata '{}' is {}, more than 2^63 - 1", path(), i, key, value);
        }
      }
      result[i] = static_cast<std::int64_t>(value);
    });
  }
  return result;
}

std::string Gguf::value_text(const GgufEntry& entry, std::size_t max_items) const {
  const auto item = [](GgufType type, const std::byte* at) {
    std::string text;
    if (type == GgufType::string) return fmt::format("\"{}\"", read_string(at));
    with_number(type, at, [&](auto value) { text = fmt::format("{}", value); });
    return text;
  };
  if (entry.type == GgufType::string) return std::string(read_string(entry.raw.data()));
  if (entry.type != GgufType::array) return item(entry.type, entry.raw.data());
  if (entry.element_type == GgufType::array) return fmt::format("[{} arrays]", entry.count);
  std::string text = "[";
  const std::byte* at = entry.raw.data() + kArrayHead;
  for (std::uint64_t i = 0; i < entry.count && i < max_items; ++i) {
    text += (i == 0 ? "" : ", ") + item(entry.element_type, at);
    at += entry.element_type == GgufType::string ? 8 + read_string(at).size()
                                                 : size_of_number(entry.element_type);
  }
  return text + fmt::format("{}] ({})", entry.count > max_items ? ", ..." : "", entry.count);
}

}  // namespace rung
