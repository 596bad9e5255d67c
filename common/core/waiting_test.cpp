// Tests of how threads wait: the choice itself, and that a program that is executed again finds its
// arguments, descriptors and environment unchanged.

#include <fcntl.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/waiting.hpp"
#include "testing/catch.hpp"
#include "testing/damage.hpp"

using namespace rung;
namespace fs = std::filesystem;

namespace {

constexpr double kLong = 75, kShort = 10;
constexpr int kCannot = 126;  // exit status of a child

const std::string& probe() {
  static const std::string path = (testing::build_dir() / "bin/waiting_probe").string();
  return path;
}

/// The environment of this test, without what says how threads wait.
std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    all[text.substr(0, text.find('='))] = text.substr(std::min(text.size(), text.find('=') + 1));
  }
  for (const char* name : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "RUNG_STARTED_AS"}) all.erase(name);
  all["ASAN_OPTIONS"] = "detect_leaks=0";  // the search for leaks is itself a debugger, and there is only one
  return all;
}

struct Start {
  std::string program = probe();
  std::vector<std::string> arguments = {"waiting_probe"};
  std::map<std::string, std::string> variables = environment();
  std::string input;
  std::function<void()> before = [] {};  // in the child
  bool traced = false;
};

/// Runs a program; what it printed. Empty, after saying so, where an emulator can neither execute it nor
/// trace it.
std::string output_of(const Start& start) {
  const std::string in = testing::scratch_file("waiting_in"), out = testing::scratch_file("waiting_out");
  std::ofstream(in) << start.input;
  std::vector<std::string> entries;
  for (const auto& [name, value] : start.variables) {
    entries.push_back(name);
    entries.back().append("=").append(value);
  }
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(open(in.c_str(), O_RDONLY), STDIN_FILENO);
    dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
    for (int descriptor = 3; descriptor < 64; ++descriptor) close(descriptor);
    start.before();
    if (start.traced && ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(kCannot);
    std::vector<char*> argv, envp;
    for (const std::string& text : start.arguments) argv.push_back(const_cast<char*>(text.c_str()));
    for (const std::string& text : entries) envp.push_back(const_cast<char*>(text.c_str()));
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    execve(start.program.c_str(), argv.data(), envp.data());
    _exit(errno == ENOEXEC ? kCannot : 127);
  }
  int status = 0;
  while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
    ptrace(PTRACE_CONT, child, nullptr, nullptr);
  }
  INFO("did the build make " << start.program << "?");
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kCannot) {
    WARN("skipped: this system cannot execute or trace " << start.program);
    return {};
  }
  REQUIRE(WEXITSTATUS(status) == 0);
  const std::string output = testing::read_bytes(out);
  INFO(output);
  CHECK(output.find("process: " + std::to_string(child) + "\n") != std::string::npos);
  return output;
}

/// "GOMP_SPINCOUNT" of what a probe printed.
std::string line_of(const std::string& output, const std::string& name) {
  const std::size_t begin = ("\n" + output).find("\n" + name + ": ");
  if (begin == std::string::npos) return "(no such line)";
  const std::size_t value = begin + name.size() + 2;
  return output.substr(value, output.find('\n', value) - value);
}

bool began_again(const std::string& output) { return line_of(output, "GOMP_SPINCOUNT") != "unset"; }

/// Only GCC's library reads the variable, and on one processor no thread waits for another.
bool can_begin_again() {
#if !defined(_OPENMP) || defined(__clang__)
  return false;
#else
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 1;
#endif
}

}  // namespace

TEST_CASE("threads spin for long only where a processor is left for each of them") {
  CHECK(spin_microseconds({2, 2, 0}) == kLong);
  CHECK(spin_microseconds({2, 2, 1}) == kShort);
  CHECK(spin_microseconds({2, 2, 50}) == kShort);
  CHECK(spin_microseconds({16, 16, 0}) == kLong);
  CHECK(spin_microseconds({16, 16, 1}) == kShort);
  // A process that may use two of 16 processors leaves 14 to the others.
  CHECK(spin_microseconds({16, 2, 14}) == kLong);
  CHECK(spin_microseconds({16, 2, 15}) == kShort);
}

TEST_CASE("the count of looks makes the time, whatever a look takes") {
  CHECK(spin_count(75, 25) == "3000");
  CHECK(spin_count(75, 50) == "1500");
  CHECK(spin_count(10, 0.5) == "20000");
  CHECK(spin_count(10, 1e9) == "1");      // a clock that jumped: never 0, which means something else
  CHECK(spin_count(75, 0) == "1000000");  // nor without end
}

TEST_CASE("what the user says about waiting stands") {
  const auto with = [](const char* chosen) {
    return waiting_is_chosen([=](const char* name) { return std::string(name) == chosen ? "" : nullptr; });
  };
  CHECK(with("OMP_WAIT_POLICY"));
  CHECK(with("GOMP_SPINCOUNT"));
  CHECK(with("RUNG_STARTED_AS"));
  CHECK_FALSE(with("OMP_NUM_THREADS"));
}

TEST_CASE("the load at the start is one that this machine can have") {
  const StartLoad load = start_load();
  CHECK(load.processors >= 1);
  CHECK(load.allowed >= 1);
  CHECK(load.allowed <= load.processors);
  CHECK(load.others >= 0);
}

TEST_CASE(
    "a program that begins again has its arguments, environment, descriptors, signals, name and input") {
  Start start;
  start.arguments = {"any name", "", "two words", "--flag=\"x\"", "\xff\n"};
  start.variables["PROBE_KEPT"] = "as it was";
  start.input = "first line\nsecond line\n";
  start.before = [] {
    dup2(STDOUT_FILENO, 9);
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, nullptr);
  };
  const std::string again = output_of(start);
  if (again.empty()) return;
  INFO(again);
  CHECK(began_again(again) == can_begin_again());
  if (can_begin_again()) CHECK(std::atoi(line_of(again, "GOMP_SPINCOUNT").c_str()) >= 1);
  CHECK(line_of(again, "name") == "waiting_probe");
  CHECK(line_of(again, "open") == "0");
  CHECK(again.find("input: first line\nsecond line\n.") != std::string::npos);
  // Where it does not begin again, all is the same but the two variables and the process.
  start.variables["OMP_WAIT_POLICY"] = "passive";
  const std::string once = output_of(start);
  const auto part = [](const std::string& text, const char* from) { return text.substr(text.find(from)); };
  CHECK(again.substr(0, again.find("GOMP_SPINCOUNT")) == once.substr(0, once.find("GOMP_SPINCOUNT")));
  CHECK(line_of(again, "PROBE_KEPT") == line_of(once, "PROBE_KEPT"));
  CHECK(line_of(again, "RUNG_STARTED_AS") == "unset");
  CHECK(again.substr(again.find("open: "), again.find("process: ") - again.find("open: ")) ==
        once.substr(once.find("open: "), once.find("process: ") - once.find("open: ")));
  CHECK(part(again, "name: ") == part(once, "name: "));
}

TEST_CASE("a program started by another name keeps it") {
  const std::string link = testing::scratch_file("waiting_link");
  fs::remove(link);
  fs::create_symlink(probe(), link);
  Start start;
  start.program = link;
  const std::string output = output_of(start);
  if (!output.empty()) CHECK(line_of(output, "name") == "waiting_link");
}

TEST_CASE("closed standard streams stay closed") {
  Start start;
  start.before = [] {
    close(STDIN_FILENO);
    close(STDERR_FILENO);
  };
  const std::string output = output_of(start);
  if (output.empty()) return;
  CHECK(began_again(output) == can_begin_again());
  CHECK(line_of(output, "open") == "1");
  CHECK(output.find("open: 2") == std::string::npos);
}

TEST_CASE("a program does not begin again where the user chose how threads wait") {
  for (const char* name : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}) {
    Start start;
    start.variables[name] = name[0] == 'O' ? "active" : "123456";
    const std::string output = output_of(start);
    if (output.empty()) return;
    CHECK(line_of(output, name) == start.variables[name]);
    CHECK(line_of(output, name[0] == 'O' ? "GOMP_SPINCOUNT" : "OMP_WAIT_POLICY") == "unset");
  }
}

TEST_CASE("a program does not begin again under a debugger") {
  Start start;
  start.traced = true;
  const std::string output = output_of(start);
  if (!output.empty()) CHECK_FALSE(began_again(output));
}

TEST_CASE("a program does not begin again on one processor") {
  Start start;
  start.before = [] {
    cpu_set_t allowed, one;
    sched_getaffinity(0, sizeof allowed, &allowed);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i) {
      if (CPU_ISSET(i, &allowed)) CPU_SET(i, &one);
    }
    sched_setaffinity(0, sizeof one, &one);
  };
  const std::string output = output_of(start);
  if (!output.empty()) CHECK_FALSE(began_again(output));
}

TEST_CASE("a program goes on as it is where it cannot be executed once more") {
  Start start;
  start.variables["PROBE_PROGRAM"] = "/nowhere/program";
  start.input = "still here";
  const std::string output = output_of(start);
  if (output.empty()) return;
  CHECK_FALSE(began_again(output));
  CHECK(line_of(output, "input") == "still here.");
}

TEST_CASE("a program that the dynamic loader was asked to start is not confused with the loader") {
  std::ifstream maps("/proc/self/maps");
  std::string loader;
  for (std::string line; std::getline(maps, line);) {
    const std::size_t slash = line.find('/');
    if (slash != std::string::npos && line.find("/ld-") != std::string::npos) loader = line.substr(slash);
  }
  if (getauxval(AT_BASE) == 0 || loader.empty()) return;  // linked without one
  Start start;
  start.program = loader;
  start.arguments = {"loader", probe(), "one", "two"};
  const std::string output = output_of(start);
  if (output.empty()) return;
  INFO(output);
  CHECK(line_of(output, "argument 0") == probe());
  CHECK(line_of(output, "argument 1") == "one");
  CHECK(line_of(output, "argument 2") == "two");
}
