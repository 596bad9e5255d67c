// Against an outside implementation: golden/formats.gguf was written and quantized by the `gguf` package.

#include <nlohmann/json.hpp>

#include "convert/quantize.hpp"
#include "files/gguf.hpp"
#include "testing/catch.hpp"
#include "testing/damage.hpp"

using namespace rung;
using namespace rung::testing;
using nlohmann::json;

namespace {

std::shared_ptr<const Gguf> golden() { return Gguf::open(source_file("common/files/golden/formats.gguf")); }
json expected() { return json::parse(read_bytes(source_file("common/files/golden/formats.json"))); }

bool same_bytes(const Tensor& a, const void* b) { return std::memcmp(a.data, b, a.bytes()) == 0; }

}  // namespace

TEST_CASE("metadata of every type reads as it was written elsewhere") {
  const auto gguf = golden();
  const json document = expected();
  for (const auto& [key, value] : document["values"].items()) {
    INFO(key);
    if (value.is_string()) {
      CHECK(gguf->get_string(key) == value.get<std::string>());
    } else if (value.is_boolean()) {
      CHECK(gguf->get_bool(key) == value.get<bool>());
    } else if (value.is_number_float()) {
      CHECK(gguf->get_f64(key) == value.get<double>());
    } else if (value.is_number_unsigned()) {
      CHECK(gguf->get_u64(key) == value.get<std::uint64_t>());
    } else {
      CHECK(gguf->get_i64(key) == value.get<std::int64_t>());
    }
  }
  const json& arrays = document["arrays"];
  const auto strings = gguf->string_array("a.strings");
  CHECK(std::vector<std::string>(strings.begin(), strings.end()) ==
        arrays["a.strings"].get<std::vector<std::string>>());
  CHECK(gguf->int_array("a.ints") == arrays["a.ints"].get<std::vector<std::int64_t>>());
  CHECK(gguf->float_array("a.floats") == arrays["a.floats"].get<std::vector<float>>());
}

TEST_CASE("every format converts in both directions bit for bit as it does elsewhere") {
  const auto gguf = golden();
  const json document = expected();
  const Tensor& x = gguf->find_tensor("x")->view;
  REQUIRE(x.rows == document["shape"][0].get<std::int64_t>());
  REQUIRE(x.cols == document["shape"][1].get<std::int64_t>());
  for (const std::string name : document["formats"]) {
    INFO(name);
    const DType type = dtype_from_name(name);
    const Tensor& packed = gguf->find_tensor("x." + name)->view;
    const Tensor& values = gguf->find_tensor("x." + name + ".values")->view;
    REQUIRE(packed.dtype == type);
    REQUIRE(packed.size() == x.size());

    std::vector<std::byte> ours(bytes_of(type, x.size()));
    traits(type).from_float(x.ptr<float>(), ours.data(), x.size());
    CHECK(same_bytes(packed, ours.data()));

    std::vector<float> unpacked(static_cast<std::size_t>(x.size()));
    traits(type).to_float(packed.data, unpacked.data(), x.size());
    CHECK(same_bytes(values, unpacked.data()));
  }
}

TEST_CASE("quantizing the file gives the tensors that were quantized elsewhere") {
  const auto gguf = golden();
  const json document = expected();
  const std::string out = scratch_file("gguf_parity_test.gguf");
  for (const std::string name : document["formats"]) {
    INFO(name);
    quantize(gguf->path(), out, dtype_from_name(name), 2);
    CHECK(same_bytes(gguf->find_tensor("x." + name)->view, Gguf::open(out)->find_tensor("x")->view.data));
  }
}
