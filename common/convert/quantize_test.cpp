// Storing a model in another format: sizes, values within the format's error, metadata, refusals.

#include "convert/quantize.hpp"

#include <array>
#include <cmath>
#include <filesystem>
#include <limits>

#include "convert/synth.hpp"
#include "files/gguf.hpp"
#include "model/model.hpp"
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
/// in the last place for plain numbers; half a step for blocks, or a whole one where Q4_0 and Q5_0 cut off
/// their positive end and where a least-squares scale may cut off either; plus the rounding of the block's
/// scale to binary16 (2^-11 of the value). A block with a minimum spans at most twice its largest magnitude.
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
    case DType::q5_0:
      return block_largest * (1.0 / 16.0 + 0x1p-10);
    case DType::q4_1:
      return block_largest * (1.0 / 15.0 + 0x1p-9);
    case DType::q5_1:
      return block_largest * (1.0 / 31.0 + 0x1p-9);
    case DType::iq4_nl:  // values up to 24 of 127 apart
      return block_largest * (24.0 / 127.0);
    case DType::mxfp4:  // at most 2 of the 8 that the largest may be, as E2M1 ends at 6
      return block_largest * 0.25;
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
  constexpr std::array kTypes = {DType::f32,  DType::f16,  DType::bf16, DType::q8_0,   DType::q4_0,
                                 DType::q4_1, DType::q5_0, DType::q5_1, DType::iq4_nl, DType::mxfp4};
  for (const DType from : kTypes) {
    const std::string in = model_of(from);
    const auto before = Gguf::open(in);
    for (const DType to : kTypes) {
      INFO(traits(from).name << " to " << traits(to).name);
      std::filesystem::remove(out);
      const QuantizeResult result = quantize(in, out, to, 1);
      CHECK(result.bytes_before == std::filesystem::file_size(in));
      CHECK(result.bytes_after == std::filesystem::file_size(out));
      CHECK(result.notes.empty());
      CHECK(result.converted == 2 + 3 * 7);
      CHECK(result.types.at(std::string(traits(to).name)) == (to == DType::f32 ? 2 + 3 * 9 + 1 : 2 + 3 * 7));
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

TEST_CASE("a mixture keeps its router, and its experts stay one tensor of a layer") {
  const std::string in = scratch_file("quantize_test_moe.gguf"), out = scratch_file("quantize_test_out.gguf");
  synth(in, "test-tiny-moe", DType::f32, 5, 2);
  quantize(in, out, DType::q8_0, 2);
  const auto before = Gguf::open(in), after = Gguf::open(out);
  const GgufTensor* experts = after->find_tensor("blk.2.ffn_down_exps.weight");
  REQUIRE(experts != nullptr);
  CHECK(experts->view.dtype == DType::q8_0);
  CHECK(experts->dims == std::vector<std::int64_t>{64, 96, 5});
  const char* router = "blk.2.ffn_gate_inp.weight";
  CHECK(after->find_tensor(router)->view.dtype == DType::f32);
  CHECK(values_of(after->find_tensor(router)->view) == values_of(before->find_tensor(router)->view));
  const Model model = load_model(out);
  REQUIRE(model.weights.layers[2].experts.size() == 5);
  const auto whole = values_of(experts->view);
  const auto last = values_of(model.weights.layers[2].experts[4].down);
  CHECK(std::equal(last.begin(), last.end(), whole.end() - static_cast<std::ptrdiff_t>(last.size())));
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

TEST_CASE("rows too narrow for blocks of 256 get blocks of 32, with a note") {
  const std::string in = model_of(DType::f32);  // rows of 96 and 160
  const std::string out = scratch_file("quantize_test_out.gguf");
  for (const auto& [asked, stored] :
       {std::pair{DType::q2_k, DType::iq4_nl}, std::pair{DType::q3_k, DType::iq4_nl},
        std::pair{DType::q4_k, DType::q5_0}, std::pair{DType::q5_k, DType::q5_1},
        std::pair{DType::q6_k, DType::q8_0}}) {
    INFO(traits(asked).name);
    const QuantizeResult result = quantize(in, out, asked, 2);
    CHECK(result.converted == 0);
    REQUIRE(result.notes.size() == 2 + 3 * 7);
    CHECK_THAT(result.notes[0],
               Contains(fmt::format("is stored as {}: its rows of 96", traits(stored).name)));
    const auto gguf = Gguf::open(out);
    CHECK(gguf->find_tensor("blk.2.ffn_down.weight")->view.dtype == stored);
    CHECK(gguf->get_u64("general.file_type") == ggml_type(asked).file_type);
    CHECK(load_model(out).weights.layers.size() == 3);
  }
  CHECK(Gguf::open(model_of(DType::q6_k))->find_tensor("output.weight")->view.dtype == DType::q8_0);
  CHECK(storable_type(DType::q4_k, 512) == DType::q4_k);
  CHECK(storable_type(DType::q4_k, 40) == DType::f16);
}

TEST_CASE("K formats are written and read back") {
  std::vector<float> values(512 * 6);
  Rng rng(11);
  double square = 0;
  for (float& v : values) {
    v = static_cast<float>(rng.normal());
    square += double{v} * v;
  }
  const std::string in = one_matrix(values, 512);
  const std::string out = scratch_file("quantize_test_out.gguf");
  // Steps of the format over its range, which for normal numbers is about four deviations.
  for (const auto& [type, allowed] :
       {std::pair{DType::q2_k, 0.35}, std::pair{DType::q3_k, 0.18}, std::pair{DType::q4_k, 0.09},
        std::pair{DType::q5_k, 0.045}, std::pair{DType::q6_k, 0.022}}) {
    const QuantizeResult result = quantize(in, out, type, 2);
    CHECK(result.notes.empty());
    CHECK(result.converted == 1);
    const auto stored = Gguf::open(out);
    REQUIRE(stored->find_tensor("m")->view.dtype == type);
    const auto got = values_of(stored->find_tensor("m")->view);
    double error = 0;
    for (std::size_t i = 0; i < got.size(); ++i) error += std::pow(double{got[i]} - values[i], 2);
    INFO(traits(type).name << ": relative error " << std::sqrt(error / square));
    CHECK(std::sqrt(error / square) < allowed);
    CHECK(std::sqrt(error / square) > allowed / 2);
  }
}

// The list was worked out by hand from llama.cpp's rules for 16 layers.
TEST_CASE("mixtures give the matrices that matter more bits") {
  const MixtureModel model{16, 8, true};
  const auto type_of = [&](const char* mixture, const char* name) {
    return traits(type_for(quantize_target(mixture), model, name)).name;
  };
  CHECK(type_of("q4_k_m", "token_embd.weight") == "q4_k");
  CHECK(type_of("q4_k_m", "output.weight") == "q6_k");
  std::string value, down;
  for (int layer = 0; layer < 16; ++layer) {
    value += type_of("q4_k_m", fmt::format("blk.{}.attn_v.weight", layer).c_str())[1];
    down += type_of("q3_k_m", fmt::format("blk.{}.ffn_down.weight", layer).c_str())[1];
    CHECK(type_of("q4_k_m", fmt::format("blk.{}.ffn_up.weight", layer).c_str()) == "q4_k");
  }
  CHECK(value == "6644644644644666");  // 0, 1 | 4, 7, 10, 13 | 14, 15
  CHECK(down == "5444444444444444");
  CHECK(type_of("q3_k_m", "blk.1.attn_v.weight") == "q5_k");
  CHECK(type_of("q3_k_m", "blk.2.attn_v.weight") == "q4_k");
  CHECK(type_of("q3_k_m", "blk.2.attn_output.weight") == "q4_k");
  CHECK(type_of("q3_k_m", "blk.2.attn_q.weight") == "q3_k");
  CHECK(type_of("q5_k_m", "blk.0.ffn_down.weight") == "q6_k");
  CHECK(type_of("q5_k_m", "blk.0.attn_qkv.weight") == "q6_k");
  CHECK(type_of("q2_k", "blk.9.attn_v.weight") == "q4_k");
  CHECK(type_of("q2_k", "blk.9.ffn_down.weight") == "q3_k");
  CHECK(type_of("q2_k", "blk.9.ffn_gate.weight") == "q2_k");
  // Eight experts: attention gets more bits, and experts count as the matrices that they are.
  const MixtureModel mixtral{32, 4, true, 8};
  const auto in_mixtral = [&](const char* mixture, const char* name) {
    return traits(type_for(quantize_target(mixture), mixtral, name)).name;
  };
  CHECK(in_mixtral("q4_k_m", "blk.9.attn_v.weight") == "q8_0");
  CHECK(in_mixtral("q4_k_m", "blk.9.attn_k.weight") == "q8_0");
  CHECK(in_mixtral("q2_k", "blk.9.attn_output.weight") == "q5_k");
  CHECK(in_mixtral("q4_k_m", "blk.31.ffn_down_exps.weight") == "q6_k");
  CHECK(in_mixtral("q4_k_m", "blk.31.ffn_up_exps.weight") == "q4_k");
  CHECK(in_mixtral("q4_k_m", "blk.31.ffn_gate_inp.weight") == "f32");
  CHECK(in_mixtral("f16", "blk.31.ffn_gate_inp.weight") == "f32");
  const MixtureModel tied{16, 1, false};
  CHECK(type_for(quantize_target("q2_k"), tied, "token_embd.weight") == DType::q6_k);
  CHECK(type_for(quantize_target("q2_k"), tied, "blk.9.attn_v.weight") == DType::q3_k);
  CHECK(type_for(quantize_target("q2_k", true), tied, "token_embd.weight") == DType::q2_k);
  CHECK(type_of("q4_0", "output.weight") == "q4_0");
  CHECK(type_of("q4_0", "position_embd.weight") == "f32");
  CHECK(type_of("f16", "position_embd.weight") == "f16");
  CHECK(quantize_target("q4_k_m").file_type == 15);
  CHECK(quantize_target("q4_k").file_type == 14);
  CHECK_THAT(sentence_of([] { quantize_target("q9"); }),
             (Contains("unknown format 'q9'") && Contains("q4_k_m")));
  CHECK_THAT(sentence_of([] { quantize_target("f8_e4m3"); }), Contains("unknown format 'f8_e4m3'"));
}

TEST_CASE("a model in several files becomes one") {
  const std::filesystem::path folder = scratch_file("quantize_test_split");
  std::filesystem::create_directories(folder);
  const auto name = [&](int number) {
    return (folder / fmt::format("m-{:05}-of-00002.gguf", number + 1)).string();
  };
  for (int number = 0; number < 2; ++number) {
    GgufWriter writer(name(number));
    writer.add_u32("split.no", static_cast<std::uint32_t>(number));
    writer.add_u32("split.count", 2);
    writer.declare_tensor(fmt::format("m{}", number), std::vector<std::int64_t>{32, 2}, DType::f32);
    writer.append(std::vector<std::byte>(64 * 4));
    writer.finish();
  }
  const std::string out = scratch_file("quantize_test_out.gguf");
  CHECK(quantize(name(1), out, DType::q8_0, 1).converted == 2);
  CHECK(Gguf::open(out)->tensors().size() == 2);
  CHECK_FALSE(Gguf::open(out)->has("split.count"));
  CHECK_THAT(sentence_of([&] { quantize(name(1), name(0), DType::q8_0, 1); }), Contains("are the same file"));
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
