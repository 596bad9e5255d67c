#pragma once
// What else the machine does while something is measured.

#include <string>

#include "core/timer.hpp"

namespace rung {

/// Counts from when it is made. Linux only: elsewhere there is never another load.
class OtherLoad {
 public:
  OtherLoad();
  /// Processors that other programs used, and that a virtual machine's host took away, on average: 0 is a
  /// quiet machine. Within the first fifth of a second it is 0, since the system counts in steps of 10 ms.
  double processors() const;
  /// A sentence to stand beside a figure; empty where the others used less than a fifth of a processor.
  std::string note() const;

 private:
  Timer since_;
  double busy_s_ = 0, own_s_ = 0;
};

}  // namespace rung
