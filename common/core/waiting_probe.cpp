// Prints what a program finds after choose_waiting(), for waiting_test.cpp: one line per fact, then its
// input. Usage: waiting_probe [ARGS...]. If PROBE_PROGRAM is set, the probe executes that program instead of
// itself.

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "core/waiting.hpp"

int main(int argc, char** argv) {
  if (const char* program = std::getenv("PROBE_PROGRAM")) {
    rung::choose_waiting(argv, program);
  } else {
    rung::choose_waiting(argv);
  }
  for (int i = 0; i < argc; ++i) std::printf("argument %d: %s\n", i, argv[i]);
  for (const char* name : {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "RUNG_STARTED_AS", "PROBE_KEPT"}) {
    const char* value = std::getenv(name);
    std::printf("%s: %s\n", name, value == nullptr ? "unset" : value);
  }
  for (int descriptor = 0; descriptor < 12; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) >= 0) std::printf("open: %d\n", descriptor);
  }
  sigset_t blocked;
  sigprocmask(SIG_BLOCK, nullptr, &blocked);
  std::printf("SIGUSR1 blocked: %d\n", sigismember(&blocked, SIGUSR1));
  std::printf("process: %d\n", static_cast<int>(getpid()));
  std::printf("name: ");
  std::fflush(stdout);
  char text[4096];
  const int name = open("/proc/self/comm", O_RDONLY);
  ssize_t n = read(name, text, sizeof text);
  if (n > 0) std::fwrite(text, 1, static_cast<std::size_t>(n), stdout);
  std::printf("input: ");
  while ((n = read(STDIN_FILENO, text, sizeof text)) > 0) {
    std::fwrite(text, 1, static_cast<std::size_t>(n), stdout);
  }
  std::printf("%s\n", n < 0 ? "refused" : ".");
  return 0;
}
