#pragma once
// How a thread waits for the other threads of a loop. A program chooses this when it starts, depending on the
// load of the machine.
//
// A thread that finishes its part of a parallel loop first spins: it checks repeatedly whether the other
// threads have finished. After some time it sleeps. Waking a sleeping thread takes longer than many loops of
// a small model, so threads that sleep at once are slow. Threads that spin for long are even slower if
// another program uses the processor of the thread that they wait for, because they take processor time from
// it. GCC's OpenMP library spins for several milliseconds, longer than a time slice of the operating system.
// GOMP_SPINCOUNT sets the number of checks instead, but the library reads this variable before main() begins.
// Therefore a program sets the variable and executes itself once more, with the same process id, arguments,
// file descriptors and environment. docs/threads.md has the measurements.
//
// LLVM's OpenMP library yields its processor to other threads while it spins, so nothing is changed for it.

#include <functional>
#include <optional>
#include <string>

namespace rung {

/// The load of the machine while a program starts.
struct StartLoad {
  int processors = 1;  // processors that are online
  int allowed = 1;     // online processors that this process may use
  int others = 0;      // threads of other programs that run or are ready to run
};

/// Observes the system for 2 ms and returns its load. `others` is 0 if there is no /proc, or if this process
/// may use only one processor.
StartLoad start_load();

/// Returns how many microseconds a thread spins before it sleeps: about as long as waking a thread takes. The
/// time is shorter if other programs leave fewer free processors than this process may use.
double spin_microseconds(const StartLoad& load);

/// Returns the value of an environment variable, or null if it is not set.
using Environment = std::function<const char*(const char* name)>;

/// Returns whether the environment already determines how threads wait, or shows that this program was
/// executed once more.
bool waiting_is_chosen(const Environment& environment);

/// Returns the value of GOMP_SPINCOUNT: the number of checks in `microseconds`, if one check takes `look_ns`
/// nanoseconds.
std::string spin_count(double microseconds, double look_ns);

/// Chooses how the threads of this program wait. It may execute the program again from its start, so main()
/// must call it before any parallel loop, before it reads input, and before other threads exist. It does
/// nothing in these cases:
/// - The user has chosen: OMP_WAIT_POLICY or GOMP_SPINCOUNT is set.
/// - The process may use only one processor, a debugger is attached, or the program is set-user-id.
/// - The program does not use GCC's OpenMP library, or the system refuses.
/// `argv` is the argument of main(), and `program` is the path of the program to execute.
void choose_waiting(char** argv, const char* program = "/proc/self/exe");

}  // namespace rung
