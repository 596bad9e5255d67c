// Every rung against its oracle; our quantizers beside GGML's; what the lesson says about the rungs.

#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/dtype_legacy.hpp"
#include "core/rng.hpp"
#include "files/gguf.hpp"
#include "quantization.hpp"
#include "testing/topic_test.hpp"

using namespace rung;
using namespace rung::quantization;

namespace {

const Ladder<Quantizer>& ladder() { return testing::ladder_of<Quantizer, register_rungs>(); }

std::vector<std::byte> encode(const char* rung, DType type, const std::vector<float>& x,
                              const float* weights = nullptr) {
  const auto n = static_cast<std::int64_t>(x.size());
  std::vector<std::byte> bytes(bytes_of(type, n));
  ladder().make(rung, {type, weights != nullptr})->quantize(x.data(), weights, bytes.data(), n);
  return bytes;
}

double error_of(DType type, const std::vector<float>& x, const std::vector<std::byte>& bytes,
                const float* weights = nullptr) {
  std::vector<float> back(x.size());
  traits(type).to_float(bytes.data(), back.data(), static_cast<std::int64_t>(x.size()));
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double difference = static_cast<double>(back[i]) - static_cast<double>(x[i]);
    sum += (weights == nullptr ? 1.0 : static_cast<double>(weights[i])) * difference * difference;
  }
  return sum;
}

std::vector<float> normals(std::size_t count, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<float> x(count);
  for (float& v : x) v = static_cast<float>(rng.normal());
  return x;
}

constexpr std::array kSearched = {DType::q8_0, DType::q4_0,   DType::q4_1, DType::q5_0,
                                  DType::q5_1, DType::iq4_nl, DType::q2_k, DType::q3_k,
                                  DType::q4_k, DType::q5_k,   DType::q6_k};

}  // namespace

TEST_CASE("every rung rounds to the nearest level of its block, and loses no more than its oracle") {
  testing::judge_all(testing::registry_of<register_rungs>(), "quantizer");
}

// The file holds 512 normal numbers per row as GGML stores them
// (files/golden/make_gguf_types_golden.py). 1.05 allows for blocks where a search happens to end elsewhere.
// Run with -s to see the errors of both.
TEST_CASE("what we quantize is no worse than what is quantized elsewhere") {
  const auto gguf = Gguf::open(testing::source_file("common/files/golden/gguf_types.gguf"));
  const Tensor source = gguf->find_tensor("source")->view;
  int compared = 0;
  for (const DType type : {DType::q8_0, DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1, DType::iq4_nl,
                           DType::q2_k, DType::q3_k, DType::q4_k, DType::q5_k, DType::q6_k, DType::mxfp4}) {
    const std::string name(traits(type).name);
    const Tensor theirs = gguf->find_tensor(name + ".quantised")->view;
    for (std::int64_t r = 0; r < source.rows; ++r) {
      const float* row = source.ptr<float>(r);
      const std::vector<float> x(row, row + source.cols);
      double square = 0;
      for (const float v : x) square += static_cast<double>(v) * static_cast<double>(v);
      const auto relative = [&](const std::vector<std::byte>& bytes) {
        return std::sqrt(error_of(type, x, bytes) / square);
      };
      const auto* at = static_cast<const std::byte*>(theirs.row(r));
      const double elsewhere = relative({at, at + bytes_of(type, source.cols)});
      const double absmax = relative(encode("absmax", type, x)), ours = relative(encode("auto", type, x));
      INFO(fmt::format("{}, row {}: error {:.5f} by absmax, {:.5f} by auto, {:.5f} by GGML", name, r, absmax,
                       ours, elsewhere));
      CHECK(ours <= 1.05 * elsewhere);
      CHECK(ours <= 1.0001 * absmax);
    }
    ++compared;
  }
  CHECK(compared == 12);
}

TEST_CASE("weights say where the error may go") {
  constexpr std::size_t kCount = 256 * 40;
  const std::vector<float> x = normals(kCount, 6), zeros(kCount, 0.0f), ones(kCount, 1.0f);
  Rng rng(7);
  std::vector<float> weights(kCount);
  for (float& w : weights) w = static_cast<float>(std::exp(1.5 * rng.normal()));
  for (const DType type : kSearched) {
    INFO(traits(type).name);
    CHECK(encode("weighted", type, x, ones.data()) == encode("search", type, x));
    CHECK(encode("weighted", type, zeros, weights.data()) == encode("search", type, zeros));
    const double with = error_of(type, x, encode("weighted", type, x, weights.data()), weights.data());
    const double without = error_of(type, x, encode("search", type, x), weights.data());
    INFO("weighted error " << with << ", unweighted search " << without);
    CHECK(with < 0.95 * without);
  }
}

TEST_CASE("each rung loses less than the one below; exact leaves search little to gain") {
  const std::vector<float> x = normals(256 * 64, 8);
  for (const DType type : kSearched) {
    const double absmax = error_of(type, x, encode("absmax", type, x));
    const double search = error_of(type, x, encode("search", type, x));
    INFO(traits(type).name << ": absmax " << absmax << ", search " << search);
    CHECK(search < (type == DType::q8_0 ? 1.0 : 0.97) * absmax);
    if (!ladder().supports("exact", {type, false})) continue;
    const double exact = error_of(type, x, encode("exact", type, x));
    INFO("exact " << exact);
    CHECK(exact <= search);
    CHECK(exact > 0.85 * search);
  }
}

// An outlier that meets nothing should be cut off, further than twenty scales near it reach.
TEST_CASE("with weights the best scale may be far away: there exact gains most") {
  const std::vector<float> x = normals(256 * 64, 10);
  Rng rng(11);
  std::vector<float> weights(x.size());
  for (float& w : weights) w = static_cast<float>(std::exp(1.5 * rng.normal()));
  for (const DType type : {DType::q4_0, DType::q5_0, DType::iq4_nl, DType::q3_k, DType::q6_k}) {
    const double weighted = error_of(type, x, encode("weighted", type, x, weights.data()), weights.data());
    const double exact = error_of(type, x, encode("exact", type, x, weights.data()), weights.data());
    INFO(traits(type).name << ": weighted " << weighted << ", exact " << exact);
    CHECK(exact < 0.97 * weighted);
  }
}

TEST_CASE("search may cut an outlier off, absmax never does") {
  std::vector<float> x = normals(32, 9);
  x[11] = 4.2f;
  const auto largest = [&](const char* rung) {
    std::vector<float> back(32);
    traits(DType::q4_0).to_float(encode(rung, DType::q4_0, x).data(), back.data(), 32);
    return back[11];
  };
  CHECK(largest("absmax") == Approx(4.2f).epsilon(0.001));
  CHECK(largest("exact") < 4.0f);
  CHECK(error_of(DType::q4_0, x, encode("exact", DType::q4_0, x)) <
        0.9 * error_of(DType::q4_0, x, encode("absmax", DType::q4_0, x)));
}

TEST_CASE("auto is the search, with weights where there are any; what it costs to ask for more is said") {
  for (const DType type : kSearched) {
    CHECK(ladder().choose("auto", {type, false}).info.name == "search");
    CHECK(ladder().choose("auto", {type, true}).info.name == "weighted");
  }
  CHECK(ladder().choose("auto", {DType::mxfp4, false}).info.name == "absmax");
  CHECK_THROWS_WITH(ladder().make("weighted", {DType::q4_k, false}),
                    testing::contains("does not support q4_k without importance weights"));
  CHECK_THROWS_WITH(ladder().make("exact", {DType::q4_k, false}), testing::contains("does not support q4_k"));
  CHECK_THROWS_WITH(ladder().make("auto", {DType::f16, false}),
                    testing::contains("no rung of seam quantizer"));
}

TEST_CASE("rows that no block can hold are refused in a sentence") {
  std::vector<float> x(64, 1.0f);
  std::vector<std::byte> bytes(36);
  for (const char* rung : {"absmax", "search", "exact"}) {
    const auto quantizer = ladder().make(rung, {DType::q4_0, false});
    x[40] = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_WITH(quantizer->quantize(x.data(), nullptr, bytes.data(), 64),
                      testing::contains("element 40 of the row is nan"));
    x[40] = 65600.0f;
    CHECK_THROWS_WITH(quantizer->quantize(x.data(), nullptr, bytes.data(), 64), testing::contains("65504"));
    x[40] = 1.0f;
    CHECK_THROWS_WITH(quantizer->quantize(x.data(), nullptr, bytes.data(), 40),
                      testing::contains("no multiple of q4_0's blocks of 32"));
  }
}
