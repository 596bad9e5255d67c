// The rungs of `loading` against files made byte by byte, and what they must refuse; then whole models.

#include <sys/stat.h>

#include <filesystem>

#include "convert/synth.hpp"
#include "llama_cpp.hpp"
#include "model/model.hpp"
#include "testing/damage.hpp"
#include "testing/topic_test.hpp"

using namespace rung;
using testing::contains;

namespace {

const Registry& registry() { return testing::registry_of<llama_cpp::register_rungs>(); }

const Ladder<Loading>& ladder() { return registry().ladder<Loading>(); }

FileOpener opener(const std::string& rung) {
  return [loading = std::shared_ptr<Loading>(ladder().make(rung, {}))](const std::string& path) {
    return loading->open(path);
  };
}

std::vector<std::string> rungs() {
  std::vector<std::string> names;
  for (const RungInfo& rung : ladder().rungs()) {
    if (!rung.exercise) names.push_back(rung.name);
  }
  return names;
}

}  // namespace

TEST_CASE("every rung passes every trial") { testing::judge_all(registry(), "loading"); }

TEST_CASE("every rung refuses what is no file with bytes, in a sentence") {
  const std::string empty = testing::write_bytes(testing::scratch_file("llama_cpp_empty"), "");
  const std::string pipe = testing::scratch_file("llama_cpp_pipe");
  std::filesystem::remove(pipe);
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const std::string& rung : rungs()) {
    INFO(rung);
    const FileOpener open = opener(rung);
    CHECK_THROWS_WITH(open("/nowhere/at all"), contains("cannot open /nowhere/at all"));
    CHECK_THROWS_WITH(open(std::filesystem::temp_directory_path().string()), contains("is a folder"));
    CHECK_THROWS_WITH(open(empty), contains("is empty"));
    CHECK_THROWS_WITH(open(pipe), contains("no regular file"));
  }
}

TEST_CASE("a model's weights are the same bytes, however they were loaded") {
  const std::string path = testing::scratch_file("llama_cpp_model.gguf");
  synth(path, "test-tiny", DType::q4_0, 3, 2);
  const Model expected = load_model(path);
  const Tensor& want = expected.weights.layers.back().down.weight;
  for (const std::string& rung : rungs()) {
    INFO(rung);
    int opened = 0;
    LoadOptions options;
    options.files = [&](const std::string& file) {
      ++opened;
      return opener(rung)(file);
    };
    const Model model = load_model(path, options);
    CHECK(opened == 1);
    const Tensor& got = model.weights.layers.back().down.weight;
    REQUIRE(got.bytes() == want.bytes());
    CHECK(std::memcmp(got.data, want.data, want.bytes()) == 0);
  }
}

TEST_CASE("a Hugging Face folder's weights come through the chosen rung too") {
  const std::string folder = testing::source_file("models/tiny");
  int opened = 0;
  LoadOptions options;
  options.files = [&](const std::string& file) {
    ++opened;
    return opener("read")(file);
  };
  const Model model = load_model(folder, options);
  CHECK(opened == 1);
  CHECK(model.weights.layers.size() > 1);
}

TEST_CASE("where pages must be shared, a copy is declined") {
  CHECK_THROWS_WITH(ladder().make("read", {true}), contains("rung 'read' of seam loading does not support"));
  CHECK(ladder().choose("auto", {true}).info.name == "mmap_prefetch");
}
