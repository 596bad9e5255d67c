#pragma once
// Attribute paths of filters, such as `map(attribute='a.b.0')`.

#include <vector>

#include "text/chat/jinja/run.hpp"

namespace rung::jinja {

/// Follows a path such as "a.b.0", which is an item of an item of an item. Without a path, the result is the
/// value itself.
class Getter {
 public:
  explicit Getter(const Value& path);
  /// If `otherwise` is given, it replaces every undefined value along the path.
  Value operator()(Run& run, Value value, const Value* otherwise = nullptr) const;

 private:
  std::vector<Value> parts_;
};

}  // namespace rung::jinja
