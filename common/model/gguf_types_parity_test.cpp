// Every tensor type of GGUF files against the `gguf` package: golden/gguf_types.gguf holds blocks and what
// that package makes of them.
//
// Equality is asked for bit by bit. Both sides do the same few float32 operations in the same order (scale
// times quant, then less a minimum), each rounded once, so there is nothing for a tolerance to allow.

#include <cmath>

#include "core/dtype_plain.hpp"
#include "model/gguf.hpp"
#include "testing/catch.hpp"
#include "testing/damage.hpp"

using namespace rung;
using namespace rung::testing;

namespace {

std::shared_ptr<const Gguf> golden() {
  return Gguf::open(source_file("common/model/golden/gguf_types.gguf"));
}

Tensor tensor_of(const Gguf& gguf, const std::string& name) {
  const GgufTensor* tensor = gguf.find_tensor(name);
  INFO(name);
  REQUIRE(tensor != nullptr);
  return tensor->view;
}

std::vector<float> values_of(const Tensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.size()), std::nanf(""));
  traits(tensor.dtype).to_float(tensor.data, values.data(), tensor.size());
  return values;
}

std::vector<float> round_trip(DType type, const Tensor& x) {
  std::vector<std::byte> packed(bytes_of(type, x.size()));
  traits(type).from_float(x.ptr<float>(), packed.data(), x.size());
  return values_of(Tensor(packed.data(), type, x.rows, x.cols));
}

/// The root of the mean squared difference of row `row`, relative to the root of its mean square.
double error_of_row(const Tensor& x, const std::vector<float>& values, std::int64_t row) {
  double error = 0, square = 0;
  for (std::int64_t i = 0; i < x.cols; ++i) {
    const double expected = x.ptr<float>(row)[i];
    const double difference = values[static_cast<std::size_t>(row * x.cols + i)] - expected;
    error += difference * difference;
    square += expected * expected;
  }
  return std::sqrt(error / square);
}

}  // namespace

TEST_CASE("blocks of every type mean what they mean elsewhere, bit for bit") {
  const auto gguf = golden();
  int compared = 0;
  for (const GgmlType& row : ggml_types()) {
    if (row.dtype == DType::f32) continue;
    const std::string name(traits(row.dtype).name);
    for (const char* kind : {".random", ".quantised"}) {
      const Tensor packed = tensor_of(*gguf, name + kind);
      REQUIRE(packed.dtype == row.dtype);
      const Tensor expected = tensor_of(*gguf, name + kind + ".values");
      const std::vector<float> got = values_of(packed);
      REQUIRE(got.size() == static_cast<std::size_t>(expected.size()));
      for (std::size_t i = 0; i < got.size(); ++i) {
        if (std::memcmp(&got[i], expected.ptr<float>() + i, sizeof(float)) != 0) {
          FAIL(name << kind << "[" << i << "]: expected " << expected.ptr<float>()[i] << ", got " << got[i]);
        }
      }
      ++compared;
    }
  }
  CHECK(compared == 2 * 14);  // every type but f32
}

// The plain formats and those with one scale per 32 weights were quantised by the package, the others by GGML
// itself. 1.05 allows for blocks where a search happens to end elsewhere.
TEST_CASE("what we quantise is no worse than what is quantised elsewhere") {
  const auto gguf = golden();
  const Tensor x = tensor_of(*gguf, "source");
  int compared = 0;
  for (const GgmlType& row : ggml_types()) {
    const std::string name(traits(row.dtype).name);
    if (row.dtype == DType::f32) continue;
    const Tensor packed = tensor_of(*gguf, name + ".quantised");
    // Where the rule is a formula, ours is the same: the same bytes. Where it is a search we search too.
    const bool search =
        traits(row.dtype).block_elements == 256 || row.dtype == DType::iq4_nl || row.dtype == DType::mxfp4;
    if (!search) {
      std::vector<std::byte> ours(packed.bytes());
      traits(row.dtype).from_float(x.ptr<float>(), ours.data(), x.size());
      INFO(name);
      CHECK(std::memcmp(ours.data(), packed.data, ours.size()) == 0);
    }
    const auto theirs = values_of(packed);
    const auto ours = round_trip(row.dtype, x);
    for (std::int64_t r = 0; r < x.rows; ++r) {
      const double our_error = error_of_row(x, ours, r);
      const double their_error = error_of_row(x, theirs, r);
      INFO(fmt::format("{}, row {}: our error {:.5f}, theirs {:.5f}", name, r, our_error, their_error));
      CHECK(our_error <= 1.05 * their_error);
    }
    ++compared;
  }
  CHECK(compared == 14);
}

TEST_CASE("8-bit floats are torch's") {
  const auto gguf = golden();
  const Tensor values = tensor_of(*gguf, "f8_e4m3.values");
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    const float expected = values.ptr<float>()[byte];
    const float got = f8_e4m3_to_f32(static_cast<std::uint8_t>(byte));
    INFO("byte " << byte);
    if (std::isnan(expected)) {
      CHECK(std::isnan(got));
    } else {
      CHECK(std::memcmp(&got, &expected, sizeof got) == 0);
    }
  }
  const Tensor source = tensor_of(*gguf, "f8_e4m3.source");
  const Tensor bytes = tensor_of(*gguf, "f8_e4m3.bytes");
  for (std::int64_t i = 0; i < source.size(); ++i) {
    INFO(source.ptr<float>()[i]);
    REQUIRE(static_cast<float>(f32_to_f8_e4m3(source.ptr<float>()[i])) == bytes.ptr<float>()[i]);
  }
}
