// Names and files of the hub: what is accepted, what is chosen, what is found in a cache folder.

#include "files/hub_cache.hpp"

#include <cstdlib>

#include "testing/catch.hpp"
#include "testing/damage.hpp"

using namespace rung;
namespace fs = std::filesystem;

namespace {

std::vector<HubFile> listing(const std::vector<std::string>& names) {
  std::vector<HubFile> files;
  for (const std::string& name : names) files.push_back({name, 1});
  return files;
}

std::vector<std::string> chosen(const std::vector<std::string>& names, const std::string& file = "") {
  std::vector<std::string> result;
  for (const std::size_t i : choose_hub_files(listing(names), file).files) result.push_back(names[i]);
  return result;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("hub names: owner, repository and file") {
  const auto plain = parse_hub_name("TinyLlama/TinyLlama-1.1B-Chat-v1.0");
  REQUIRE(plain);
  CHECK(plain->owner == "TinyLlama");
  CHECK(plain->name == "TinyLlama-1.1B-Chat-v1.0");
  CHECK(plain->file.empty());
  const auto file = parse_hub_name("a/b:q4/x-00001-of-00002.gguf");
  REQUIRE(file);
  CHECK(file->file == "q4/x-00001-of-00002.gguf");
  CHECK(file->text() == "a/b:q4/x-00001-of-00002.gguf");
  for (const char* bad : {"",         "a",          "/",        "a/",       "/b",
                          "a/b/c",    "../b",       "a/..",     "./b",      "a/.b",
                          "-a/b",     "a b/c",      "a/b:",     "a/b:../c", "a/b:/etc/passwd",
                          "a/b:c//d", "a/b:c/../d", "a/b:c\\d", "a/b:c\nd", "a/b--c",
                          "a/b.."})
    CHECK_FALSE(parse_hub_name(bad));
}

TEST_CASE("file names that leave their folder are not safe") {
  for (const char* good : {"a", "a/b", "a.b/c-d_e", "..a", "a..", "...", "caf\xc3\xa9.gguf", " "})
    CHECK(is_safe_file_name(good));
  for (const char* bad : {"", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "a/./b", "a\\b",
                          "C:\\x", "a\tb", "a\x7f"})
    CHECK_FALSE(is_safe_file_name(bad));
  CHECK_FALSE(is_safe_file_name(std::string(256, 'a')));
  CHECK_FALSE(is_safe_file_name(std::string_view("a\0b", 3)));
  std::string deep = "a";
  while (deep.size() < 1100) deep += "/a";
  CHECK_FALSE(is_safe_file_name(deep));
}

TEST_CASE("which files make up a model") {
  // A folder model: configuration, tokenizer and weights at the top; nothing else.
  CHECK(chosen({"README.md", "config.json", "model.safetensors", "onnx/model.onnx", "onnx/x.safetensors",
                "pytorch_model.bin", "tokenizer.json"}) ==
        Names{"config.json", "model.safetensors", "tokenizer.json"});
  CHECK(chosen({"config.json", "consolidated.safetensors", "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors", "model.safetensors.index.json"}) ==
        Names{"config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
              "model.safetensors.index.json"});
  CHECK(chosen({"config.json", "weights.safetensors"}) == Names{"config.json", "weights.safetensors"});
  CHECK(choose_hub_files(listing({"config.json", "model.safetensors", "x.gguf"}), "").folder);

  // GGUF: the only one, or the one asked for.
  const Names ggufs = {"m-BF16.gguf",   "m-F16.gguf",  "m-Q4_K.gguf",
                       "m-Q4_K_M.gguf", "m.Q8_0.gguf", "README.md"};
  CHECK(chosen({"config.json", "only.gguf"}) == Names{"only.gguf"});
  CHECK(chosen(ggufs).empty());
  CHECK(choose_hub_files(listing(ggufs), "").choices.size() == 5);
  CHECK(chosen(ggufs, "Q4_K") == Names{"m-Q4_K.gguf"});
  CHECK(chosen(ggufs, "q4_k_m") == Names{"m-Q4_K_M.gguf"});
  CHECK(chosen(ggufs, "F16") == Names{"m-F16.gguf"});
  CHECK(chosen(ggufs, "Q8_0") == Names{"m.Q8_0.gguf"});
  CHECK(chosen(ggufs, "m-Q4_K.gguf") == Names{"m-Q4_K.gguf"});
  CHECK(chosen(ggufs, "README.md") == Names{"README.md"});
  CHECK(chosen(ggufs, "Q2_K").empty());
  CHECK(choose_hub_files(listing(ggufs), "Q2_K").choices.size() == 5);
  CHECK(choose_hub_files(listing({"a-Q8_0.gguf", "b-Q8_0.gguf", "b-F16.gguf"}), "Q8_0").choices.size() == 2);
  CHECK(chosen({}).empty());

  // Split files come whole and in order.
  const Names parts = {"q8/m-Q8_0-00002-of-00003.gguf", "q8/m-Q8_0-00003-of-00003.gguf",
                       "q8/m-Q8_0-00001-of-00003.gguf", "q4/m-Q4_0-00001-of-00002.gguf",
                       "q4/m-Q4_0-00002-of-00002.gguf"};
  const Names q8 = {parts[2], parts[0], parts[1]};
  CHECK(chosen(parts, "Q8_0") == q8);
  CHECK(chosen(parts, "q8/m-Q8_0-00002-of-00003.gguf") == q8);
  CHECK(choose_hub_files(listing(parts), "").choices == std::vector<std::size_t>{2, 3});
}

TEST_CASE("finding a model in the cache") {
  const fs::path hub = testing::scratch_file("hub_cache");
  fs::remove_all(hub);
  setenv("HF_HUB_CACHE", hub.c_str(), 1);
  CHECK(hub_cache() == hub);
  const auto find = [](const std::string& name) { return find_in_hub_cache(parse_hub_name(name).value()); };
  CHECK_THROWS_WITH(find("me/story"), testing::contains("rung pull me/story"));

  const fs::path folder = hub / "models--me--story";
  const auto put = [&](const std::string& name) {
    fs::create_directories((folder / name).parent_path());
    testing::write_bytes((folder / name).string(), "x");
  };
  put("snapshots/aaaa/s-Q4_0.gguf");
  CHECK(find("me/story") == folder / "snapshots/aaaa/s-Q4_0.gguf");  // the only snapshot there is
  CHECK(find("me/story:Q4_0") == folder / "snapshots/aaaa/s-Q4_0.gguf");
  CHECK_THROWS_WITH(find("me/story:Q8_0"), testing::contains("s-Q4_0.gguf"));
  put("snapshots/aaaa/s-Q8_0.gguf");
  CHECK_THROWS_WITH(find("me/story"), testing::contains("several files"));
  CHECK(find("me/story:Q8_0") == folder / "snapshots/aaaa/s-Q8_0.gguf");

  put("snapshots/bbbb/config.json");
  CHECK_THROWS_WITH(find("me/story"),
                    testing::contains("rung pull"));  // two snapshots, and nobody says which
  fs::create_directories(folder / "refs");
  testing::write_bytes((folder / "refs/main").string(), "bbbb");
  CHECK_THROWS_WITH(find("me/story"), testing::contains("rung pull"));  // a configuration is no model
  put("snapshots/bbbb/model.safetensors");
  CHECK(find("me/story") == folder / "snapshots/bbbb");
  put("snapshots/bbbb/big-00001-of-00002.gguf");
  CHECK_THROWS_WITH(find("me/story:big-00001-of-00002.gguf"), testing::contains("1 of the 2 parts"));
  fs::create_symlink("../../blobs/gone", folder / "snapshots/bbbb/link-Q2_K.gguf");
  CHECK_THROWS_WITH(find("me/story:Q2_K"), testing::contains("not pulled yet"));
  testing::write_bytes((folder / "refs/main").string(), "../../../somewhere");
  CHECK_THROWS_WITH(find("me/story"), testing::contains("rung pull"));
}
