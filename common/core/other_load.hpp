#pragma once
// Measures how much processor time other programs use during a measurement.

#include <string>

#include "core/timer.hpp"

namespace rung {

/// Counts from its construction. On systems other than Linux, the load of other programs is always 0.
class OtherLoad {
 public:
  OtherLoad();
  /// Returns how many processors other programs used on average, including processors that the host of a
  /// virtual machine took away. Returns 0 during the first 0.2 s, because the system counts in steps of 10
  /// ms.
  double processors() const;
  /// Returns a sentence to print with a measured number. It is empty if other programs used less than 0.2
  /// processors.
  std::string note() const;

 private:
  Timer since_;
  double busy_s_ = 0, own_s_ = 0;
};

}  // namespace rung
