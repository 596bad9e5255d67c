// Helpers of all commands: output, progress, interrupts and child processes.

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.hpp"
#include "files/mapped_file.hpp"

namespace rung::cli {
namespace {

volatile std::sig_atomic_t interrupt_count = 0;

void on_interrupt(int signal) {
  interrupt_count = interrupt_count + 1;
  std::signal(signal, SIG_DFL);  // the second one kills
}

}  // namespace

void tell_text(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void open_standard_streams() {
  for (int number = 0; number < 3; ++number) {
    if (fcntl(number, F_GETFD) >= 0 || errno != EBADF) continue;
    // Opened in the wrong direction, so that the first read or write is an error instead of an empty input.
    const int opened = open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY);
    if (opened >= 0 && opened != number) close(opened);
  }
}

void finish_output() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    fail("the output could not be written; is the disk full or the pipe closed?");
}

namespace {

void on_bus_error(int signal, siginfo_t* info, void*) {
  const auto say = [](const char* text) {
    static_cast<void>(!write(STDERR_FILENO, text, std::strlen(text)));
  };
  const char* path = mapped_file_at(info->si_addr);
  if (path == nullptr) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    return;
  }
  say("\nrung: '");
  say(path);
  say("' was shortened, or its disk failed, while it was in use; fetch or convert it again, then repeat the "
      "command\n");
  _exit(1);
}

}  // namespace

void catch_bus_errors() {
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGBUS, &action, nullptr);
}

std::string dump_json(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

void print_json(const Json& json) { fmt::print("{}\n", dump_json(json)); }

void print_note(const OtherLoad& others) {
  if (const std::string note = others.note(); !note.empty()) fmt::print("Note: {}.\n", note);
}

Json rungs_json(const Engine& engine) { return rung::rungs_json(engine.rungs()); }

std::uint64_t bytes_from(const std::string& flag, const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end, text.data() + text.size());
  double factor = 0;
  for (const auto& [name, size] : {std::pair{"", 1.0},
                                   {"B", 1.0},
                                   {"kB", 1e3},
                                   {"MB", 1e6},
                                   {"GB", 1e9},
                                   {"TB", 1e12},
                                   {"KiB", 0x1p10},
                                   {"MiB", 0x1p20},
                                   {"GiB", 0x1p30},
                                   {"TiB", 0x1p40}}) {
    if (unit == name) factor = size;
  }
  const double bytes = value * factor;
  if (error != std::errc() || factor == 0 || !(bytes >= 1 && bytes < 0x1p60)) {
    fail_usage("{} {} is no number of bytes; write for example 24GB, 24e9 or 16GiB", flag, text);
  }
  return static_cast<std::uint64_t>(bytes);
}

void catch_interrupts() {
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  std::signal(SIGXFSZ, SIG_IGN);  // beyond a limit on file sizes a write fails, and says so
}

bool interrupted() { return interrupt_count > 0; }

void check_interrupted() {
  if (interrupted()) fail("interrupted");
}

Progress::~Progress() {
  if (open_line_) tell("\n");
}

void Progress::update(double done) {
  static const bool terminal = isatty(STDERR_FILENO) == 1;
  constexpr double kShort = 2.0;  // seconds
  const double gone = since_start_.seconds();
  const bool due =
      terminal ? since_draw_.seconds() > 0.1 || done >= 1.0 : done >= drawn_ + 0.1 || done >= 1.0;
  if (gone < kShort || drawn_ >= 1.0 || (drawn_ >= 0 && !due)) return;
  const std::string left =
      done > 0 && done < 1 ? fmt::format(", about {:.0f} s left", gone * (1 - done) / done) : "";
  // The previous line can be longer.
  tell("{}{}: {:3.0f} %{}{}", terminal ? "\r" : "", what_, 100 * done, left, terminal ? "\x1b[K" : "\n");
  open_line_ = terminal;
  since_draw_.reset();
  drawn_ = done;
}

std::function<void(std::uint64_t, std::uint64_t)> Progress::watcher() {
  return [this](std::uint64_t done, std::uint64_t total) {
    update(total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total));
    check_interrupted();
  };
}

namespace {

// These enclose the texts that a child passes to `begin`. Everything else is its output.
constexpr char kBegin = '\x1e', kBegun = '\x1f';

void write_all(int descriptor, const std::string& text) {
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t n = write(descriptor, text.data() + sent, text.size() - sent);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    sent += static_cast<std::size_t>(n);
  }
}

[[noreturn]] void be_child(pid_t parent, int descriptor,
                           const std::function<std::string(const Begin&)>& job) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // the parent ended before the call above
  int status = 1;
  std::string output;
  try {
    output = job([&](const std::string& what) { write_all(descriptor, kBegin + what + kBegun); });
    status = 0;
  } catch (const std::exception& error) {
    output = error.what();
  }
  write_all(descriptor, output);
  _exit(status);
}

/// Reads until the child has closed its end. Returns false if the child was killed because its time was over.
bool listen(pid_t child, int descriptor, double seconds, ChildResult& result) {
  Timer since;
  bool told = false, in_time = true;
  std::string heard;
  for (char buffer[4096];;) {
    // A signal does not end poll() if its handler restarts system calls, so poll() has a time limit.
    if (interrupted() && !std::exchange(told, true)) kill(child, SIGTERM);
    if (seconds > 0 && since.seconds() > seconds && std::exchange(in_time, false)) kill(child, SIGKILL);
    pollfd written{descriptor, POLLIN, 0};
    constexpr int kMilliseconds = 50;
    if (poll(&written, 1, kMilliseconds) <= 0) continue;
    const ssize_t n = read(descriptor, buffer, sizeof buffer);
    if (n == 0 || (n < 0 && errno != EINTR)) break;
    if (n > 0) heard.append(buffer, static_cast<std::size_t>(n));
    if (n > 0 && std::memchr(buffer, kBegin, static_cast<std::size_t>(n)) != nullptr) since.reset();
  }
  for (std::size_t begin; (begin = heard.find(kBegin)) != std::string::npos;) {
    const std::size_t end = std::min(heard.find(kBegun, begin), heard.size());
    result.begun = heard.substr(begin + 1, end - begin - 1);
    heard.erase(begin, end + 1 - begin);
  }
  result.output = heard;
  return in_time;
}

}  // namespace

ChildResult run_in_child(const std::function<std::string(const Begin& begin)>& job, double seconds) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0)
    fail("cannot create a pipe to a child process; the limits on open files or processes may be too low");
  std::fflush(nullptr);
  const pid_t parent = getpid(), child = fork();
  if (child < 0) fail("cannot start a child process; the limit on processes or memory may be too low");
  if (child == 0) {
    close(pipe_ends[0]);
    be_child(parent, pipe_ends[1], job);
  }
  close(pipe_ends[1]);
  ChildResult result;
  const bool in_time = listen(child, pipe_ends[0], seconds, result);
  close(pipe_ends[0]);
  int status = 0;
  rusage usage{};
  while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  result.peak_rss_bytes = static_cast<std::size_t>(usage.ru_maxrss) * 1024;
  if (!in_time) {
    result.failure =
        fmt::format("it did not end within {:.0f} seconds; check its code for an endless loop", seconds);
  } else if (WIFSIGNALED(status)) {
    result.failure =
        fmt::format("it crashed with signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  } else if (WEXITSTATUS(status) != 0) {
    result.failure = result.output;
  }
  return result;
}

}  // namespace rung::cli
