// Storing a model in another format: sizes, values within the format's error, metadata, refusals.

#include "model/quantize.hpp"

#include <cmath>
#include <filesystem>
#include <limits>

#include "model/gguf.hpp"
#include "model/model.hpp"
#include "model/synth.hpp"
#include "testing/catch.hpp"
#include "testing/damage.hpp"

using namespace rung;
using namespace rung::testing;

namespace {

std::vector<float> values_of(const Tensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.size()));
  traits(tensor.dtype).to_float(tensor.data, values.data(), tensor.size());
  return values;
}

/// The largest error that storing may make on a value, given the largest magnitude of its block. Half a unit
/// in the last place for plain numbers; half a step for blocks, or a whole one where Q4_0 cuts off at +7;
/// plus the rounding of the block's scale to binary16 (2^-11 of the value).
double allowed_error(DType type, double value, double block_largest) {
  switch (type) {
    case DType::f16:
      return std::max(std::fabs(value) * 0x1p-11, 0x1p-25);
    case DType::bf16:
      return std::fabs(value) * 0x1p-8;
    case DType::q8_0:
      return block_largest * (0.5 / 127.0 + 0x1p-10);
    case DType::q4_0:
      return block_largest * (1.0 / 8.0 + 0x1p-10);
    default:
      return 0.0;
  }
}

std::string model_of(DType type) {
  const std::string path = scratch_file(fmt::format("quantize_test_{}.gguf", traits(type).name));
  synth(path, "test-tiny", type, 5, 2);
  return path;
}

/// A GGUF with one matrix of the given values.
std::string one_matrix(const std::vector<float>& values, std::int64_t cols) {
  const std::string path = scratch_file("quantize_test_matrix.gguf");
  GgufWriter writer(path);
  const auto rows = static_cast<std::int64_t>(values.size()) / cols;
  writer.declare_tensor("m", std::vector<std::int64_t>{cols, rows}, DType::f32);
  writer.append(std::as_bytes(std::span(values)));
  writer.finish();
  return path;
}

}  // namespace

TEST_CASE("every format becomes every format, within the format's own error") {
  const std::string out = scratch_file("quantize_test_out.gguf");
  for (const DType from : {DType::f32, DType::f16, DType::bf16, DType::q8_0, DType::q4_0}) {
    const std::string in = model_of(from);
    const auto before = Gguf::open(in);
    for (const DType to : {DType::f32, DType::f16, DType::bf16, DType::q8_0, DType::q4_0}) {
      INFO(traits(from).name << " to " << traits(to).name);
      std::filesystem::remove(out);
      const QuantizeResult result = quantize(in, out, to, 1);
      CHECK(result.bytes_before == std::filesystem::file_size(in));
      CHECK(result.bytes_after == std::filesystem::file_size(out));
      CHECK(result.notes.empty());
      CHECK(result.converted == 2 + 3 * 7);
      const auto after = Gguf::open(out);
      CHECK(after->get_u64("general.file_type") == ggml_type(to).file_type);
      REQUIRE(after->tensors().size() == before->tensors().size());
      for (const GgufTensor& tensor : before->tensors()) {
        const GgufTensor* stored = after->find_tensor(tensor.name);
        REQUIRE(stored != nullptr);
        REQUIRE(stored->dims == tensor.dims);
        const bool matrix = tensor.dims.size() > 1;
        REQUIRE(stored->view.dtype == (matrix ? to : DType::f32));
        const auto expected = values_of(tensor.view);
        const auto got = values_of(stored->view);
        constexpr std::size_t kBlock = 32;
        for (std::size_t b = 0; b < expected.size(); b += kBlock) {
          float largest = 0;
          const std::size_t end = std::min(b + kBlock, expected.size());
          for (std::size_t i = b; i < end; ++i) largest = std::max(largest, std::fabs(expected[i]));
          for (std::size_t i = b; i < end; ++i) {
            const double allowed = matrix && from != to ? allowed_error(to, expected[i], largest) : 0.0;
            if (!(std::fabs(double{got[i]} - expected[i]) <= allowed)) {
              FAIL(tensor.name << "[" << i << "]: expected " << expected[i] << ", got " << got[i]
                               << ", allowed " << allowed);
            }
          }
        }
      }
      CHECK(load_model(out).weights.layers.size() == 3);
    }
  }
}

TEST_CASE("metadata is copied byte for byte, but for the file type") {
  const std::string in = model_of(DType::f32);
  const std::string out = scratch_file("quantize_test_out.gguf");
  quantize(in, out, DType::q8_0, 1);
  const auto before = Gguf::open(in);
  const auto after = Gguf::open(out);
  REQUIRE(after->entries().size() == before->entries().size());
  for (std::size_t i = 0; i < before->entries().size(); ++i) {
    const GgufEntry& a = before->entries()[i];
    const GgufEntry& b = after->entries()[i];
    CHECK(a.key == b.key);
    if (a.key == "general.file_type") continue;
    CHECK(a.type == b.type);
    REQUIRE(a.raw.size() == b.raw.size());
    CHECK(std::memcmp(a.raw.data(), b.raw.data(), a.raw.size()) == 0);
  }
}

TEST_CASE("the result does not depend on threads, and progress reaches the end") {
  const std::string in = model_of(DType::f32);
  const std::string out = scratch_file("quantize_test_out.gguf");
  quantize(in, out, DType::q4_0, 1);
  const std::string one = read_bytes(out);
  std::uint64_t last = 0;
  std::uint64_t total = 1;
  quantize(in, out, DType::q4_0, 3, [&](std::uint64_t done, std::uint64_t all) {
    CHECK(done > last);
    last = done;
    total = all;
  });
  CHECK(last == total);
  CHECK((one == read_bytes(out)));
}

TEST_CASE("rows that do not fill blocks become f16, with a note") {
  const std::string in = one_matrix(std::vector<float>(48 * 3, 0.5f), 48);
  const std::string out = scratch_file("quantize_test_out.gguf");
  const QuantizeResult result = quantize(in, out, DType::q8_0, 2);
  REQUIRE(result.notes.size() == 1);
  CHECK_THAT(result.notes[0], (Contains("'m' is stored as f16") && Contains("48")));
  CHECK(result.converted == 0);
  CHECK(Gguf::open(out)->find_tensor("m")->view.dtype == DType::f16);
}

TEST_CASE("values that a format cannot hold are refused and the target stays as it was") {
  const std::string out = write_bytes(scratch_file("quantize_test_kept.gguf"), "old");
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e6f}) {
    std::vector<float> values(32 * 4, 1.0f);
    values[32 * 2 + 5] = bad;
    const std::string in = one_matrix(values, 32);
    for (const DType type : {DType::f16, DType::q8_0, DType::q4_0}) {
      CHECK_THAT(sentence_of([&] { quantize(in, out, type, 2); }), Contains("row 2 of tensor 'm'"));
    }
    CHECK(read_bytes(out) == "old");
  }
}

TEST_CASE("the same file as input and output, an unknown input and an interruption") {
  const std::string in = model_of(DType::f32);
  CHECK_THAT(sentence_of([&] { quantize(in, in, DType::q8_0, 1); }), Contains("are the same file"));
  const std::string other_name =
      std::filesystem::path(in).parent_path().string() + "/./quantize_test_f32.gguf";
  CHECK_THAT(sentence_of([&] { quantize(in, other_name, DType::q8_0, 1); }), Contains("are the same file"));
  CHECK_THAT(sentence_of([&] { quantize("/nowhere", in, DType::q8_0, 1); }),
             Contains("cannot open /nowhere"));
  CHECK_THAT(sentence_of([&] { quantize(in, scratch_file("x"), DType::i32, 1); }), Contains("i32"));
  const std::string out = write_bytes(scratch_file("quantize_test_stopped.gguf"), "old");
  CHECK(sentence_of([&] {
          quantize(in, out, DType::q8_0, 1,
                   [](std::uint64_t, std::uint64_t) { fail("stopped by the user"); });
        }) == "stopped by the user");
  CHECK(read_bytes(out) == "old");
}
