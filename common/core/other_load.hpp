#pragma once
// Measures how much processor time other programs use during a measurement.

#include <string>

#include "core/timer.hpp"

namespace rung {

/// From this number of processors on, the load of other programs disturbs a measurement.
inline constexpr double kDisturbingLoad = 0.2;
/// Returns a sentence, without its period, about the load of other programs during a measurement.
std::string other_load_note(double processors);

/// Counts from its construction. On systems other than Linux, the load of other programs is always 0.
class OtherLoad {
 public:
  OtherLoad();
  /// Returns how many processors other programs used on average, including processors that the host of a
  /// virtual machine took away. Returns 0 during the first 0.2 s, because the system counts in steps of 10
  /// ms.
  double processors() const;
  /// Returns a sentence to print with a measured number. It is empty if other programs used less than
  /// kDisturbingLoad.
  std::string note() const;

 private:
  Timer since_;
  double busy_s_ = 0, own_s_ = 0;
};

}  // namespace rung
