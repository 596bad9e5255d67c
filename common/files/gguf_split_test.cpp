// Models in several GGUF files: opened by any of their names; everything that does not belong together is
// named.

#include <filesystem>

#include "files/gguf.hpp"
#include "testing/catch.hpp"
#include "testing/damage.hpp"

using namespace rung;
using namespace rung::testing;
namespace fs = std::filesystem;

namespace {

struct Part {
  std::uint16_t number = 0, count = 3;
  std::int32_t tensors = 3;
  std::string tensor;  // one tensor of 8 floats, all `value`
  float value = 0;
};

/// One file by hand: split.* as llama.cpp writes them (u16, u16, i32), the first with a key of the model.
std::string file_of(const Part& part) {
  Bytes b;
  b.data = "GGUF";
  b.u32(3).u64(1).u64(part.number == 0 ? 4 : 3);
  if (part.number == 0) b.text("general.name").u32(8).text("three files");
  b.text("split.no").u32(2).number(part.number);
  b.text("split.count").u32(2).number(part.count);
  b.text("split.tensors.count").u32(5).number(part.tensors);
  b.text(part.tensor).u32(1).u64(8).u32(0).u64(0).align(32);
  for (int i = 0; i < 8; ++i) b.number(part.value);
  return b.data;
}

/// A folder with the three files of one model.
struct Folder {
  fs::path path = scratch_file("gguf_split_test");
  Folder() {
    fs::remove_all(path);
    fs::create_directories(path);
    for (std::uint16_t i = 0; i < 3; ++i) {
      write(i, {i, 3, 3, "tensor." + std::to_string(i), static_cast<float>(i)});
    }
  }
  std::string name(int number) const {
    return (path / fmt::format("model-{:05}-of-00003.gguf", number + 1)).string();
  }
  void write(int number, const Part& part) const { write_bytes(name(number), file_of(part)); }
  std::string sentence(int number = 0) const {
    return sentence_of([&] { Gguf::open(name(number)); });
  }
};

}  // namespace

TEST_CASE("each of several files opens the whole model") {
  const Folder folder;
  for (int number = 0; number < 3; ++number) {
    const auto gguf = Gguf::open(folder.name(number));
    CHECK(gguf->path() == folder.name(0));
    CHECK(gguf->file_count() == 3);
    CHECK(gguf->get_string("general.name") == "three files");
    REQUIRE(gguf->tensors().size() == 3);
    std::uint64_t bytes = 0;
    for (int i = 0; i < 3; ++i) {
      bytes += fs::file_size(folder.name(i));
      const GgufTensor* tensor = gguf->find_tensor("tensor." + std::to_string(i));
      REQUIRE(tensor != nullptr);
      CHECK(tensor->view.ptr<float>()[7] == static_cast<float>(i));
    }
    CHECK(gguf->file_size() == bytes);
  }
}

TEST_CASE("a missing file is named, whichever was opened") {
  const Folder folder;
  fs::remove(folder.name(1));
  for (const int number : {0, 2}) {
    CHECK_THAT(folder.sentence(number),
               (Contains("comes in 3 files") && Contains("model-00002-of-00003.gguf")));
  }
}

TEST_CASE("files that do not belong together are refused") {
  const Folder folder;
  SECTION("another count") {
    folder.write(1, {1, 4, 3, "tensor.1", 1});
    CHECK_THAT(folder.sentence(), Contains("its metadata says file 2 of 4, its name file 2 of 3"));
  }
  SECTION("files under each other's names") {
    fs::rename(folder.name(1), folder.path / "x");
    fs::rename(folder.name(2), folder.name(1));
    fs::rename(folder.path / "x", folder.name(2));
    CHECK_THAT(folder.sentence(), Contains("says file 3 of 3, its name file 2 of 3"));
    CHECK_THAT(folder.sentence(1), Contains("its name must end in '-00003-of-00003.gguf'"));
  }
  SECTION("a name without its number") {
    const std::string renamed = (folder.path / "model.gguf").string();
    fs::rename(folder.name(0), renamed);
    CHECK_THAT(sentence_of([&] { Gguf::open(renamed); }),
               Contains("its name must end in '-00001-of-00003.gguf'"));
  }
  SECTION("the same tensor twice") {
    folder.write(2, {2, 3, 3, "tensor.1", 1});
    CHECK_THAT(folder.sentence(), Contains("tensor 'tensor.1' is in an earlier file"));
  }
  SECTION("too few tensors") {
    folder.write(0, {0, 3, 7, "tensor.0", 0});
    CHECK_THAT(folder.sentence(), Contains("'split.tensors.count' is 7, but the 3 files have 3 tensors"));
  }
  SECTION("a number beyond the count") {
    folder.write(0, {5, 3, 3, "tensor.0", 0});
    CHECK_THAT(folder.sentence(), Contains("'split.no' is 5, but there are 3 files"));
  }
  SECTION("a count of 0, which llama.cpp's tool leaves in files that it merged, is one file") {
    folder.write(0, {0, 0, 1, "tensor.0", 4});
    const auto merged = Gguf::open(folder.name(0));
    REQUIRE(merged->tensors().size() == 1);
    CHECK(merged->tensors()[0].name == "tensor.0");
  }
  SECTION("a damaged file is named by its own path") {
    const std::string bytes = read_bytes(folder.name(2));
    write_bytes(folder.name(2), bytes.substr(0, bytes.size() - 9));
    CHECK_THAT(folder.sentence(), (Contains(folder.name(2)) && Contains("truncated")));
  }
}

TEST_CASE("random bit flips in any file never crash the reader") {
  const Folder folder;
  Rng rng(20240602);
  int refused = 0;
  for (int i = 0; i < 1500; ++i) {
    const int number = i % 3;
    const std::string bytes = read_bytes(folder.name(number));
    write_bytes(folder.name(number), flip_bits(bytes, rng, bytes.size()));
    refused += survives([&] { Gguf::open(folder.name(static_cast<int>(rng.below(3)))); });
    write_bytes(folder.name(number), bytes);
  }
  CHECK(refused > 150);
  CHECK(refused < 1400);
}
