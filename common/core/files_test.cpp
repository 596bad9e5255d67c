// Tests that output files are written completely or not at all, and never replace a file that the job reads.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>

#include "core/error.hpp"
#include "core/input_text.hpp"
#include "core/output_file.hpp"
#include "testing/catch.hpp"

using namespace rung;
namespace fs = std::filesystem;

namespace {

std::string fresh_folder(const std::string& name) {
  const std::string folder = testing::scratch_file("files_test_" + name);
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

void put(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t count(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("an output file appears when it is complete; until then an older one stays") {
  const std::string folder = fresh_folder("output_file"), path = folder + "/a b.bin";
  for (const char* before : {"", "old"}) {
    if (*before != '\0') put(path, before);
    {
      OutputFile file(path);
      file.write("half");
      CHECK(file.written() == 4);
    }
    CHECK(content(path) == before);
    CHECK(count(folder) == (*before == '\0' ? 0u : 1u));
  }
  ::chmod(path.c_str(), 0640);
  {
    OutputFile one(path), two(path);  // two writers at a time
    one.write("one");
    two.write("twice");
    one.commit();
    CHECK(content(path) == "one");
    two.commit();
  }
  CHECK(content(path) == "twice");
  CHECK(count(folder) == 1);
  CHECK((fs::status(path).permissions() & fs::perms::mask) == fs::perms(0640));
}

TEST_CASE("an output file follows links, and writes to devices and pipes directly") {
  const std::string folder = fresh_folder("output_links");
  put(folder + "/target", "old");
  fs::create_symlink("target", folder + "/link");
  OutputFile file(folder + "/link");
  file.write("new");
  file.commit();
  CHECK(fs::is_symlink(folder + "/link"));
  CHECK(content(folder + "/target") == "new");

  OutputFile nowhere("/dev/null");
  nowhere.write("gone");
  nowhere.commit();
  CHECK(fs::is_character_file("/dev/null"));

  const std::string pipe = folder + "/pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_THROWS_WITH(OutputFile(pipe), testing::contains("a pipe without a reader"));
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  OutputFile through(pipe);
  through.write("abc");
  through.commit();
  char heard[4] = {};
  CHECK(::read(reader, heard, 3) == 3);
  CHECK(std::string(heard) == "abc");
  ::close(reader);
}

TEST_CASE("an output file is refused where it cannot be, and where it would replace an input") {
  const std::string folder = fresh_folder("output_refused");
  CHECK_THROWS_WITH(OutputFile(folder), testing::contains("it is a folder"));
  CHECK_THROWS_WITH(OutputFile(folder + "/none/a"), testing::contains("No such file"));
  CHECK_THROWS_WITH(OutputFile(""), testing::contains("cannot write ''"));

  put(folder + "/in", "text");
  fs::create_symlink("in", folder + "/link");
  fs::create_hard_link(folder + "/in", folder + "/other name");
  CHECK(read_input(folder + "/in", "the text") == "text");
  for (const char* name : {"/in", "/link", "/other name", "/../files_test_output_refused/in"}) {
    CHECK_THROWS_WITH(OutputFile(folder + name), testing::contains("is also read by this job"));
  }
  CHECK(content(folder + "/in") == "text");

  put(folder + "/model", "x");
  {
    const InputInUse first(folder + "/model");
    { const InputInUse second(folder + "/model"); }
    CHECK_THROWS_WITH(OutputFile(folder + "/model"), testing::contains("is also read by this job"));
  }
  OutputFile(folder + "/model").commit();
  CHECK(content(folder + "/model").empty());

  fs::create_directories(folder + "/in a folder");
  put(folder + "/in a folder/weights", "x");
  protect_input(folder + "/in a folder");
  CHECK_THROWS_WITH(OutputFile(folder + "/in a folder/weights"), testing::contains("is also read"));
  OutputFile(folder + "/in a folder/new").commit();
}

TEST_CASE("a full disk is told, and leaves no part") {
  const std::string folder = fresh_folder("output_full");
  put(folder + "/a", "old");
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    int status = 1;
    try {
      OutputFile file(folder + "/a");
      file.write(std::string(2000, 'x'));
      file.commit();
    } catch (const Error& error) {
      const std::string what = error.what();
      status = what.find("1000 bytes were written") != std::string::npos ? 0 : 2;
    }
    ::_exit(status);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(content(folder + "/a") == "old");
  CHECK(count(folder) == 1);
}

TEST_CASE("a folder appears when it is complete, and an older one is replaced as a whole") {
  const std::string root = fresh_folder("output_folder"), path = root + "/new/model";
  const auto any = [](const std::string& name) { return name == "config.json" || name == "weights"; };
  {
    const OutputFolder folder(path, any);
    put(folder.path() + "/config.json", "{}");
  }
  CHECK_FALSE(fs::exists(path));
  CHECK(count(root + "/new") == 0);
  {
    OutputFolder folder(path + "/", any);
    put(folder.path() + "/config.json", "{}");
    put(folder.path() + "/weights", "1");
    folder.commit();
  }
  CHECK(count(path) == 2);
  {
    OutputFolder folder(path, any);
    put(folder.path() + "/config.json", "{2}");
    CHECK(content(path + "/config.json") == "{}");
    folder.commit();
  }
  CHECK(content(path + "/config.json") == "{2}");
  CHECK(count(path) == 1);
  CHECK(count(root + "/new") == 1);

  put(path + "/notes.txt", "mine");
  CHECK_THROWS_WITH(OutputFolder(path, any),
                    testing::contains("contains 'notes.txt', which the output would delete"));
  fs::remove(path + "/notes.txt");
  const InputInUse in_use(path + "/config.json");
  CHECK_THROWS_WITH(OutputFolder(path, any), testing::contains("is also read by this job"));
  put(root + "/file", "");
  CHECK_THROWS_WITH(OutputFolder(root + "/file", any), testing::contains("is a file"));
}

TEST_CASE("inputs that cannot be read are told") {
  const std::string folder = fresh_folder("inputs");
  CHECK_THROWS_WITH(read_input(folder, "the text"), testing::contains("cannot read the text"));
  CHECK_THROWS_WITH(read_input(folder + "/none", "the text"), testing::contains("No such file"));
  put(folder + "/empty", "");
  CHECK(read_input(folder + "/empty", "the text").empty());
}
