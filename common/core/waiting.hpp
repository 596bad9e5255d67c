#pragma once
// How a thread waits for the others: chosen when a program starts, by what else the machine does.
//
// At the end of a parallel loop a thread that is done first spins (it looks again and again whether the
// others are done, too) and then sleeps. Waking a sleeping thread takes longer than many loops of a small
// model do, so threads that sleep at once are slow. Threads that spin for long are slower still where another
// program has the processor of the one that they wait for: they take its time. GCC's OpenMP library spins for
// several milliseconds, longer than a scheduler's time slice, unless GOMP_SPINCOUNT says how often it looks.
// It reads that variable before main() begins. So a program sets the variable and executes itself once more,
// with the same process id, arguments, descriptors and environment. docs/threads.md has the measurements.
//
// LLVM's OpenMP library offers its processor to others while it spins, and is left alone.

#include <functional>
#include <optional>
#include <string>

namespace rung {

/// What the processors do while a program starts.
struct StartLoad {
  int processors = 1;  // that are online
  int allowed = 1;     // of these, the ones that this process may use
  int others = 0;      // threads of other programs that run or could run
};

/// Looks at the system for 2 ms. Without /proc, and for a process on a single processor, `others` is 0.
StartLoad start_load();

/// How long a thread spins before it sleeps, in microseconds: about as long as it takes to wake one. Shorter
/// where other programs leave fewer processors than this process may use.
double spin_microseconds(const StartLoad& load);

/// What an environment variable is set to; null: not set.
using Environment = std::function<const char*(const char* name)>;

/// Whether `environment` says already how threads wait, or that this program was executed once more.
bool waiting_is_chosen(const Environment& environment);

/// How often a thread looks in that time: the value of GOMP_SPINCOUNT. `look_ns`: what one look takes.
std::string spin_count(double microseconds, double look_ns);

/// Chooses how the threads of this program wait. Call it in main() before any parallel loop, before input is
/// read and before other threads exist: where the choice has to be made, the program begins again from its
/// start. It does nothing where the user chose (OMP_WAIT_POLICY or GOMP_SPINCOUNT is set), for one processor,
/// with a debugger attached, for a set-user-id program, without GCC's OpenMP library, and where the system
/// refuses. `argv`: as main() got it. `program`: what is executed.
void choose_waiting(char** argv, const char* program = "/proc/self/exe");

}  // namespace rung
