// Loading whole models: the real one, synthetic ones, both file formats, and damaged files.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>

#include "convert/synth.hpp"
#include "files/gguf.hpp"
#include "files/gguf_writer.hpp"
#include "model/model.hpp"
#include "testing/catch.hpp"
#include "testing/damage.hpp"
#include "text/tokenizer/formats/load.hpp"

using namespace rung;
using namespace rung::testing;

namespace {

/// A small model, written once.
const std::string& tiny_model(DType type = DType::f32, const std::string& shape = "test-tiny") {
  static std::map<std::pair<DType, std::string>, std::string> paths;
  std::string& path = paths[{type, shape}];
  if (path.empty()) {
    path = scratch_file(fmt::format("load_model_{}_{}.gguf", shape, traits(type).name));
    synth(path, shape, type, 42, 2);
  }
  return path;
}

struct Edit {
  std::string key;                               // of the metadata entry that is replaced or dropped
  std::function<void(GgufWriter&)> replacement;  // none: dropped
};

/// A copy of the small model with one thing changed. `rename` maps a tensor's name to another one, or to
/// nothing to leave it out.
std::string edited_model(const std::vector<Edit>& edits,
                         const std::map<std::string, std::string>& rename = {},
                         const std::function<void(GgufWriter&)>& declare_more = {},
                         const std::string& shape = "test-tiny") {
  const auto gguf = Gguf::open(tiny_model(DType::f32, shape));
  const std::string path = scratch_file("load_model_test_edited.gguf");
  std::filesystem::remove(path);
  GgufWriter writer(path);
  for (const GgufEntry& entry : gguf->entries()) {
    const auto edit =
        std::find_if(edits.begin(), edits.end(), [&](const Edit& e) { return e.key == entry.key; });
    if (edit == edits.end()) writer.add_entry(entry);
  }
  for (const Edit& edit : edits) {
    if (edit.replacement) edit.replacement(writer);
  }
  std::vector<const GgufTensor*> kept;
  for (const GgufTensor& tensor : gguf->tensors()) {
    const auto at = rename.find(tensor.name);
    if (at != rename.end() && at->second.empty()) continue;
    writer.declare_tensor(at == rename.end() ? tensor.name : at->second, tensor.dims, tensor.view.dtype);
    kept.push_back(&tensor);
  }
  if (declare_more) declare_more(writer);
  std::uint64_t bytes = 0;
  for (const GgufTensor* tensor : kept) {
    writer.append({static_cast<const std::byte*>(tensor->view.data), tensor->view.bytes()});
    bytes += tensor->view.bytes();
  }
  writer.append(std::vector<std::byte>(writer.tensor_bytes() - bytes));
  writer.finish();
  return path;
}

Edit set_u32(const std::string& key, std::uint32_t value) {
  return {key, [=](GgufWriter& writer) { writer.add_u32(key, value); }};
}
Edit set_f32(const std::string& key, float value) {
  return {key, [=](GgufWriter& writer) { writer.add_f32(key, value); }};
}
Edit set_string(const std::string& key, const std::string& value) {
  return {key, [=](GgufWriter& writer) { writer.add_string(key, value); }};
}

std::string load_sentence(const std::string& path) {
  return sentence_of([&] { load_model(path); });
}

/// Whether the tensor lies in the mapping of a file: its address is not that of converted memory.
bool is_view_of(const Tensor& tensor, const Model& model, const std::string& name) {
  const auto gguf = Gguf::open(model.path);
  const GgufTensor* original = gguf->find_tensor(name);
  // Another mapping of the same file: the same bytes, at the same place within a page.
  return std::memcmp(original->view.data, tensor.data, tensor.bytes()) == 0 &&
         reinterpret_cast<std::uintptr_t>(tensor.data) % 4096 == original->offset % 4096;
}

}  // namespace

TEST_CASE("the real model loads with the numbers of its data card") {
  const std::string path = shared_file("models/stories260K-f32.gguf");
  if (path.empty()) return;
  const Model model = load_model(path);
  const ModelConfig& c = model.config;
  CHECK(c.architecture == "llama");
  CHECK(c.name == "stories260K");
  CHECK(c.layers == 5);
  CHECK(c.dim == 64);
  CHECK(c.heads == 8);
  CHECK(c.kv_heads == 4);
  CHECK(c.head_dim == 8);
  CHECK(c.rotary_dim == 8);
  CHECK(c.ffn_dim == 172);
  CHECK(c.vocab_size == 512);
  CHECK(c.context_length == 512);
  CHECK(c.rope_pairs == RopePairs::interleaved);
  CHECK(c.norm_eps == 1e-5f);
  CHECK(c.rope.theta == 10000.0f);
  CHECK(c.attention_scale == static_cast<float>(1 / std::sqrt(8.0)));
  CHECK(model.weights.layers.size() == 5);
  CHECK(model.converted_bytes == 0);
  REQUIRE(model.tokenizer != nullptr);
  CHECK(model.tokenizer->vocab_size() == 512);
  CHECK(model.weights.layers[4].down.weight.rows == 64);
  CHECK(model.weights.layers[4].down.weight.cols == 172);
  // The file stores its tied matrix twice; both copies are the same numbers.
  CHECK(std::memcmp(model.weights.output.data, model.weights.token_embedding.data,
                    model.weights.output.bytes()) == 0);
}

TEST_CASE("only the tokenizer of a model") {
  CHECK(load_tokenizer(tiny_model())->vocab_size() == 300);
  CHECK_THAT(sentence_of([] { load_tokenizer("/nowhere"); }), Contains("there is no model at '/nowhere'"));
}

TEST_CASE("a model of every stored format loads and its matrices are used as they lie") {
  for (const DType type : {DType::f32, DType::f16, DType::bf16, DType::q8_0, DType::q4_0}) {
    INFO(traits(type).name);
    const Model model = load_model(tiny_model(type));
    CHECK(model.weights.layers[2].gate.weight.dtype == type);
    CHECK(model.weights.layers[2].gate.weight.rows == 160);
    CHECK(model.weights.layers[2].k.weight.rows == 32);
    CHECK(model.weights.output_norm.weight.dtype == DType::f32);
    CHECK(model.converted_bytes == 0);
    CHECK(is_view_of(model.weights.layers[2].gate.weight, model, "blk.2.ffn_gate.weight"));
    CHECK_FALSE(model.config.tied_embeddings);
    // All matrices and norms, from the shapes: 2 tables, per layer q, out, k, v, gate, up, down, 2 norms.
    const std::int64_t matrices = 2 * 300 * 96 + 3 * (2 * 96 * 96 + 2 * 32 * 96 + 3 * 160 * 96);
    CHECK(model.weights.bytes() == bytes_of(type, matrices) + (3 * 2 + 1) * 96 * 4);
  }
}

TEST_CASE("without an output matrix the embedding table is used") {
  const Model model = load_model(edited_model({}, {{"output.weight", ""}}));
  CHECK(model.config.tied_embeddings);
  CHECK(model.weights.output.data == model.weights.token_embedding.data);
}

TEST_CASE("norms in half precision are converted and counted") {
  // The small model with its last norm in f16: dropped, and declared again.
  const std::string path = edited_model({}, {{"output_norm.weight", ""}}, [](GgufWriter& writer) {
    writer.declare_tensor("output_norm.weight", std::vector<std::int64_t>{96}, DType::f16);
  });
  const Model model = load_model(path);
  CHECK(model.converted_bytes == 96 * 4);
  CHECK(model.weights.output_norm.weight.dtype == DType::f32);
  CHECK(*model.weights.output_norm.weight.ptr<float>() == 0.0f);
}

TEST_CASE("missing, misshapen and unknown tensors are named with what was expected") {
  CHECK_THAT(load_sentence(edited_model({}, {{"blk.1.attn_k.weight", ""}})),
             (Contains("'blk.1.attn_k.weight' is missing") && Contains("[32, 96]")));
  CHECK_THAT(load_sentence(edited_model({}, {{"token_embd.weight", ""}})),
             Contains("'token_embd.weight' is missing"));
  CHECK_THAT(load_sentence(edited_model({set_u32("llama.feed_forward_length", 128)})),
             (Contains("'blk.0.ffn_gate.weight' has shape [160, 96]") && Contains("expected [128, 96]")));
  CHECK_THAT(load_sentence(edited_model({set_u32("llama.attention.head_count_kv", 3)})),
             Contains("'blk.0.attn_k.weight' has shape [32, 96], expected [48, 96]"));
  CHECK_THAT(load_sentence(edited_model({set_u32("llama.block_count", 4)})),
             Contains("'blk.3.attn_norm.weight' is missing"));
  CHECK_THAT(load_sentence(edited_model({set_u32("llama.block_count", 2)})), Contains("has no place"));
  CHECK_THAT(load_sentence(edited_model({}, {},
                                        [](GgufWriter& writer) {
                                          writer.declare_tensor("blk.0.attn_q_norm.weight",
                                                                std::vector<std::int64_t>{16}, DType::f32);
                                        })),
             Contains("'blk.0.attn_q_norm.weight' has no place"));
  CHECK_THAT(load_sentence(edited_model(
                 {}, {{"output_norm.weight", ""}},
                 [](GgufWriter& writer) {
                   writer.declare_tensor("output_norm.weight", std::vector<std::int64_t>{1, 96}, DType::f32);
                 })),
             Contains("has shape [96, 1], expected [96]"));
}

TEST_CASE("a RoPE factor without a type is linear scaling, under its old name too") {
  for (const char* key : {"llama.rope.scaling.factor", "llama.rope.scale_linear"}) {
    INFO(key);
    const RopeConfig rope = load_model(edited_model({set_f32(key, 4.0f)})).config.rope;
    CHECK(rope.scaling == RopeScaling::linear);
    CHECK(rope.factor == 4.0f);
  }
  // The type has the last word, and the newer name of the factor.
  CHECK(load_model(edited_model({set_string("llama.rope.scaling.type", "none"),
                                 set_f32("llama.rope.scaling.factor", 4.0f)}))
            .config.rope.scaling == RopeScaling::none);
  CHECK(load_model(edited_model({set_f32("llama.rope.scale_linear", 1.0f),
                                 set_f32("llama.rope.scaling.factor", 2.0f)}))
            .config.rope.factor == 2.0f);
}

TEST_CASE("features that are not there are refused by name") {
  CHECK_THAT(load_sentence(edited_model({set_string("general.architecture", "mamba")})),
             (Contains("'mamba' is not supported") && Contains("supported: llama")));
  CHECK_THAT(load_sentence(edited_model({set_string("llama.rope.scaling.type", "magic")})),
             (Contains("'magic'") && Contains("longrope")));
  CHECK_THAT(load_sentence(edited_model({set_u32("llama.attention.value_length", 8)})),
             Contains("must be equal"));
  CHECK_THAT(load_sentence(edited_model({}, {},
                                        [](GgufWriter& writer) {  // values of 0 would divide by zero
                                          writer.declare_tensor("rope_freqs.weight",
                                                                std::vector<std::int64_t>{8}, DType::f32);
                                        })),
             Contains("RoPE frequency factors"));
  CHECK(load_sentence(edited_model({set_string("llama.rope.scaling.type", "none")})).empty());
}

TEST_CASE("the experts of a mixture are parts of one tensor, or tensors of their own in old files") {
  const std::string path = tiny_model(DType::f32, "test-tiny-moe");
  const Model model = load_model(path);
  CHECK(model.config.experts == 5);
  CHECK(model.config.experts_per_token == 3);
  CHECK(model.config.normalize_expert_weights);
  CHECK(model.converted_bytes == 0);
  const LayerWeights& layer = model.weights.layers[2];
  CHECK(layer.gate.empty());
  CHECK(layer.router.weight.rows == 5);
  REQUIRE(layer.experts.size() == 5);
  CHECK(layer.experts[4].down.rows == 96);
  CHECK(layer.experts[4].down.cols == 64);
  // Tables, norms, per layer attention, router and three matrices of five experts (three, per token).
  const std::int64_t rest = 2 * 300 * 96 + 7 * 96 + 3 * (2 * 96 * 96 + 2 * 32 * 96 + 5 * 96);
  CHECK(model.weights.parameters() == rest + 3 * 5 * 3 * 64 * 96);
  CHECK(model.weights.parameters(3) == rest + 3 * 3 * 3 * 64 * 96);
  CHECK(model.weights.bytes() == static_cast<std::size_t>(model.weights.parameters()) * 4);

  const auto gguf = Gguf::open(path);
  const std::string apart = scratch_file("load_model_test_apart.gguf");
  GgufWriter writer(apart);
  for (const GgufEntry& entry : gguf->entries()) writer.add_entry(entry);
  const auto is_stack = [](const GgufTensor& t) { return t.dims.size() == 3; };
  for (const GgufTensor& t : gguf->tensors()) {
    if (!is_stack(t)) writer.declare_tensor(t.name, t.dims, t.view.dtype);
    for (int e = 0; is_stack(t) && e < 5; ++e) {  // blk.0.ffn_up_exps.weight -> blk.0.ffn_up.3.weight
      const std::string name = t.name.substr(0, t.name.find("_exps"));
      writer.declare_tensor(fmt::format("{}.{}.weight", name, e), {t.dims.data(), 2}, t.view.dtype);
    }
  }
  for (const GgufTensor& t : gguf->tensors())
    writer.append({static_cast<const std::byte*>(t.view.data), t.view.bytes()});
  writer.finish();
  const Model old = load_model(apart);
  for (std::size_t e = 0; e < 5; ++e) {
    const ExpertWeights &a = layer.experts[e], &b = old.weights.layers[2].experts[e];
    CHECK(std::memcmp(a.gate.data, b.gate.data, a.gate.bytes()) == 0);
    CHECK(std::memcmp(a.up.data, b.up.data, a.up.bytes()) == 0);
    CHECK(std::memcmp(a.down.data, b.down.data, a.down.bytes()) == 0);
  }
}

TEST_CASE("mixtures that cannot be are refused by what is wrong with them") {
  const auto sentence = [](const std::vector<Edit>& edits,
                           const std::map<std::string, std::string>& rename = {}) {
    return load_sentence(edited_model(edits, rename, {}, "test-tiny-moe"));
  };
  CHECK(sentence({}).empty());
  CHECK_THAT(sentence({set_u32("llama.expert_count", 1u << 30)}),
             Contains("experts (of a layer) is 1073741824"));
  CHECK_THAT(sentence({set_u32("llama.expert_count", 1025)}), Contains("1 to 1024 are allowed"));
  CHECK_THAT(sentence({set_u32("llama.expert_count", 4)}),
             (Contains("'blk.0.ffn_gate_inp.weight' has shape [5, 96]") && Contains("expected [4, 96]")));
  CHECK_THAT(sentence({set_u32("llama.expert_used_count", 6)}),
             (Contains("experts_per_token is 6") && Contains("1 to 5")));
  CHECK_THAT(sentence({set_u32("llama.expert_used_count", 0)}), Contains("experts_per_token is 0"));
  CHECK_THAT(sentence({{"llama.expert_used_count", nullptr}}),
             Contains("'llama.expert_used_count' is missing"));
  CHECK_THAT(sentence({set_u32("llama.expert_count", 0)}), Contains("'blk.0.ffn_gate.weight' is missing"));
  CHECK_THAT(sentence({set_u32("llama.feed_forward_length", 32)}),
             (Contains("'blk.0.ffn_gate_exps.weight' has shape [5, 64, 96]") && Contains("[5, 32, 96]")));
  CHECK_THAT(sentence({}, {{"blk.1.ffn_up_exps.weight", ""}}),
             (Contains("'blk.1.ffn_up_exps.weight' is missing") && Contains("[5, 64, 96]")));
  CHECK_THAT(sentence({}, {{"blk.1.ffn_gate_inp.weight", ""}}),
             Contains("'blk.1.ffn_gate_inp.weight' is missing"));
  CHECK_THAT(sentence({set_u32("llama.expert_shared_count", 1)}), Contains("'llama.expert_shared_count'"));
  CHECK_THAT(sentence({set_u32("llama.expert_gating_func", 2)}), Contains("without softmax"));
  CHECK_THAT(sentence({set_string("general.architecture", "qwen2"), set_u32("qwen2.expert_count", 8)}),
             Contains("a mixture of experts is not supported in the architecture 'qwen2'"));
}

TEST_CASE("a window and a stretched RoPE are read from the metadata") {
  const std::string path =
      edited_model({set_u32("llama.attention.sliding_window", 64),
                    set_string("llama.rope.scaling.type", "yarn"), set_f32("llama.rope.scaling.factor", 4.0f),
                    set_u32("llama.rope.scaling.original_context_length", 128)});
  const ModelConfig c = load_model(path).config;
  REQUIRE(c.layer_attention.size() == 3);
  for (const LayerAttention& layer : c.layer_attention) CHECK(layer.window == 64);
  CHECK(c.rope.scaling == RopeScaling::yarn);
  CHECK(c.rope.factor == 4.0f);
  CHECK(c.rope.original_context == 128);
  CHECK(c.rope.attention_factor == Approx(0.1 * std::log(4.0) + 1));
}

TEST_CASE("absurd configurations are refused by field") {
  const std::vector<std::pair<Edit, std::string>> cases = {
      {set_u32("llama.embedding_length", 0), "dim (the embedding length) is 0"},
      {set_u32("llama.embedding_length", 1u << 31), "at most 2147483647"},
      {set_u32("llama.embedding_length", (1u << 31) - 1), "dim (the embedding length) is 2147483647"},
      {set_u32("llama.block_count", 0), "layers (the block count) is 0"},
      {set_u32("llama.block_count", 1000000), "layers (the block count) is 1000000"},
      {set_u32("llama.attention.head_count", 0), "heads is 0"},
      {set_u32("llama.attention.head_count_kv", 0), "kv_heads is 0"},
      {set_u32("llama.attention.head_count_kv", 7), "kv_heads is 7"},
      {set_u32("llama.attention.head_count_kv", 4), "6 heads do not divide into 4"},
      {set_u32("llama.attention.key_length", 100000), "100000"},
      {set_u32("llama.feed_forward_length", 0), "feed-forward"},
      {set_u32("llama.context_length", 0), "context_length is 0"},
      {set_u32("llama.vocab_size", 0), "vocab_size is 0"},
      {set_u32("llama.rope.dimension_count", 7), "rotated in pairs"},
      {set_u32("llama.rope.dimension_count", 18), "rotary_dim is 18"},
      {set_f32("llama.rope.freq_base", NAN), "rope_theta is nan"},
      {set_f32("llama.rope.freq_base", -1.0f), "rope_theta is -1"},
      {set_f32("llama.attention.layer_norm_rms_epsilon", 0.0f), "norm_eps is 0"},
      {set_f32("llama.attention.layer_norm_rms_epsilon", INFINITY), "norm_eps is inf"},
      {set_string("llama.embedding_length", "many"), "is string, expected a non-negative integer"},
      {{"llama.embedding_length", nullptr}, "'llama.embedding_length' is missing"},
      {{"general.architecture", nullptr}, "'general.architecture' is missing"},
  };
  for (const auto& [edit, expected] : cases) {
    INFO(edit.key << ": " << expected);
    CHECK_THAT(load_sentence(edited_model({edit})), Contains(expected));
  }
}

TEST_CASE("paths that are no model are named with what was expected") {
  CHECK_THAT(load_sentence("/nowhere/at all"), Contains("there is no model at '/nowhere/at all'"));
  CHECK_THAT(load_sentence(""), Contains("there is no model"));
  CHECK_THAT(load_sentence(std::filesystem::temp_directory_path().string()), Contains("has no config.json"));
  CHECK_THAT(load_sentence(write_bytes(scratch_file("load_model_test.txt"), "hello, this is a text")),
             Contains("no GGUF file"));
  CHECK_THAT(load_sentence(write_bytes(scratch_file("load_model_test.txt"), "")), Contains("is empty"));
}

TEST_CASE("the real model, cut off or with flipped bits, loads or is refused with a sentence") {
  const std::string path = shared_file("models/stories260K-f32.gguf");
  if (path.empty()) return;
  const std::string bytes = read_bytes(path);
  const std::string damaged = scratch_file("load_model_test_damaged.gguf");
  constexpr std::size_t kHeader = 14168;  // where the data of this file begins
  // Cut off: the data at many places, then the header every few bytes.
  write_bytes(damaged, bytes);
  std::vector<std::size_t> lengths;
  for (std::size_t length = bytes.size() - 1; length > kHeader;
       length -= std::min<std::size_t>(60013, length)) {
    lengths.push_back(length);
  }
  for (std::size_t length = kHeader; length > 64; length -= 7) lengths.push_back(length);
  for (const std::size_t length : lengths) {
    INFO("length " << length);
    std::filesystem::resize_file(damaged, length);
    REQUIRE(survives([&] { load_model(damaged); }));
  }
  write_bytes(damaged, bytes);
  const std::string header = bytes.substr(0, kHeader);
  int flipped_refused = 0;
  Rng rng(7);
  constexpr int kFiles = 2000;
  for (int i = 0; i < kFiles; ++i) {
    overwrite_bytes(damaged, flip_bits(header, rng, kHeader));
    flipped_refused += survives([&] { load_model(damaged); });
  }
  CHECK(flipped_refused > kFiles / 20);
  CHECK(flipped_refused < kFiles);
}

TEST_CASE("the small model's header with flipped bits loads or is refused with a sentence") {
  constexpr std::size_t kConfig = 700;  // the metadata before the vocabulary, where most numbers stand
  for (const char* shape : {"test-tiny", "test-tiny-moe"}) {
    const std::string bytes = read_bytes(tiny_model(DType::q4_0, shape));
    const std::string damaged = scratch_file("load_model_test_flipped.gguf");
    Rng rng(8);
    for (int i = 0; i < 3000; ++i) {
      write_bytes(damaged, flip_bits(bytes, rng, kConfig));
      survives([&] { load_model(damaged); });
    }
  }
}

TEST_CASE("synthetic models depend on shape, type and seed, not on threads") {
  const std::string path = scratch_file("load_model_test_synth.gguf");
  const auto bytes_with = [&](DType type, std::uint64_t seed, int threads) {
    std::filesystem::remove(path);
    const std::uint64_t size = synth(path, "test-tiny", type, seed, threads);
    CHECK(size == std::filesystem::file_size(path));
    return read_bytes(path);
  };
  for (const DType type : {DType::f32, DType::f16, DType::bf16, DType::q8_0, DType::q4_0}) {
    INFO(traits(type).name);
    const std::string one = bytes_with(type, 1, 1);
    CHECK((one == bytes_with(type, 1, 2)));
    CHECK((one == bytes_with(type, 1, 5)));
    CHECK((one != bytes_with(type, 2, 1)));
  }
  CHECK_THAT(sentence_of([&] { synth(path, "gpt-9", DType::f32, 0, 1); }),
             (Contains("unknown shape 'gpt-9'") && Contains("tinyllama-1.1b")));
  CHECK_THAT(sentence_of([&] { synth(path, "test-tiny", DType::i32, 0, 1); }), Contains("i32"));
}

TEST_CASE("synthetic weights have mean 0 and the deviation of a normal initialization") {
  for (const DType type : {DType::f32, DType::f16, DType::bf16, DType::q8_0, DType::q4_0}) {
    const auto gguf = Gguf::open(tiny_model(type));
    const Tensor& gate = gguf->find_tensor("blk.0.ffn_gate.weight")->view;
    std::vector<float> values(static_cast<std::size_t>(gate.size()));
    traits(type).to_float(gate.data, values.data(), gate.size());
    double sum = 0;
    double squares = 0;
    for (const float v : values) {
      sum += v;
      squares += double{v} * v;
    }
    const auto n = static_cast<double>(values.size());
    const double expected = 1.0 / std::sqrt(96.0);
    INFO(traits(type).name << ": mean " << sum / n << ", deviation " << std::sqrt(squares / n));
    // Blocks share a random sign and scale, so n / 32 draws are independent: 5 standard errors. The spread
    // of the scales (0.5 to 1.5) adds 4 % to the deviation.
    CHECK(std::fabs(sum / n) < 5 * expected / std::sqrt(n / 32));
    CHECK(std::sqrt(squares / n) == Approx(expected).epsilon(0.1));
  }
}
