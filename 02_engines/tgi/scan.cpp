// Rung 2: one pass that knows the format. Rungs 0 and 1 parse any JSON and then look for tensors in it; a
// safetensors header is written by three libraries and looks the same everywhere, so this rung reads that
// shape from the text itself: names as views until they are kept, numbers digit by digit, no callbacks.
//
// What is rare goes back to the general parser: strings with escapes, fields and metadata that are passed
// over. So it refuses exactly what rung 0 refuses, which the test checks on thousands of damaged headers.

#include <algorithm>

#include "files/json_file.hpp"
#include "text/utf8.hpp"
#include "tgi.hpp"

namespace rung::tgi {
namespace {

class Scanner {
 public:
  Scanner(std::string_view text, const std::string& what) : text_(text), what_(what) {}

  Entries read() {
    Entries entries;
    object([&](std::string_view name) {
      if (name == "__metadata__") {
        skip_value();
      } else {
        entries.push_back(tensor(name));
      }
    });
    skip_space();
    if (at_ != text_.size()) refuse("text after the last brace");
    // Names were not compared while they came in: sorting views of them once is cheaper than a set.
    std::vector<std::string_view> names;
    names.reserve(entries.size());
    for (const SafetensorsEntry& entry : entries) names.push_back(entry.name);
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end() || metadata_ > 1) {
      fail("{}: the key '{}' appears twice", what_, metadata_ > 1 ? "__metadata__" : *twice);
    }
    return entries;
  }

 private:
  [[noreturn]] void refuse(const char* found) const {
    fail("{} is not what a safetensors header is: {} at byte {}", what_, found, at_);
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() {
    while (at_ < text_.size() && (peek() == ' ' || peek() == '\n' || peek() == '\t' || peek() == '\r')) ++at_;
  }
  bool take(char wanted) {
    skip_space();
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }
  void expect(char wanted, const char* found) {
    if (!take(wanted)) refuse(found);
  }

  /// {"key": value, ...}; `value` reads what stands behind the colon.
  template <class Value>
  void object(const Value& value) {
    expect('{', "no object");
    if (take('}')) return;
    do {
      skip_space();
      std::string decoded;
      const std::string_view key = string(decoded);
      expect(':', "no colon after a key");
      if (key == "__metadata__" && depth_ == 0) ++metadata_;
      ++depth_;
      value(key);
      --depth_;
    } while (take(','));
    expect('}', "neither a comma nor the end of an object");
  }

  /// The token of a string with its quotes; whether it has escapes; checked to be UTF-8 without control
  /// characters.
  std::string_view string_token(bool& escapes) {
    if (peek() != '"') refuse("no string");
    const std::size_t begin = at_++;
    bool ascii = true;
    escapes = false;
    for (;; ++at_) {
      if (at_ >= text_.size()) refuse("a string without end");
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') break;
      if (c < 0x20) refuse("a control character in a string");
      if (c >= 0x80) ascii = false;
      if (c == '\\') {
        escapes = true;
        ++at_;  // what is escaped is judged by the general parser
      }
    }
    const std::string_view token = text_.substr(begin, ++at_ - begin);
    if (!ascii && utf8_valid_length(token, 0) != token.size())
      refuse("text that is no UTF-8, before this place,");
    return token;
  }

  /// The characters of a string: a view of the header, or of `decoded` when there were escapes.
  std::string_view string(std::string& decoded) {
    bool escapes = false;
    const std::string_view token = string_token(escapes);
    if (!escapes) return token.substr(1, token.size() - 2);
    decoded = parse_json(token, what_).get<std::string>();
    return decoded;
  }

  std::uint64_t integer() {
    skip_space();
    const std::size_t begin = at_;
    std::uint64_t value = 0;
    for (; peek() >= '0' && peek() <= '9'; ++at_) {
      if (value > kMaxSafetensorsInteger / 10) refuse("a number beyond 2^62");
      value = value * 10 + static_cast<std::uint64_t>(peek() - '0');
    }
    if (value > kMaxSafetensorsInteger) refuse("a number beyond 2^62");
    if (at_ == begin) refuse("no integer from 0 to 2^62");
    if (text_[begin] == '0' && at_ - begin > 1) refuse("a number with a leading zero");
    return value;  // a fraction or an exponent is refused by whoever expects a comma next
  }

  template <class Each>
  void integers(const Each& each) {
    expect('[', "no list");
    if (take(']')) return;
    do {
      each(integer());
    } while (take(','));
    expect(']', "neither a comma nor the end of a list of integers");
  }

  SafetensorsEntry tensor(std::string_view name) {
    SafetensorsEntry entry;
    entry.name = name;
    unsigned seen = 0;  // one bit per field
    const auto once = [&](unsigned bit) {
      if ((seen & bit) != 0) refuse("a field that was there before");
      seen |= bit;
    };
    std::vector<std::string> others;
    object([&](std::string_view field) {
      if (field == "dtype") {
        once(1);
        skip_space();
        std::string decoded;
        entry.dtype = string(decoded);
      } else if (field == "shape") {
        once(2);
        integers([&](std::uint64_t size) {
          if (entry.shape.size() == kMaxSafetensorsDims) refuse("one dimension too many");
          entry.shape.push_back(static_cast<std::int64_t>(size));
        });
      } else if (field == "data_offsets") {
        once(4);
        int count = 0;
        integers([&](std::uint64_t offset) {
          if (count++ == 2) refuse("a third data offset");
          (count == 1 ? entry.begin : entry.end) = offset;
        });
        if (count != 2) refuse("fewer than two data offsets");
      } else {
        if (std::find(others.begin(), others.end(), field) != others.end()) {
          refuse("a field that was there before");
        }
        others.emplace_back(field);
        skip_value();
      }
    });
    if (seen != 7) {
      fail("{}: tensor '{}': one of 'dtype', 'shape' and 'data_offsets' is missing", what_, name);
    }
    return entry;
  }

  /// Any JSON value: finds its end by its brackets, and lets the general parser judge it.
  void skip_value() {
    skip_space();
    const std::size_t begin = at_;
    std::size_t open = 0;
    bool escapes = false;
    do {
      const char c = peek();
      if (at_ >= text_.size()) refuse("a value without end");
      if (c == '"') {
        string_token(escapes);
        continue;
      }
      if (open == 0 && (c == ',' || c == '}' || c == ']')) break;
      open += static_cast<std::size_t>(c == '{' || c == '[');
      open -= static_cast<std::size_t>(c == '}' || c == ']');
      ++at_;
      // A number or a word ends before the comma or brace that is not its own.
      if (open == 0 && (c == '}' || c == ']')) break;
    } while (open > 0 || (peek() != ',' && peek() != '}' && peek() != ']'));
    parse_json(text_.substr(begin, at_ - begin), what_);
  }

  std::string_view text_;
  const std::string& what_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int metadata_ = 0;  // how often "__metadata__" came
};

}  // namespace

Entries scan(std::string_view header, const std::string& what) { return Scanner(header, what).read(); }

}  // namespace rung::tgi
