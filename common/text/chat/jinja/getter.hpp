#pragma once
// How filters find what they are asked to look at in a value: `map(attribute='a.b.0')`.

#include <vector>

#include "text/chat/jinja/run.hpp"

namespace rung::jinja {

/// "a.b.0": an item of an item of an item. An absent attribute is the value itself.
class Getter {
 public:
  explicit Getter(const Value& path);
  /// With `otherwise`, that stands for what is undefined on the way.
  Value operator()(Run& run, Value value, const Value* otherwise = nullptr) const;

 private:
  std::vector<Value> parts_;
};

}  // namespace rung::jinja
