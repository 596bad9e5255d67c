// safetensors: single files, shards, whole Hugging Face folders, handmade bytes of every kind of wrong.

#include "files/safetensors.hpp"

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "convert/synth.hpp"
#include "files/gguf.hpp"
#include "model/model.hpp"
#include "testing/catch.hpp"
#include "testing/damage.hpp"

using namespace rung;
using namespace rung::testing;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// Header, data; `padding` spaces after the header change where the data begins.
std::string file_of(const std::string& header, std::string_view data, std::size_t padding = 0) {
  Bytes b;
  b.u64(header.size() + padding);
  b.data += header;
  b.data.append(padding, ' ');
  b.data += data;
  return b.data;
}

json entry(const std::string& dtype, const json& shape, std::uint64_t begin, std::uint64_t end) {
  return {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {begin, end}}};
}

std::string open_sentence(const std::string& bytes) {
  const std::string path = write_bytes(scratch_file("safetensors_test.safetensors"), bytes);
  return sentence_of([&] { SafeTensors::open_file(path); });
}

/// Puts tensors into a file one after the other.
struct FileBuilder {
  json header = json::object();
  std::string data;
  void add(const std::string& name, const std::string& dtype, const json& shape, std::string_view bytes) {
    header[name] = entry(dtype, shape, data.size(), data.size() + bytes.size());
    data += bytes;
  }
  std::string bytes(std::size_t padding = 0) const { return file_of(header.dump(), data, padding); }
};

std::string small_file() {
  FileBuilder file;
  file.header["__metadata__"] = {{"format", "pt"}};
  file.add("a", "F32", {2, 3}, std::string(24, '\0'));
  file.add("b", "BF16", {4}, std::string(8, '\1'));
  file.add("c", "I64", {1}, std::string(8, '\0'));
  file.add("d", "F16", json::array(), std::string(2, '\0'));
  return file.bytes();
}

/// GGUF's name of a tensor to Hugging Face's.
std::string hf_name(std::string name) {
  static const std::vector<std::pair<std::string, std::string>> kParts = {
      {"token_embd", "model.embed_tokens"},
      {"output_norm", "model.norm"},
      {"blk.", "model.layers."},
      {"attn_norm", "input_layernorm"},
      {"attn_q", "self_attn.q_proj"},
      {"attn_k", "self_attn.k_proj"},
      {"attn_v", "self_attn.v_proj"},
      {"attn_output", "self_attn.o_proj"},
      {"ffn_gate", "mlp.gate_proj"},
      {"ffn_norm", "post_attention_layernorm"},
      {"ffn_up", "mlp.up_proj"},
      {"ffn_down", "mlp.down_proj"},
  };
  if (name == "output.weight") return "lm_head.weight";
  for (const auto& [gguf, hf] : kParts) {
    const auto at = name.find(gguf);
    if (at != std::string::npos) name.replace(at, gguf.size(), hf);
  }
  return name;
}

json tiny_config() {
  return {{"model_type", "llama"},    {"vocab_size", 300},        {"hidden_size", 96},
          {"num_hidden_layers", 3},   {"num_attention_heads", 6}, {"num_key_value_heads", 2},
          {"intermediate_size", 160}, {"rms_norm_eps", 1e-5},     {"max_position_embeddings", 256},
          {"rope_theta", 10000.0},    {"rope_scaling", nullptr},  {"tie_word_embeddings", false},
          {"hidden_act", "silu"},     {"attention_bias", false}};
}

/// A tokenizer.json with a token per byte, spelled as GPT-2 does: printable bytes are themselves, the others
/// U+0100 and on.
json tiny_tokenizer() {
  json vocab = json::object();
  int id = 0;
  int next_hidden = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte > 32 && byte < 127) || (byte > 160 && byte != 173);
    const int code = printable ? byte : next_hidden++;
    std::string spelled;
    if (code < 128) {
      spelled.push_back(static_cast<char>(code));
    } else {  // two bytes of UTF-8
      spelled.push_back(static_cast<char>(0xC0 | (code >> 6)));
      spelled.push_back(static_cast<char>(0x80 | (code & 63)));
    }
    vocab[spelled] = id++;
  }
  return {{"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", json::array()}}},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
          {"decoder", {{"type", "ByteLevel"}}}};
}

/// The small synthetic model as a Hugging Face folder, in `shards` files (0: one model.safetensors).
struct Folder {
  std::string path;
  explicit Folder(const std::string& name, int shards = 0, std::size_t padding = 0, DType type = DType::f32) {
    path = scratch_file(name);
    fs::remove_all(path);
    fs::create_directories(path);
    write("config.json", tiny_config().dump());
    write("tokenizer.json", tiny_tokenizer().dump());
    const std::string gguf_path = path + "/source.gguf";
    synth(gguf_path, "test-tiny", type, 3, 1);
    const auto gguf = Gguf::open(gguf_path);
    std::vector<FileBuilder> files(static_cast<std::size_t>(std::max(shards, 1)));
    json map = json::object();
    std::size_t next = 0;
    for (const GgufTensor& tensor : gguf->tensors()) {
      const std::size_t shard = next++ % files.size();
      const std::string dtype = tensor.view.dtype == DType::f32 ? "F32" : "BF16";
      files[shard].add(hf_name(tensor.name), dtype,
                       json(std::vector(tensor.dims.rbegin(), tensor.dims.rend())),
                       {static_cast<const char*>(tensor.view.data), tensor.view.bytes()});
      map[hf_name(tensor.name)] = fmt::format("part-{}.safetensors", shard);
    }
    if (shards == 0) {
      write("model.safetensors", files[0].bytes(padding));
    } else {
      for (std::size_t i = 0; i < files.size(); ++i) {
        write(fmt::format("part-{}.safetensors", i), files[i].bytes(padding));
      }
      write("model.safetensors.index.json", json{{"metadata", json::object()}, {"weight_map", map}}.dump());
    }
  }
  void write(const std::string& name, const std::string& bytes) const {
    write_bytes(path + "/" + name, bytes);
  }
  /// The sentence of loading with one field of config.json changed (null: removed).
  std::string with(const std::string& key, const json& value) const {
    json config = tiny_config();
    config[key] = value;
    if (value == json("(absent)")) config.erase(key);
    write("config.json", config.dump());
    return sentence();
  }
  std::string sentence() const {
    return sentence_of([&] { load_model(path); });
  }
};

}  // namespace

TEST_CASE("a handmade safetensors file is read tensor by tensor") {
  const std::string path = write_bytes(scratch_file("safetensors_test.safetensors"), small_file());
  const auto file = SafeTensors::open_file(path);
  CHECK(file->tensors().size() == 4);
  const SafeTensor* a = file->find("a");
  REQUIRE(a != nullptr);
  CHECK(a->view.rows == 2);
  CHECK(a->view.cols == 3);
  CHECK(a->view.dtype == DType::f32);
  CHECK(a->shape == std::vector<std::int64_t>{2, 3});
  CHECK(static_cast<const char*>(file->find("b")->view.data)[7] == '\1');
  CHECK(file->find("c")->view.empty());  // a format without use here may be in a file
  CHECK(file->find("d")->view.size() == 1);
  CHECK(file->find("absent") == nullptr);
}

TEST_CASE("wrong headers are named") {
  CHECK_THAT(open_sentence("short"), Contains("only 5 bytes"));
  CHECK_THAT(open_sentence(Bytes().u64(~std::uint64_t{0}).zeros(8).data),
             Contains("claims 18446744073709551615"));
  CHECK_THAT(open_sentence(Bytes().u64(9).zeros(8).data), Contains("at most 8"));
  CHECK_THAT(open_sentence(file_of("{\"a\": ", "")), Contains("no valid JSON"));
  CHECK_THAT(open_sentence(file_of("[]", "")), Contains("must begin with '{'"));
  CHECK_THAT(open_sentence(file_of(" {}", "")), Contains("must begin with '{'"));
  CHECK_THAT(open_sentence(file_of(std::string("{}\0x", 4), "")), Contains("byte of value 0"));
  CHECK_THAT(open_sentence(file_of("{\"a\":" + std::string(100000, '['), "")), Contains("no valid JSON"));
  CHECK_THAT(open_sentence(file_of("{\"a\": 1}", "")), Contains("'a'"));
  CHECK_THAT(open_sentence(file_of("{\"a\": {\"dtype\": \"F32\", \"dtype\": \"F16\"}}", "")),
             Contains("'dtype' appears twice"));
}

TEST_CASE("wrong tensors are named") {
  const auto one = [](const json& description, std::size_t data = 16) {
    return open_sentence(file_of(json{{"t", description}}.dump(), std::string(data, '\0')));
  };
  CHECK(one(entry("F32", {4}, 0, 16)).empty());
  CHECK(one(entry("F32", {2, 2}, 0, 16)).empty());
  CHECK_THAT(one(entry("F33", {4}, 0, 16)),
             (Contains("unknown data type 'F33'") && Contains("F32, F16, BF16")));
  CHECK_THAT(one(entry("F32", {5}, 0, 16)), Contains("need 20 bytes, 'data_offsets' give 16"));
  CHECK_THAT(one(entry("F32", {4}, 0, 17), 17), Contains("need 16 bytes"));
  CHECK_THAT(one(entry("F32", {5}, 0, 20)), Contains("within the 16 bytes"));
  CHECK_THAT(one(entry("F32", {0}, 16, 0)), Contains("within the 16 bytes"));
  CHECK_THAT(one(entry("F32", {-4}, 0, 16)), Contains("no integer"));
  CHECK_THAT(one(entry("F32", {4.0}, 0, 16)), Contains("no integer"));
  CHECK_THAT(one(entry("F32", "4", 0, 16)), Contains("'shape' is missing or no list"));
  CHECK_THAT(one(entry("F32", {std::uint64_t{1} << 62, 16}, 0, 16)), Contains("overflows"));
  CHECK_THAT(one(entry("F32", {1, 1, 1, 1, 1, 1, 1, 1, 4}, 0, 16)), Contains("9 dimensions"));
  CHECK_THAT(one(entry("F32", {4}, 0, 16), 20), Contains("end at byte 16 of the data, but there are 20"));
  CHECK_THAT(one(json{{"dtype", "F32"}, {"shape", {4}}}), Contains("'data_offsets' is missing"));
  CHECK_THAT(one(json{{"shape", {4}}, {"data_offsets", {0, 16}}}), Contains("'dtype' is missing"));
  CHECK_THAT(one(json{{"dtype", "F32"}, {"shape", {4}}, {"data_offsets", {0, 8, 16}}}),
             Contains("3 elements instead of 2"));

  const auto two = [](std::uint64_t begin, std::uint64_t end) {
    const json header = {{"a", entry("F32", {2}, 0, 8)},
                         {"b", entry("F32", {(end - begin) / 4}, begin, end)}};
    return open_sentence(file_of(header.dump(), std::string(end, '\0')));
  };
  CHECK(two(8, 16).empty());
  CHECK_THAT(two(4, 16), Contains("without overlap or hole"));
  CHECK_THAT(two(12, 16), Contains("without overlap or hole"));
}

TEST_CASE("a safetensors file cut off at any byte is refused; bit flips never crash the reader") {
  const std::string bytes = small_file();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    INFO("length " << length);
    REQUIRE_FALSE(open_sentence(bytes.substr(0, length)).empty());
  }
  const std::string path = scratch_file("safetensors_test_flips.safetensors");
  Rng rng(99);
  int refused = 0;
  constexpr int kFiles = 5000;
  for (int i = 0; i < kFiles; ++i) {
    write_bytes(path, flip_bits(bytes, rng, bytes.size()));
    refused += survives([&] { SafeTensors::open_file(path); });
  }
  CHECK(refused > kFiles / 10);
  CHECK(refused < kFiles);
}

TEST_CASE("a Hugging Face folder loads, in one file and in shards") {
  for (const int shards : {0, 1, 3}) {
    INFO("shards " << shards);
    const Folder folder("safetensors_test_hf", shards);
    const Model model = load_model(folder.path);
    CHECK(model.config.architecture == "llama");
    CHECK(model.config.name == "safetensors_test_hf");
    CHECK(model.config.rope_pairs == RopePairs::half);
    CHECK(model.config.head_dim == 16);
    CHECK(model.config.kv_heads == 2);
    CHECK_FALSE(model.config.tied_embeddings);
    CHECK(model.tokenizer->vocab_size() == 256);
    const auto gguf = Gguf::open(folder.path + "/source.gguf");
    const Tensor& expected = gguf->find_tensor("blk.2.ffn_down.weight")->view;
    const Tensor& got = model.weights.layers[2].down.weight;
    CHECK(got.rows == 96);
    CHECK(got.cols == 160);
    CHECK(std::memcmp(got.data, expected.data, expected.bytes()) == 0);
  }
}

TEST_CASE("tensors at odd addresses are copied and counted; aligned ones are not") {
  std::size_t copied = 0;
  std::size_t aligned = 0;
  for (std::size_t padding = 0; padding < 4; ++padding) {
    const Folder folder("safetensors_test_odd", 0, padding);
    const Model model = load_model(folder.path);
    CHECK((model.converted_bytes == 0 || model.converted_bytes == model.weights.bytes()));
    (model.converted_bytes == 0 ? aligned : copied) += 1;
    const auto gguf = Gguf::open(folder.path + "/source.gguf");
    const Tensor& expected = gguf->find_tensor("output_norm.weight")->view;
    CHECK(std::memcmp(model.weights.output_norm.weight.data, expected.data, expected.bytes()) == 0);
  }
  CHECK(aligned == 1);
  CHECK(copied == 3);
}

TEST_CASE("bfloat16 folders are used as they lie") {
  const Folder folder("safetensors_test_bf16", 2, 0, DType::bf16);
  const Model model = load_model(folder.path);
  CHECK(model.weights.layers[0].q.weight.dtype == DType::bf16);
  CHECK(model.weights.layers[0].attn_norm.weight.dtype == DType::f32);
}

TEST_CASE("what is wrong with a folder is named") {
  const Folder folder("safetensors_test_bad", 2);
  CHECK(folder.sentence().empty());
  CHECK_THAT(folder.with("model_type", "gemma9"),
             (Contains("'gemma9' is not supported") && Contains("llama")));
  CHECK_THAT(folder.with("model_type", "(absent)"), Contains("'model_type' is missing"));
  CHECK_THAT(folder.with("rope_scaling", {{"rope_type", "magic"}, {"factor", 8.0}}),
             (Contains("'magic'") && Contains("llama3")));
  CHECK_THAT(folder.with("rope_scaling", {{"type", "longrope"}, {"short_factor", {1.0, 2.0}}}),
             Contains("'long_factor' must be a list"));
  CHECK_THAT(folder.with("rope_scaling", {{"type", "linear"}, {"factor", 0.0}}),
             Contains("scaling factor is 0"));
  CHECK(folder.with("rope_scaling", {{"type", "linear"}, {"factor", 2.0}}).empty());
  CHECK(folder.with("rope_parameters", {{"rope_type", "default"}, {"rope_theta", 5000.0}}).empty());
  CHECK_THAT(folder.with("attention_bias", true), Contains("q_proj.bias' is missing"));
  CHECK_THAT(folder.with("mlp_bias", true), Contains("gate_proj.bias' is missing"));
  CHECK_THAT(folder.with("hidden_act", "relu6"), Contains("'relu6'"));
  CHECK_THAT(folder.with("quantization_config", json::object()),
             Contains("('quantization_config') are supported as FP8 only"));
  CHECK_THAT(folder.with("hidden_size", "96"), Contains("'hidden_size' is \"96\", expected an integer"));
  CHECK_THAT(folder.with("hidden_size", -96), Contains("expected an integer"));
  CHECK_THAT(folder.with("hidden_size", 4294967392), Contains("expected an integer"));
  CHECK_THAT(folder.with("hidden_size", 48), Contains("has shape [300, 96], expected [300, 48]"));
  CHECK_THAT(folder.with("vocab_size", "(absent)"), Contains("has shape [300, 96], expected [32000, 96]"));
  CHECK_THAT(folder.with("num_attention_heads", 0), Contains("heads is 0"));
  CHECK_THAT(folder.with("num_hidden_layers", 1000000), Contains("layers"));
  CHECK_THAT(folder.with("rope_theta", json::array()), Contains("expected a number"));
  folder.write("config.json", "{\"model_type\": ");
  CHECK_THAT(folder.sentence(), Contains("no valid JSON"));
  folder.write("config.json", "");
  CHECK_THAT(folder.sentence(), Contains("is empty"));
  folder.write("config.json", "[1]");
  CHECK_THAT(folder.sentence(), Contains("expected a JSON object"));
  folder.write("config.json", tiny_config().dump());

  // The file's own output matrix is used, whatever config.json says: transformers ties only what is missing.
  json tied = tiny_config();
  tied["tie_word_embeddings"] = true;
  folder.write("config.json", tied.dump());
  const Model model = load_model(folder.path);
  CHECK(model.weights.output.data != model.weights.token_embedding.data);
  folder.write("config.json", tiny_config().dump());

  fs::remove(folder.path + "/part-1.safetensors");
  CHECK_THAT(folder.sentence(), Contains("shard part-1.safetensors is missing"));
  folder.write("model.safetensors.index.json", R"({"weight_map": {"a": "../../etc/passwd"}})");
  CHECK_THAT(folder.sentence(), Contains("without folders"));
  folder.write("model.safetensors.index.json", R"({"weight_map": {"no.such.tensor": "part-0.safetensors"}})");
  CHECK_THAT(folder.sentence(), Contains("'no.such.tensor' is not in its shard"));
  folder.write("model.safetensors.index.json", R"({"weight_map": 3})");
  CHECK_THAT(folder.sentence(), Contains("'weight_map' is missing"));
  fs::remove(folder.path + "/model.safetensors.index.json");
  CHECK_THAT(folder.sentence(), Contains("neither model.safetensors nor"));
  fs::remove(folder.path + "/config.json");
  CHECK_THAT(folder.sentence(), Contains("has no config.json"));
}

TEST_CASE("weights in a format without use are named") {
  const Folder folder("safetensors_test_dtype");
  FileBuilder file;
  file.add("model.embed_tokens.weight", "I64", {300, 96}, std::string(300 * 96 * 8, '\0'));
  folder.write("model.safetensors", file.bytes());
  CHECK_THAT(folder.sentence(), Contains("'model.embed_tokens.weight' is stored as I64"));
}
