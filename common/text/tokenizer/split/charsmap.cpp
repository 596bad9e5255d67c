// Parses SentencePiece's precompiled_charsmap. The layout of a unit is that of darts-clone
// (github.com/s-yata/darts-clone): a label, a flag that says whether a value follows, and the offset of the
// children.

#include "text/tokenizer/split/charsmap.hpp"

#include "core/error.hpp"

namespace rung {
namespace {

std::uint32_t label_of(std::uint32_t unit) { return unit & 0x800000FFu; }
std::uint32_t offset_of(std::uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }
bool has_value(std::uint32_t unit) { return ((unit >> 8) & 1) != 0; }
std::uint32_t value_of(std::uint32_t unit) { return unit & 0x7FFFFFFFu; }

std::uint32_t read_u32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  }
  return value;
}

}  // namespace

Charsmap::Charsmap(const std::string& source, std::string_view blob) {
  if (blob.empty()) return;
  const std::size_t bytes = blob.size() < 4 ? SIZE_MAX : read_u32(blob, 0);
  if (blob.size() < 4 || bytes > blob.size() - 4 || bytes % 4 != 0 || bytes == 0) {
    fail("{}: the precompiled_charsmap of {} bytes does not hold the table that its first bytes announce",
         source, blob.size());
  }
  units_.resize(bytes / 4);
  for (std::size_t i = 0; i < units_.size(); ++i) units_[i] = read_u32(blob, 4 + 4 * i);
  strings_ = blob.substr(4 + bytes);
}

Charsmap::Match Charsmap::find(std::string_view text, bool longest) const {
  Match match;
  if (units_.empty()) return match;
  std::size_t node = offset_of(units_[0]);
  for (std::size_t i = 0; i < text.size() && text[i] != '\0'; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    node ^= byte;
    if (node >= units_.size()) break;
    const std::uint32_t unit = units_[node];
    if (label_of(unit) != byte) break;
    node ^= offset_of(unit);
    if (node >= units_.size()) break;
    if (!has_value(unit)) continue;
    const std::size_t begin = value_of(units_[node]);
    if (begin >= strings_.size()) break;
    const std::size_t end = std::min(strings_.find('\0', begin), strings_.size());
    match = {i + 1, std::string_view(strings_).substr(begin, end - begin)};
    if (!longest) break;
  }
  return match;
}

}  // namespace rung
