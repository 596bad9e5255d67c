// The file of packed weights: what was written is found again; what is stale, cut off or damaged is refused
// with a sentence and written anew; the text that a model writes never depends on it.

#include "engine/packed_file.hpp"

#include <filesystem>
#include <fstream>

#include "catalog/variants.hpp"
#include "convert/quantize.hpp"
#include "core/rng.hpp"
#include "engine/engine.hpp"
#include "testing/catch.hpp"
#include "testing/damage.hpp"

using namespace rung;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kRows = 8, kCols = 40;

/// A folder of its own, a "model" of two weights in one file, and what was said.
struct Scene {
  explicit Scene(const std::string& name) : folder(testing::scratch_file("packed-" + name)) {
    fs::remove_all(folder);
    fs::create_directories(folder);
    Rng rng(1);
    std::string bytes(2 * kRows * kCols * sizeof(float), '\0');
    for (char& byte : bytes) byte = static_cast<char>(rng.below(256));
    write_model(bytes);
  }

  void write_model(const std::string& bytes) {
    model = Model();
    model.path = testing::write_bytes((folder / "m.gguf").string(), bytes);
    model.files = {std::make_shared<const MappedFile>(model.path)};
  }

  Tensor weight(int i) const {
    const std::byte* at = model.files[0]->bytes().data() + i * kRows * kCols * std::int64_t{sizeof(float)};
    return {const_cast<std::byte*>(at), DType::f32, kRows, kCols};
  }

  std::unique_ptr<PackedFile> open() {
    return std::make_unique<PackedFile>(model, "r", 2, [this](const std::string& s) { said.push_back(s); });
  }

  /// What a run does: asks for both copies, makes those that are missing, saves. Returns how many it found.
  int run() {
    const auto file = open();
    std::vector<std::vector<std::byte>> made(2);
    int found = 0;
    for (int i = 0; i < 2; ++i) {
      const std::vector<std::byte> right = copy(i);
      const auto there = file->find(weight(i), "r 1", right.size());
      if (!there.empty()) {
        CHECK(std::equal(there.begin(), there.end(), right.begin(), right.end()));
        CHECK(reinterpret_cast<std::uintptr_t>(there.data()) % 64 == 0);
        ++found;
      } else {
        made[static_cast<std::size_t>(i)] = right;
        file->add(weight(i), "r 1", made[static_cast<std::size_t>(i)]);
      }
    }
    file->save();
    return found;
  }

  static std::vector<std::byte> copy(int i) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(1000 + 77 * i));
    for (std::size_t b = 0; b < bytes.size(); ++b) bytes[b] = static_cast<std::byte>(b * 7 + b / 256 + i);
    return bytes;
  }

  fs::path folder;
  Model model;
  std::vector<std::string> said;
};

}  // namespace

TEST_CASE("what one run wrote, the next finds, and nothing else lies in the folder") {
  Scene scene("roundtrip");
  CHECK(scene.run() == 0);
  REQUIRE(scene.said.size() == 1);
  CHECK_THAT(scene.said[0], testing::Contains("packed weights written to"));
  CHECK(scene.run() == 2);
  CHECK(scene.said.size() == 1);  // found, not written again
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(scene.folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{"m.gguf", "m.gguf.packed-r"});
}

TEST_CASE("a section is found for its weight, layout and length only") {
  Scene scene("keys");
  scene.run();
  const auto file = scene.open();
  const Tensor w = scene.weight(1);
  const std::size_t bytes = Scene::copy(1).size();
  CHECK(file->find(w, "r 1", bytes).size() == bytes);
  CHECK(file->find(w, "r 2", bytes).empty());
  CHECK(file->find(w, "r 1", bytes + 1).empty());
  CHECK(file->find({w.data, DType::f16, kRows, kCols}, "r 1", bytes).empty());
  CHECK(file->find({w.data, DType::f32, kRows / 2, kCols * 2}, "r 1", bytes).empty());
  std::vector<float> elsewhere(kRows * kCols);  // a converted weight
  const Tensor converted(elsewhere.data(), DType::f32, kRows, kCols);
  CHECK(file->find(converted, "r 1", bytes).empty());
  file->add(converted, "r 1", std::as_bytes(std::span(elsewhere)));
  file->save();
  CHECK(scene.said.size() == 1);  // nothing was worth writing
}

TEST_CASE("every cut and every changed byte is refused with a sentence, and the file is made whole") {
  Scene scene("damage");
  scene.run();
  const std::string path = scene.open()->path();
  const std::string whole = testing::read_bytes(path);
  REQUIRE(whole.size() > 2000);
  const auto refused = [&](const std::string& bytes, const std::string& what) {
    INFO(what);
    testing::write_bytes(path, bytes);
    scene.said.clear();
    CHECK(scene.run() == 0);
    REQUIRE(scene.said.size() == 2);
    CHECK_THAT(scene.said[0], testing::Contains("will be written anew"));
    CHECK_THAT(scene.said[0], testing::Contains("m.gguf.packed-r"));
    CHECK(testing::read_bytes(path) == whole);
  };
  for (std::size_t n = 0; n < whole.size(); n += n < 40 ? 1 : 97) {
    refused(whole.substr(0, n), fmt::format("cut to {} bytes", n));
  }
  // All bytes are covered by a checksum but the zeros between the sections, which nobody reads.
  int ignored = 0;
  for (std::size_t at = 0; at < whole.size(); at += at < 64 ? 1 : 61) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
    testing::write_bytes(path, bytes);
    if (scene.run() == 2) {
      CHECK(whole[at] == '\0');
      ++ignored;
      continue;
    }
    refused(bytes, fmt::format("byte {} changed", at));
  }
  CHECK(ignored <= 2);
  refused("RUNGPACK", "the magic alone");
  refused(std::string(5000, '\0'), "zeros");
  refused(std::string(5000, '\xff'), "ones");
}

TEST_CASE("a changed model makes its file stale") {
  Scene scene("stale");
  scene.run();
  const std::string bytes = testing::read_bytes(scene.model.path);
  scene.write_model(bytes);  // the same bytes at another time
  fs::last_write_time(scene.model.path, fs::last_write_time(scene.model.path) + std::chrono::seconds(5));
  scene.said.clear();
  CHECK(scene.run() == 0);
  REQUIRE(scene.said.size() == 2);
  CHECK_THAT(scene.said[0], testing::Contains("the model has changed"));
  CHECK(scene.run() == 2);
  scene.write_model(bytes + "more");
  CHECK(scene.run() == 0);
}

TEST_CASE("a place that cannot be written to is said, and no error") {
  Scene scene("unwritable");
  const std::string path = scene.open()->path();
  fs::create_directory(path);  // a folder has the name
  CHECK(scene.run() == 0);
  REQUIRE(scene.said.size() == 2);
  CHECK_THAT(scene.said[1], testing::Contains("the packed weights are not kept"));
  for (const auto& entry : fs::directory_iterator(scene.folder))
    CHECK(entry.path().string().find("incomplete") == std::string::npos);
}

TEST_CASE("the checksum sees every changed bit, and where bytes end") {
  Rng rng(9);
  for (const std::size_t n : {1u, 7u, 31u, 32u, 33u, 200u}) {
    std::vector<std::byte> bytes(n);
    for (std::byte& b : bytes) b = static_cast<std::byte>(rng.below(256));
    const auto sum = PackedFile::checksum(bytes);
    for (std::size_t bit = 0; bit < 8 * n; ++bit) {
      bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
      CHECK(PackedFile::checksum(bytes) != sum);
      bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    }
    bytes.push_back(std::byte{0});
    CHECK(PackedFile::checksum(bytes) != sum);
  }
}

TEST_CASE("a model writes the same text with packed weights made, found, and found damaged") {
  const fs::path folder = testing::scratch_file("packed-engine");
  fs::remove_all(folder);
  fs::create_directories(folder);
  const std::string f16 = testing::source_file("models/tiny.gguf");
  for (const auto& [type, name] : {std::pair{DType::f16, "panels"}, {DType::q4_0, "packed,panels"}}) {
    const char* const rung = name;  // Clang 14 lets no lambda capture a structured binding
    const std::string path = (folder / fmt::format("{}.gguf", rung)).string();
    if (type == DType::f16) {
      fs::copy_file(f16, path);
    } else {
      quantize(f16, path, type, 2);
    }
    std::vector<std::string> said;
    const auto write = [&](bool cache) {
      EngineConfig config;
      config.context = 64;
      config.rungs = {{"linear", rung}};
      config.cache_packed = cache;
      config.notice = [&](const std::string& sentence) { said.push_back(sentence); };
      const auto model = std::make_shared<const Model>(load_model(path));
      Engine engine(model, variants(), config);
      Request request;
      request.prompt = model->tokenizer->encode("Once upon a time", true);
      request.max_tokens = 30;
      request.sampling.temperature = 0;
      return std::pair{engine.run(std::move(request)).text, engine.memory()};
    };
    const auto [text, memory] = write(false);
    CHECK(said.empty());
    CHECK(memory.packed_file_bytes == 0);
    CHECK(write(true).first == text);
    REQUIRE(said.size() == 1);
    const auto [again, found] = write(true);
    CHECK(said.size() == 1);
    CHECK(again == text);
    CHECK(found.packed_file_bytes == found.packed_bytes);
    CHECK(found.packed_bytes == memory.packed_bytes);

    std::string packed;
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().string().find(path + ".packed-") == 0) packed = entry.path().string();
    REQUIRE_FALSE(packed.empty());
    fs::resize_file(packed, fs::file_size(packed) - 100);
    CHECK(write(true).first == text);
    CHECK(said.size() == 3);  // refused, written
    CHECK(write(true).second.packed_file_bytes == memory.packed_bytes);
  }
}
