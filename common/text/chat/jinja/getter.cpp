// Paths of attributes.

#include "text/chat/jinja/getter.hpp"

#include "core/error.hpp"
#include "text/chat/jinja/case.hpp"
#include "text/chat/jinja/numbers.hpp"
#include "text/chat/jinja/text.hpp"

namespace rung::jinja {

Getter::Getter(const Value& path) {
  if (path.is_none() || path.is_undefined()) return;
  if (!path.is_string()) {
    parts_.push_back(path);
    return;
  }
  for (const std::string_view part : split_at(path.text(), ".", -1)) {
    if (!all_of_class(part, CodeClass::digit)) {
      parts_.push_back(Value::string(std::string(part)));
      continue;
    }
    const auto place = parse_whole(part, 10);
    if (!place) fail("the attribute '{}' is neither a name nor a whole number", part);
    parts_.push_back(Value::integer(*place));
  }
}

Value Getter::operator()(Run& run, Value value, const Value* otherwise) const {
  for (const Value& part : parts_) {
    value = run.item(value, part);
    if (otherwise != nullptr && value.is_undefined()) value = *otherwise;
  }
  return value;
}

}  // namespace rung::jinja
