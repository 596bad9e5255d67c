#pragma once
// Finds stop strings in a stream of text. No part of a stop string is ever shown.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rung {

class StopChecker {
 public:
  explicit StopChecker(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  /// Takes the next piece of text and returns the text that may be shown now. A tail that could be the
  /// beginning of a stop string is held back until the following text decides this. Once a stop string is
  /// complete, stopped() is true, and everything from its first character on is dropped.
  std::string push(std::string_view text);

  /// Returns the tail that is held back. Call it at the end of the stream.
  std::string finish();

  bool stopped() const { return stopped_; }

 private:
  std::vector<std::string> stops_;  // none empty
  std::string held_;
  bool stopped_ = false;
};

}  // namespace rung
