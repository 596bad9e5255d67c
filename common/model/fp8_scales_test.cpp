// FP8 checkpoints with scales: every number against the definition in float64, a whole folder, what is
// refused.

#include "model/fp8_scales.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/dtype.hpp"
#include "core/rng.hpp"
#include "files/safetensors.hpp"
#include "files/safetensors_writer.hpp"
#include "model/model.hpp"
#include "testing/catch.hpp"
#include "testing/damage.hpp"

using namespace rung;
using namespace rung::testing;
namespace fs = std::filesystem;

namespace {

const std::string kFolder = rung::testing::source_file("common/model/parity/models/llama-f32");

/// Tensors by name, without a file.
struct Shelf : TensorSource {
  std::string name = "shelf";
  std::map<std::string, SourceTensor, std::less<>> tensors;
  const std::string& path() const override { return name; }
  bool find(std::string_view wanted, SourceTensor& found) const override {
    const auto at = tensors.find(wanted);
    if (at == tensors.end()) return false;
    found = at->second;
    return true;
  }
  std::vector<std::string> names() const override { return {}; }
};

enum class Kind { blocks, rows, whole };

/// Which scale number [r, c] has.
std::size_t scale_of(Kind kind, std::int64_t r, std::int64_t c, std::int64_t cols) {
  if (kind == Kind::whole) return 0;
  return static_cast<std::size_t>(kind == Kind::rows ? r : r / 128 * ((cols + 127) / 128) + c / 128);
}

std::vector<std::int64_t> scale_shape(Kind kind, std::int64_t rows, std::int64_t cols) {
  if (kind == Kind::whole) return {1};
  if (kind == Kind::rows) return {rows, 1};
  return {(rows + 127) / 128, (cols + 127) / 128};
}

struct Quantized {
  std::vector<std::uint8_t> numbers;
  std::vector<float> scales;
};

/// A matrix as such checkpoints hold it: every block is divided so that its largest number becomes 448.
Quantized quantize(Kind kind, const float* values, std::int64_t rows, std::int64_t cols) {
  Quantized result;
  const std::vector<std::int64_t> shape = scale_shape(kind, rows, cols);
  const std::int64_t count = shape[0] * (shape.size() > 1 ? shape[1] : 1);
  result.scales.assign(static_cast<std::size_t>(count), 0.0f);
  for (std::int64_t i = 0; i < rows * cols; ++i) {
    float& scale = result.scales[scale_of(kind, i / cols, i % cols, cols)];
    scale = std::max(scale, std::fabs(values[i]) / 448);
  }
  result.numbers.resize(static_cast<std::size_t>(rows * cols));
  for (std::int64_t i = 0; i < rows * cols; ++i) {
    const float quotient = values[i] / result.scales[scale_of(kind, i / cols, i % cols, cols)];
    traits(DType::f8_e4m3).from_float(&quotient, &result.numbers[static_cast<std::size_t>(i)], 1);
  }
  return result;
}

/// Number by number: `got` (bf16) is the product in float64, rounded twice (to float32 and to 8 bits).
void check_products(Kind kind, const Quantized& q, const Tensor& got) {
  REQUIRE(got.dtype == DType::bf16);
  for (std::int64_t i = 0; i < got.size(); ++i) {
    float number = 0;
    traits(DType::f8_e4m3).to_float(&q.numbers[static_cast<std::size_t>(i)], &number, 1);
    const double exact = number * double{q.scales[scale_of(kind, i / got.cols, i % got.cols, got.cols)]};
    const double value = bf16_to_f32(got.ptr<std::uint16_t>()[i]);
    INFO("row " << i / got.cols << ", column " << i % got.cols);
    REQUIRE(std::fabs(value - exact) <= std::fabs(exact) * (std::ldexp(1.0, -8) + std::ldexp(1.0, -23)));
  }
}

}  // namespace

TEST_CASE("the scales of an FP8 matrix are found and applied") {
  Rng rng(4);
  for (const Kind kind : {Kind::blocks, Kind::rows, Kind::whole}) {
    for (const auto& [rows, cols] : {std::pair{300, 200}, {128, 256}, {1, 129}}) {
      std::vector<float> values(static_cast<std::size_t>(rows * cols));
      for (float& v : values) v = rng.normal();
      Quantized q = quantize(kind, values.data(), rows, cols);
      const auto shape = scale_shape(kind, rows, cols);
      Shelf shelf;
      SourceTensor& scales = shelf.tensors[kind == Kind::blocks ? "a.weight_scale_inv" : "a.weight_scale"];
      scales.shape = shape.size() == 1 ? "[1]" : fmt::format("[{}, {}]", shape[0], shape[1]);
      scales.view = {q.scales.data(), DType::f32, shape[0], shape.size() == 1 ? 1 : shape[1]};
      const Tensor weight{q.numbers.data(), DType::f8_e4m3, rows, cols};
      const auto found = find_fp8_scales(shelf, "a.weight", weight);
      REQUIRE(found.has_value());
      std::vector<std::uint16_t> product(values.size());
      apply_fp8_scales(weight, *found, product.data());
      check_products(kind, q, Tensor{product.data(), DType::bf16, rows, cols});
    }
  }
}

TEST_CASE("scales of another shape or format are refused with the expected one") {
  std::vector<std::uint8_t> numbers(300 * 200);
  std::vector<float> values(600);
  const Tensor weight{numbers.data(), DType::f8_e4m3, 300, 200};
  Shelf shelf;
  CHECK_FALSE(find_fp8_scales(shelf, "a.weight", weight).has_value());
  const auto sentence = [&](const char* name, const char* shape, Tensor view, const char* dtype) {
    shelf.tensors = {{name, {shape, dtype, view}}};
    return sentence_of([&] { find_fp8_scales(shelf, "a.weight", weight); });
  };
  const Tensor six{values.data(), DType::f32, 3, 2};
  CHECK(sentence("a.weight_scale_inv", "[3, 2]", six, "F32").empty());
  CHECK_THAT(sentence("a.weight_scale_inv", "[2, 3]", six, "F32"), Contains("shape [2, 3], expected [3, 2]"));
  CHECK_THAT(sentence("a.weight_scale_inv", "[5, 4]", {values.data(), DType::f32, 5, 4}, "F32"),
             Contains("128 x 128"));
  CHECK_THAT(sentence("a.weight_scale", "[3, 2]", six, "F32"), Contains("[300] (one for each row)"));
  CHECK_THAT(sentence("a.weight_scale", "[1]", {}, "F8_E8M0"), Contains("stored as F8_E8M0"));
}

TEST_CASE("a folder of FP8 matrices with scales loads as their products") {
  const auto source = SafeTensors::open_folder(kFolder);
  for (const Kind kind : {Kind::blocks, Kind::rows, Kind::whole}) {
    const fs::path folder = scratch_file("fp8_scales_test");
    fs::remove_all(folder);
    fs::create_directories(folder);
    fs::copy_file(fs::path(kFolder) / "tokenizer.json", folder / "tokenizer.json");
    std::ifstream in(fs::path(kFolder) / "config.json");
    nlohmann::json config = nlohmann::json::parse(in);
    config["quantization_config"] = {{"quant_method", "fp8"}, {"weight_block_size", {128, 128}}};

    std::map<std::string, Quantized> matrices;
    for (const auto& [name, tensor] : source->tensors()) {
      if (name.find("_proj.weight") == std::string::npos) continue;
      matrices[name] = quantize(kind, tensor.view.ptr<float>(), tensor.shape[0], tensor.shape[1]);
    }
    REQUIRE_FALSE(matrices.empty());
    const char* suffix = kind == Kind::blocks ? "_scale_inv" : "_scale";
    SafeTensorsWriter writer((folder / "model.safetensors").string());
    for (const auto& [name, tensor] : source->tensors()) {
      const bool is_matrix = matrices.count(name) != 0;
      writer.declare_tensor(name, tensor.shape, is_matrix ? DType::f8_e4m3 : DType::f32);
      if (!is_matrix) continue;
      writer.declare_tensor(name + suffix, scale_shape(kind, tensor.shape[0], tensor.shape[1]), DType::f32);
      const std::int64_t one[] = {1};
      writer.declare_tensor(name.substr(0, name.size() - 6) + "input_scale", one, DType::f32);
    }
    const float input_scale = 1;
    for (const auto& [name, tensor] : source->tensors()) {
      const auto matrix = matrices.find(name);
      if (matrix == matrices.end()) {
        writer.append(std::as_bytes(std::span(tensor.view.ptr<float>(), tensor.bytes / sizeof(float))));
        continue;
      }
      writer.append(std::as_bytes(std::span(matrix->second.numbers)));
      writer.append(std::as_bytes(std::span(matrix->second.scales)));
      writer.append(std::as_bytes(std::span(&input_scale, 1)));
    }
    writer.finish();
    const auto write_config = [&] { std::ofstream(folder / "config.json") << config.dump(); };
    write_config();

    const Model model = load_model(folder.string());
    check_products(kind, matrices.at("model.layers.1.self_attn.k_proj.weight"),
                   model.weights.layers[1].k.weight);
    check_products(kind, matrices.at("model.layers.0.mlp.down_proj.weight"),
                   model.weights.layers[0].down.weight);

    const auto refused = [&](const nlohmann::json& how) {
      config["quantization_config"] = how;
      write_config();
      return sentence_of([&] { load_model(folder.string()); });
    };
    CHECK_THAT(refused({{"quant_method", "gptq"}, {"bits", 4}}),
               Contains("FP8 only, and this one is 'gptq'"));
    CHECK_THAT(refused({{"quant_method", "fp8"}, {"weight_block_size", {64, 64}}}), Contains("[64,64]"));
    CHECK_THAT(refused("fp8"), Contains("must be an object"));
    CHECK(refused({{"quant_method", "compressed-tensors"}, {"format", "float-quantized"}}).empty());
    CHECK_THAT(refused({{"quant_method", "compressed-tensors"}, {"format", "pack-quantized"}}),
               Contains("'compressed-tensors'"));
  }
}
