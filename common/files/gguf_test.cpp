// GGUF: what the writer writes the reader reads; handmade bytes of every kind of wrong; systematic damage.

#include "files/gguf.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <numeric>

#include "files/gguf_writer.hpp"
#include "testing/catch.hpp"
#include "testing/damage.hpp"

using namespace rung;
using namespace rung::testing;

namespace {

/// A file with every type of value and tensors of several formats, by hand.
Bytes small_header(std::uint64_t tensors, std::uint64_t entries) {
  Bytes b;
  b.data = "GGUF";
  b.u32(3).u64(tensors).u64(entries);
  return b;
}

std::string small_file() {
  Bytes b = small_header(2, 6);
  b.text("general.architecture").u32(8).text("llama");
  b.text("a.u8").u32(0).number<std::uint8_t>(200);
  b.text("a.bool").u32(7).number<std::uint8_t>(1);
  b.text("a.f32").u32(6).number<float>(0.5f);
  b.text("a.strings").u32(9).u32(8).u64(2).text("one").text("");
  b.text("a.nested").u32(9).u32(9).u64(2).u32(4).u64(1).u32(7).u32(0).u64(3).zeros(3);
  b.text("m").u32(2).u64(32).u64(3).u32(8).u64(0);       // q8_0 [3, 32]: 102 bytes
  b.text("n").u32(1).u64(5).u32(0).u64(128);             // f32 [5]
  b.align(32).zeros(128).number<float>(1.5f).zeros(16);  // the last tensor needs no padding
  return b.data;
}

std::string open_bytes(const std::string& bytes) {
  const std::string path = write_bytes(scratch_file("gguf_test_bytes.gguf"), bytes);
  return sentence_of([&] { Gguf::open(path); });
}

/// Opens and reads everything, by all the ways there are.
void read_all(const std::string& path) {
  const auto gguf = Gguf::open(path);
  for (const GgufEntry& entry : gguf->entries()) {
    REQUIRE((entry.type == GgufType::string || !gguf->value_text(entry).empty()));
    survives([&] { gguf->get_u64(entry.key); });
    survives([&] { gguf->get_f64(entry.key); });
    survives([&] { gguf->string_array(entry.key); });
    survives([&] { gguf->float_array(entry.key); });
    survives([&] { gguf->int_array(entry.key); });
  }
  for (const GgufTensor& tensor : gguf->tensors()) {
    REQUIRE(tensor.offset + tensor.view.bytes() <= gguf->file_size());
    REQUIRE(tensor.view.size() > 0);
  }
}

}  // namespace

TEST_CASE("a handmade GGUF file is read value by value") {
  const std::string path = write_bytes(scratch_file("gguf_test_small.gguf"), small_file());
  const auto gguf = Gguf::open(path);
  CHECK(gguf->version() == 3);
  CHECK(gguf->entries().size() == 6);
  CHECK(gguf->get_string("general.architecture") == "llama");
  CHECK(gguf->get_u64("a.u8") == 200);
  CHECK(gguf->get_i64("a.u8") == 200);
  CHECK(gguf->get_f64("a.u8") == 200.0);
  CHECK(gguf->get_bool("a.bool"));
  CHECK(gguf->get_f64("a.f32") == 0.5);
  CHECK(gguf->string_array("a.strings") == std::vector<std::string_view>{"one", ""});
  CHECK(gguf->get_u64("absent", 7) == 7);
  CHECK(gguf->value_text(*gguf->find("a.strings")) == "[\"one\", \"\"] (2)");
  CHECK(gguf->value_text(*gguf->find("a.nested")) == "[2 arrays]");
  REQUIRE(gguf->tensors().size() == 2);
  const GgufTensor* matrix = gguf->find_tensor("m");
  REQUIRE(matrix != nullptr);
  CHECK(matrix->view.dtype == DType::q8_0);
  CHECK(matrix->view.rows == 3);
  CHECK(matrix->view.cols == 32);
  CHECK(*gguf->find_tensor("n")->view.ptr<float>() == 1.5f);
  CHECK(gguf->find_tensor("absent") == nullptr);
}

TEST_CASE("version 2 has the same layout; version 1 and big-endian files are named") {
  std::string bytes = small_file();
  bytes[4] = 2;
  CHECK(open_bytes(bytes).empty());
  bytes[4] = 1;
  CHECK_THAT(open_bytes(bytes), Contains("version 1 is not supported"));
  bytes[4] = 0;
  bytes[7] = 3;
  CHECK_THAT(open_bytes(bytes), Contains("big-endian"));
  bytes[4] = 4;
  bytes[7] = 0;
  CHECK_THAT(open_bytes(bytes), Contains("version 4 is not supported"));
}

TEST_CASE("a wrong type or a missing key is a sentence with the key and what was expected") {
  const auto gguf = Gguf::open(write_bytes(scratch_file("gguf_test_types.gguf"), small_file()));
  CHECK_THAT(sentence_of([&] { gguf->get_u64("absent"); }),
             (Contains("'absent' is missing") && Contains("non-negative integer")));
  CHECK_THAT(sentence_of([&] { gguf->get_u64("a.f32"); }), Contains("'a.f32' is f32"));
  CHECK_THAT(sentence_of([&] { gguf->get_u64("a.bool"); }), Contains("'a.bool' is bool"));
  CHECK_THAT(sentence_of([&] { gguf->get_string("a.u8"); }), Contains("'a.u8' is u8, expected a string"));
  CHECK_THAT(sentence_of([&] { gguf->get_bool("a.u8", true); }), Contains("expected a bool"));
  CHECK_THAT(sentence_of([&] { gguf->int_array("a.strings"); }), Contains("array of string"));
  CHECK_THAT(sentence_of([&] { gguf->string_array("a.nested"); }), Contains("array of array"));
  CHECK_THAT(sentence_of([&] { gguf->float_array("a.f32"); }), Contains("expected an array of f32"));
}

TEST_CASE("integers that do not fit are refused") {
  Bytes b = small_header(0, 3);
  b.text("negative").u32(5).number<std::int32_t>(-1);
  b.text("huge").u32(10).u64(~std::uint64_t{0});
  b.text("list").u32(9).u32(10).u64(1).u64(~std::uint64_t{0});
  const auto gguf = Gguf::open(write_bytes(scratch_file("gguf_test_range.gguf"), b.data));
  CHECK(gguf->get_i64("negative") == -1);
  CHECK_THAT(sentence_of([&] { gguf->get_u64("negative"); }), Contains("out of range"));
  CHECK(gguf->get_u64("huge") == ~std::uint64_t{0});
  CHECK_THAT(sentence_of([&] { gguf->get_i64("huge"); }), Contains("out of range"));
  CHECK_THAT(sentence_of([&] { gguf->int_array("list"); }), Contains("more than 2^63 - 1"));
}

TEST_CASE("absurd counts and lengths are refused before anything is allocated") {
  constexpr std::uint64_t kHuge = std::uint64_t{1} << 60;
  CHECK_THAT(open_bytes(small_header(kHuge, 0).zeros(64).data), Contains("1152921504606846976 tensors"));
  CHECK_THAT(open_bytes(small_header(0, kHuge).zeros(64).data), Contains("more than its 88 bytes"));
  CHECK_THAT(open_bytes(small_header(0, 1).u64(std::uint64_t{1} << 63).zeros(64).data),
             Contains("truncated"));
  CHECK_THAT(open_bytes(small_header(0, 1).u64(~std::uint64_t{0}).zeros(64).data), Contains("truncated"));
  for (const std::uint32_t type : {0u, 4u, 8u, 9u, 12u}) {
    for (const std::uint64_t count : {kHuge, ~std::uint64_t{0}, std::uint64_t{1} << 61}) {
      const auto array = small_header(0, 1).text("k").u32(9).u32(type).u64(count).zeros(64).data;
      CHECK_THAT(open_bytes(array), (Contains("claims") && Contains("elements")));
    }
  }
  CHECK_THAT(open_bytes(small_header(0, 1).text("k").u32(8).u64(kHuge).zeros(64).data),
             Contains("truncated"));
}

TEST_CASE("bad metadata is named") {
  CHECK_THAT(open_bytes(small_header(0, 1).text("k").u32(13).zeros(64).data), Contains("unknown type 13"));
  CHECK_THAT(open_bytes(small_header(0, 1).text("k").u32(7).number<std::uint8_t>(2).zeros(9).data),
             Contains("bool with the value 2"));
  CHECK_THAT(open_bytes(small_header(0, 1).text("k").u32(9).u32(7).u64(1).number<std::uint8_t>(9).data),
             Contains("bool with the value 9"));
  CHECK_THAT(open_bytes(small_header(0, 1).text("").u32(4).u32(0).data), Contains("key of 0 bytes"));
  CHECK_THAT(open_bytes(small_header(0, 2).text("k").u32(4).u32(0).text("k").u32(4).u32(0).data),
             Contains("'k' appears twice"));
  Bytes nested = small_header(0, 1).text("k").u32(9);
  for (int depth = 0; depth < 1000; ++depth) nested.u32(9).u64(1);
  CHECK_THAT(open_bytes(nested.u32(4).u64(0).data), Contains("nests arrays"));
}

TEST_CASE("bad tensors are named") {
  const auto one = [](const std::string& name, std::vector<std::uint64_t> dims, std::uint32_t type,
                      std::uint64_t offset) {
    Bytes b = small_header(1, 0);
    b.text(name).u32(static_cast<std::uint32_t>(dims.size()));
    for (const std::uint64_t dim : dims) b.u64(dim);
    return open_bytes(b.u32(type).u64(offset).align(32).zeros(128).data);
  };
  CHECK(one("t", {32}, 0, 0).empty());
  CHECK_THAT(one("t", {32}, 9, 0),
             (Contains("GGML type 9") && Contains("f32 (0), f16 (1), q4_0 (2)") && Contains("mxfp4 (39)")));
  CHECK_THAT(one("t", {}, 0, 0), Contains("0 dimensions"));
  CHECK_THAT(one("t", {1, 1, 1, 1, 1}, 0, 0), Contains("5 dimensions"));
  CHECK_THAT(one("t", {4, 0}, 0, 0), Contains("dimension 1 of tensor 't' is 0"));
  CHECK_THAT(one("t", {std::uint64_t{1} << 32, std::uint64_t{1} << 32}, 0, 0), Contains("multiply to more"));
  CHECK_THAT(one("t", {std::uint64_t{1} << 61, 1}, 0, 0), Contains("reaches beyond"));
  CHECK_THAT(one("t", {~std::uint64_t{0}}, 0, 0), Contains("multiply to more"));
  CHECK_THAT(one("t", {33}, 0, 0), Contains("reaches beyond"));
  CHECK_THAT(one("t", {32}, 0, 32), Contains("reaches beyond"));
  CHECK_THAT(one("t", {32}, 0, ~std::uint64_t{0} - 31), Contains("reaches beyond"));
  CHECK_THAT(one("t", {8}, 0, 4), Contains("no multiple of the alignment 32"));
  CHECK_THAT(one("t", {33}, 8, 0), Contains("no multiple of its blocks of 32"));
  CHECK_THAT(one("", {8}, 0, 0), Contains("name has 0 bytes"));
  CHECK_THAT(one(std::string(1025, 'x'), {8}, 0, 0), Contains("name has 1025 bytes"));

  const auto two = [](const std::string& second, std::uint64_t offset) {
    Bytes b = small_header(2, 0).text("a").u32(1).u64(16).u32(0).u64(0);
    return open_bytes(b.text(second).u32(1).u64(16).u32(0).u64(offset).align(32).zeros(128).data);
  };
  CHECK(two("b", 64).empty());
  CHECK_THAT(two("a", 64), Contains("tensor 'a' appears twice"));
  CHECK_THAT(two("b", 32), Contains("overlap"));
}

TEST_CASE("alignments that cannot be are refused, others are kept") {
  const auto with_alignment = [](std::uint32_t alignment, std::size_t real) {
    Bytes b = small_header(1, 1).text("general.alignment").u32(4).u32(alignment);
    return open_bytes(b.text("t").u32(1).u64(2).u32(0).u64(0).align(real).zeros(8).data);
  };
  for (const std::uint32_t bad : {0u, 1u, 3u, 24u, 1u << 31}) {
    CHECK_THAT(with_alignment(bad, 32), Contains(fmt::format("general.alignment is {}", bad)));
  }
  for (const std::uint32_t good : {8u, 64u, 4096u}) CHECK(with_alignment(good, good).empty());
}

TEST_CASE("paths that are no readable file are named with the reason") {
  CHECK_THAT(sentence_of([] { Gguf::open("/nowhere/at all"); }), Contains("cannot open /nowhere/at all"));
  CHECK_THAT(sentence_of([] { Gguf::open(std::filesystem::temp_directory_path().string()); }),
             Contains("is a folder"));
  CHECK_THAT(sentence_of([] { Gguf::open("/dev/null"); }), Contains("no regular file"));
  CHECK_THAT(open_bytes(""), Contains("is empty"));
  CHECK_THAT(open_bytes("GG"), Contains("no GGUF file"));
  CHECK_THAT(open_bytes("PK\3\4 something else"), Contains("no GGUF file"));
  if (::geteuid() != 0) {  // root may read everything
    const std::string path = write_bytes(scratch_file("gguf_test_unreadable.gguf"), small_file());
    ::chmod(path.c_str(), 0);
    CHECK_THAT(sentence_of([&] { Gguf::open(path); }), Contains("Permission denied"));
    ::chmod(path.c_str(), 0600);
  }
}

TEST_CASE("a file cut off at any byte is refused") {
  const std::string bytes = small_file();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    INFO("length " << length);
    REQUIRE_FALSE(open_bytes(bytes.substr(0, length)).empty());
  }
  REQUIRE(open_bytes(bytes).empty());
}

TEST_CASE("random bit flips never crash the reader") {
  const std::string bytes = small_file();
  const std::string path = scratch_file("gguf_test_flips.gguf");
  Rng rng(20240601);
  int refused = 0;
  constexpr int kFiles = 8000;
  for (int i = 0; i < kFiles; ++i) {
    write_bytes(path, flip_bits(bytes, rng, bytes.size()));
    refused += survives([&] { read_all(path); });
  }
  // Interesting input: many are refused, and many still open.
  CHECK(refused > kFiles / 10);
  CHECK(refused < kFiles * 9 / 10);
}

TEST_CASE("what the writer writes, the reader reads") {
  const std::string path = scratch_file("gguf_test_written.gguf");
  std::vector<float> values(96);
  std::iota(values.begin(), values.end(), -10.0f);
  std::vector<std::byte> quantized(bytes_of(DType::q4_0, 96));
  traits(DType::q4_0).from_float(values.data(), quantized.data(), 96);
  const std::vector<std::string> words = {"a", "", "\xE2\x96\x81the"};
  {
    GgufWriter writer(path);
    writer.add_string("general.architecture", "llama");
    writer.add_u32("u", 4000000000u);
    writer.add_f32("f", -0.25f);
    writer.add_bool("b", false);
    writer.add_string_array("words", words);
    writer.add_f32_array("floats", values);
    writer.add_i32_array("ints", std::vector<std::int32_t>{-1, 0, 7});
    writer.declare_tensor("q", std::vector<std::int64_t>{32, 3}, DType::q4_0);
    writer.declare_tensor("v", std::vector<std::int64_t>{96}, DType::f32);
    CHECK(writer.tensor_bytes() == quantized.size() + 96 * 4);
    // Pieces that end in the middle of a tensor and reach into the next.
    std::vector<std::byte> all = quantized;
    const auto* raw = reinterpret_cast<const std::byte*>(values.data());
    all.insert(all.end(), raw, raw + 96 * 4);
    for (std::size_t i = 0; i < all.size(); i += 31) {
      writer.append(std::span(all).subspan(i, std::min<std::size_t>(31, all.size() - i)));
    }
    const std::uint64_t size = writer.finish();
    CHECK(size == std::filesystem::file_size(path));
  }
  const auto gguf = Gguf::open(path);
  CHECK(gguf->get_u64("u") == 4000000000u);
  CHECK(gguf->get_f64("f") == -0.25);
  CHECK_FALSE(gguf->get_bool("b"));
  CHECK(gguf->string_array("words").at(2) == words[2]);
  CHECK(gguf->float_array("floats") == values);
  CHECK(gguf->int_array("ints") == std::vector<std::int64_t>{-1, 0, 7});
  CHECK(std::memcmp(gguf->find_tensor("q")->view.data, quantized.data(), quantized.size()) == 0);
  CHECK(std::memcmp(gguf->find_tensor("v")->view.data, values.data(), 96 * 4) == 0);
}

TEST_CASE("a write that is not finished leaves the target as it was and no other file") {
  const std::filesystem::path folder = scratch_file("gguf_test_unfinished");
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const std::string path = write_bytes((folder / "m.gguf").string(), "old");
  {
    GgufWriter writer(path);
    writer.declare_tensor("t", std::vector<std::int64_t>{8}, DType::f32);
    writer.append(std::vector<std::byte>(16));
  }
  CHECK(read_bytes(path) == "old");
  CHECK(std::distance(std::filesystem::directory_iterator(folder), {}) == 1);
  CHECK_THAT(sentence_of([&] { GgufWriter((folder / "absent" / "m.gguf").string()); }),
             Contains("cannot write"));
  CHECK_THAT(sentence_of([&] { GgufWriter{folder.string()}; }), Contains("it is a folder"));
}
