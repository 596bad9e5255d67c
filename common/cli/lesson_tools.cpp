// Runs the scripts of tools/lessons, which draw and write reports.

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/compare.hpp"

extern char** environ;

namespace rung::cli {
namespace {

namespace fs = std::filesystem;

/// The folder with the scripts that draw: that of the source tree, or that of the installation.
fs::path lesson_tools() {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  for (const fs::path& folder :
       {fs::path(RUNG_TOOLS_DIR), program.parent_path().parent_path() / "share/rung/tools"}) {
    if (fs::exists(folder / "lessons", ignored)) return folder / "lessons";
  }
  fail("the folder tools/lessons with the scripts that draw is missing; it belongs to the source tree {}",
       fs::path(RUNG_TOOLS_DIR).parent_path().string());
}

}  // namespace

int run_script(const std::string& script, const std::vector<std::string>& arguments) {
  const fs::path path = lesson_tools() / script;
  std::vector<std::string> words = {"python3", "-B", path.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::fflush(nullptr);
  // What the script says goes to stderr, because stdout belongs to the result.
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  const int error = posix_spawnp(&child, "python3", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    fail("drawing needs Python, but python3 cannot be run; install it with: apt-get install python3");
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

void draw_runs(const std::string& name) {
  finish_output();
  if (run_script("draw_runs.py", {name + ".json", "--out", name}) != 0)
    fail("the picture was not drawn; the runs are in {0}.json, and rung plot {0}.json draws them later",
         name);
}

}  // namespace rung::cli
