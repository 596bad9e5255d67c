#include "core/waiting.hpp"

#include <sched.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "core/timer.hpp"

namespace rung {
namespace {

constexpr double kQuiet = 75, kBusy = 10;  // microseconds
constexpr double kMostLooks = 1e6;

// The name of an environment variable that is set for the program that is executed once more. Its value is
// the name of the process that ps and top show, because the kernel takes this name from the executed path.
constexpr const char* kAgain = "RUNG_STARTED_AS";

/// Returns the number of threads on the whole system that run or are ready to run, without the calling
/// thread.
int running_others() {
  std::ifstream in("/proc/loadavg");
  std::string word, counts;
  if (!(in >> word >> word >> word >> counts)) return 0;
  return std::max(0, std::atoi(counts.c_str()) - 1);  // "3/148": 3 of 148
}

/// Returns the nanoseconds of one check, measured with the loop of libgomp's do_spin(). It is the fastest of
/// a few short rounds, because any of them may be interrupted.
double look_nanoseconds() {
  constexpr int kLooks = 400, kRounds = 5;
  const std::atomic<int> other = 0;
  double best = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    const Timer timer;
    for (int i = 0; i < kLooks && other.load(std::memory_order_relaxed) == 0; ++i) {
#if defined(__x86_64__) || defined(__i386__)
      __builtin_ia32_pause();
#else
      __asm volatile("" ::: "memory");
#endif
    }
    best = std::min(best, timer.seconds() * 1e9 / kLooks);
  }
  return best;
}

/// Returns whether another process, such as a debugger, traces this one.
bool traced() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("TracerPid:")) return std::atoi(line.c_str() + line.find(':') + 1) != 0;
  }
  return false;
}

#if defined(_OPENMP) && !defined(__clang__)
constexpr bool kLibgomp = true;
#else
constexpr bool kLibgomp = false;
#endif

/// Returns whether /proc/self/exe is this program. If the dynamic loader was started with the program as an
/// argument, /proc/self/exe is the loader. The system then loads no second loader, and AT_BASE is 0.
bool exe_is_program() { return getauxval(AT_BASE) != 0; }

}  // namespace

StartLoad start_load() {
  constexpr timespec kPause = {0, 400'000};
  StartLoad load;
  load.processors = static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  cpu_set_t set;
  load.allowed = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : load.processors;
  if (load.allowed == 1) return load;  // no thread waits for another processor
  // Some programs run only for a moment. The median excludes them.
  std::array<int, 5> others{};
  for (int& count : others) {
    nanosleep(&kPause, nullptr);
    count = running_others();
  }
  std::sort(others.begin(), others.end());
  load.others = others[others.size() / 2];
  return load;
}

double spin_microseconds(const StartLoad& load) {
  return load.others + load.allowed > load.processors ? kBusy : kQuiet;
}

bool waiting_is_chosen(const Environment& environment) {
  const auto set = [&](const char* name) { return environment(name) != nullptr; };
  return set("OMP_WAIT_POLICY") || set("GOMP_SPINCOUNT") || set(kAgain);
}

std::string spin_count(double microseconds, double look_ns) {
  const double looks = microseconds * 1e3 / std::max(look_ns, 1e-3);
  return std::to_string(static_cast<std::int64_t>(std::clamp(looks, 1.0, kMostLooks)));
}

void choose_waiting(char** argv, const char* program) {
  if (const char* name = std::getenv(kAgain); name != nullptr) {
    prctl(PR_SET_NAME, name);
    unsetenv(kAgain);
    return;
  }
  if (!kLibgomp || waiting_is_chosen([](const char* name) { return std::getenv(name); })) return;
  if (getauxval(AT_SECURE) != 0 || !exe_is_program() || traced()) return;
  const StartLoad load = start_load();
  if (load.allowed == 1) return;  // threads share the processor, and the library spins for a moment only
  std::array<char, 16> name{};
  prctl(PR_GET_NAME, name.data());
  std::string spins = "GOMP_SPINCOUNT=" + spin_count(spin_microseconds(load), look_nanoseconds());
  std::string again = fmt::format("{}={}", kAgain, name.data());
  std::vector<char*> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  environment.insert(environment.end(), {spins.data(), again.data(), nullptr});
  execve(program, argv,
         environment.data());  // returns only when it failed: the threads wait as they would have
}

}  // namespace rung
