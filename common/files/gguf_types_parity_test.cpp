// Every tensor type of GGUF files against the `gguf` package: golden/gguf_types.gguf holds blocks and what
// that package makes of them.
//
// Equality is asked for bit by bit. Both sides do the same few float32 operations in the same order (scale
// times quant, then less a minimum), each rounded once, so there is nothing for a tolerance to allow.

#include <cmath>

#include "core/dtype_plain.hpp"
#include "files/gguf.hpp"
#include "testing/catch.hpp"
#include "testing/damage.hpp"

using namespace rung;
using namespace rung::testing;

namespace {

std::shared_ptr<const Gguf> golden() {
  return Gguf::open(source_file("common/files/golden/gguf_types.gguf"));
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

// The plain formats and those with one scale per 32 weights have a rule that is GGML's too. What it searches
// for, 03_techniques/quantization/test.cpp compares.
TEST_CASE("where quantizing is a rule, ours is the same, byte for byte") {
  const auto gguf = golden();
  const Tensor x = tensor_of(*gguf, "source");
  for (const DType type :
       {DType::f16, DType::bf16, DType::q8_0, DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1}) {
    const std::string name(traits(type).name);
    INFO(name);
    const Tensor packed = tensor_of(*gguf, name + ".quantised");
    std::vector<std::byte> ours(packed.bytes());
    traits(type).from_float(x.ptr<float>(), ours.data(), x.size());
    CHECK(std::memcmp(ours.data(), packed.data, ours.size()) == 0);
  }
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
