#include "core/other_load.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include <fmt/core.h>

namespace rung {
namespace {

constexpr double kShortest = 0.2;  // seconds

/// Returns the seconds since the system started during which processors were busy, or were taken away by the
/// host of a virtual machine, summed over all processors.
double busy_seconds() {
  std::ifstream in("/proc/stat");
  std::string word;
  double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
  if (!(in >> word >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal)) return 0;
  return (user + nice + system + irq + softirq + steal) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// Returns the processor time in seconds of this process and of its children that ended.
double own_seconds() {
  double sum = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    getrusage(who, &usage);
    for (const timeval& time : {usage.ru_utime, usage.ru_stime})
      sum += static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  }
  return sum;
}

}  // namespace

OtherLoad::OtherLoad() : busy_s_(busy_seconds()), own_s_(own_seconds()) {}

double OtherLoad::processors() const {
  const double seconds = since_.seconds();
  if (seconds < kShortest) return 0;
  return std::max(0.0, (busy_seconds() - busy_s_ - (own_seconds() - own_s_)) / seconds);
}

std::string other_load_note(double processors) {
  return fmt::format(
      "other programs used {:.1f} processors during the measurement, so these speeds are lower than the "
      "machine's; measure again when no other program runs",
      processors);
}

std::string OtherLoad::note() const {
  const double others = processors();
  return others < kDisturbingLoad ? "" : other_load_note(others);
}

}  // namespace rung
