#pragma once
// Stop strings in a stream of text: no part of one is ever shown.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rung {

class StopChecker {
 public:
  explicit StopChecker(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  /// Takes the next piece of text; returns what may be shown now. A tail that could be the beginning
  /// of a stop string is held back until it is decided. Once a stop string is complete, stopped() is
  /// true and everything from its first character on is dropped.
  std::string push(std::string_view text);

  /// The held-back tail, at the end of the stream.
  std::string finish();

  bool stopped() const { return stopped_; }

 private:
  std::vector<std::string> stops_;  // none empty
  std::string held_;
  bool stopped_ = false;
};

}  // namespace rung
