// Output, progress, interrupts, child processes.

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.hpp"

namespace rung::cli {
namespace {

volatile std::sig_atomic_t interrupt_count = 0;

void on_interrupt(int signal) {
  interrupt_count = interrupt_count + 1;
  std::signal(signal, SIG_DFL);  // the second one kills
}

}  // namespace

std::string dump_json(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

void print_json(const Json& json) { fmt::print("{}\n", dump_json(json)); }

Json rungs_json(const Engine& engine) {
  Json json = Json::object();
  for (const auto& [seam, name] : engine.rungs()) json[seam] = name;
  return json;
}

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
    fail_usage("{} {} is no number of bytes; write 24GB, 24e9 or 16GiB", flag, text);
  }
  return static_cast<std::uint64_t>(bytes);
}

std::size_t peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
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
  if (open_line_) fmt::print(stderr, "\n");
}

void Progress::update(double done) {
  static const bool terminal = isatty(STDERR_FILENO) == 1;
  const bool due =
      terminal ? since_draw_.seconds() > 0.1 || done >= 1.0 : done >= drawn_ + 0.1 || done >= 1.0;
  if (drawn_ >= 1.0 || (drawn_ >= 0 && !due)) return;
  fmt::print(stderr, "{}{}: {:3.0f} %{}", terminal ? "\r" : "", what_, 100 * done, terminal ? "" : "\n");
  std::fflush(stderr);
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

ChildResult run_in_child(const std::function<std::string()>& job) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) fail("cannot make a pipe to a child process");
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) fail("cannot start a child process");
  if (child == 0) {
    close(pipe_ends[0]);
    int status = 1;
    std::string output;
    try {
      output = job();
      status = 0;
    } catch (const std::exception& error) {
      output = error.what();
    }
    for (std::size_t sent = 0; sent < output.size();) {
      const ssize_t n = write(pipe_ends[1], output.data() + sent, output.size() - sent);
      if (n <= 0) break;
      sent += static_cast<std::size_t>(n);
    }
    _exit(status);
  }
  close(pipe_ends[1]);
  ChildResult result;
  char buffer[4096];
  for (ssize_t n; (n = read(pipe_ends[0], buffer, sizeof buffer)) != 0;) {
    if (n > 0) result.output.append(buffer, static_cast<std::size_t>(n));
    if (n < 0 && errno != EINTR) break;
  }
  close(pipe_ends[0]);
  int status = 0;
  rusage usage{};
  while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  result.peak_rss_bytes = static_cast<std::size_t>(usage.ru_maxrss) * 1024;
  result.crashed = WIFSIGNALED(status);
  if (result.crashed) {
    result.failure =
        fmt::format("it crashed with signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  } else if (WEXITSTATUS(status) != 0) {
    result.failure = result.output;
  }
  return result;
}

}  // namespace rung::cli
