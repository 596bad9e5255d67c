// Mixtral as Hugging Face folders have it: what is refused, and what a conversion writes.
// That the logits stay is checked by engine/parity_test.cpp; GGUF's refusals are in load_model_test.cpp.

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "convert/convert.hpp"
#include "files/gguf.hpp"
#include "files/safetensors.hpp"
#include "files/safetensors_writer.hpp"
#include "model/model.hpp"
#include "testing/catch.hpp"
#include "testing/damage.hpp"

using namespace rung;
using namespace rung::testing;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

const std::string kMixtral = "common/model/parity/models/mixtral";

/// A copy of the small Mixtral with other values in its config.json; null takes a key out.
std::string with_config(const Json& changes) {
  const std::string folder = scratch_file("mixtral_test");
  fs::remove_all(folder);
  fs::copy(source_file(kMixtral), folder);
  std::ifstream in(folder + "/config.json");
  Json config = Json::parse(in);
  for (const auto& [key, value] : changes.items()) {
    if (value.is_null()) {
      config.erase(key);
    } else {
      config[key] = value;
    }
  }
  std::ofstream(folder + "/config.json") << config.dump();
  return folder;
}

/// A copy with tensors renamed; an empty name takes one out.
std::string with_names(const std::map<std::string, std::string>& rename,
                       const Json& changes = Json::object()) {
  const std::string folder = with_config(changes);
  const auto files = SafeTensors::open_file(source_file(kMixtral) + "/model.safetensors");
  SafeTensorsWriter writer(folder + "/model.safetensors");
  std::vector<const SafeTensor*> kept;
  for (const auto& [name, tensor] : files->tensors()) {
    const auto at = rename.find(name);
    if (at != rename.end() && at->second.empty()) continue;
    writer.declare_tensor(at == rename.end() ? name : at->second, tensor.shape, tensor.view.dtype);
    kept.push_back(&tensor);
  }
  for (const SafeTensor* tensor : kept)
    writer.append({static_cast<const std::byte*>(tensor->view.data), tensor->view.bytes()});
  writer.finish();
  return folder;
}

std::string load_sentence(const std::string& path) {
  return sentence_of([&] { load_model(path); });
}

}  // namespace

TEST_CASE("config.json says how many experts, or transformers' defaults hold") {
  const ModelConfig c =
      load_model(with_config({{"num_local_experts", nullptr}, {"num_experts_per_tok", nullptr}})).config;
  CHECK(c.architecture == "llama");
  CHECK(c.experts == 8);
  CHECK(c.experts_per_token == 2);
  CHECK(c.normalize_expert_weights);
  CHECK(load_model(with_config({{"num_experts_per_tok", 8}})).config.experts_per_token == 8);
  CHECK(load_model(with_config({{"rope_theta", nullptr}})).config.rope.theta == 1e6f);
}

TEST_CASE("a Mixtral that cannot be is refused by what is wrong with it") {
  const std::vector<std::pair<Json, std::string>> cases = {
      {{{"num_local_experts", 0}}, "experts (of a layer) is 0"},
      {{{"num_local_experts", 2000000000}}, "experts (of a layer) is 2000000000"},
      {{{"num_local_experts", -1}}, "'num_local_experts' is -1"},
      {{{"num_local_experts", "eight"}}, "'num_local_experts' is \"eight\""},
      {{{"num_experts_per_tok", 9}}, "experts_per_token is 9; 1 to 8"},
      {{{"num_experts_per_tok", 0}}, "experts_per_token is 0"},
      {{{"num_local_experts", 7}}, "block_sparse_moe.gate.weight' has shape [8, 48], expected [7, 48]"},
      {{{"intermediate_size", 19}}, "experts.0.w1.weight' has shape [18, 48], expected [19, 48]"},
  };
  for (const auto& [changes, expected] : cases) {
    INFO(changes.dump());
    CHECK_THAT(load_sentence(with_config(changes)), Contains(expected));
  }
  const std::string block = "model.layers.3.block_sparse_moe.";
  CHECK_THAT(load_sentence(with_names({{block + "experts.5.w2.weight", ""}})),
             (Contains(block + "experts.5.w2.weight' is missing") && Contains("[48, 18]")));
  CHECK_THAT(load_sentence(with_names({{block + "gate.weight", ""}})),
             Contains(block + "gate.weight' is missing"));
  CHECK_THAT(load_sentence(with_names({{"model.norm.weight", "x"}})),
             Contains("'model.norm.weight' is missing"));
}

TEST_CASE("an expert that the configuration does not count has no place") {
  const std::string name = "model.layers.3.block_sparse_moe.experts.8.w1.weight";
  // The output matrix's numbers: with tied embeddings nobody misses them.
  const std::string folder = with_names({{"lm_head.weight", name}}, {{"tie_word_embeddings", true}});
  CHECK_THAT(load_sentence(folder), Contains("'" + name + "' has no place"));
}

TEST_CASE("GGUF gets the experts of a layer as one tensor and the router as f32; a folder gets them back") {
  const std::string gguf_path = scratch_file("mixtral_test.gguf"), folder = scratch_file("mixtral_back");
  const auto original = SafeTensors::open_file(source_file(kMixtral) + "/model.safetensors");
  convert_to_gguf(source_file(kMixtral), gguf_path, {});
  const auto gguf = Gguf::open(gguf_path);
  CHECK(gguf->get_string("general.architecture") == "llama");
  CHECK(gguf->get_u64("llama.expert_count") == 8);
  CHECK(gguf->get_u64("llama.expert_used_count") == 2);
  CHECK(gguf->find_tensor("blk.4.ffn_gate_inp.weight")->view.dtype == DType::f32);
  CHECK(gguf->find_tensor("blk.4.ffn_gate.weight") == nullptr);
  // w1 is gate, w3 up, w2 down; expert 6 is the seventh matrix.
  for (const auto& [stack, part, rows] :
       {std::tuple{"gate", "w1", 18}, {"up", "w3", 18}, {"down", "w2", 48}}) {
    const GgufTensor* all = gguf->find_tensor(fmt::format("blk.4.ffn_{}_exps.weight", stack));
    REQUIRE(all != nullptr);
    CHECK(all->dims == std::vector<std::int64_t>{rows == 18 ? 48 : 18, rows, 8});
    const Tensor one = all->view.row_slice(6 * rows, rows);
    const Tensor& same =
        original->find(fmt::format("model.layers.4.block_sparse_moe.experts.6.{}.weight", part))->view;
    REQUIRE(one.bytes() == same.bytes());
    CHECK(std::memcmp(one.data, same.data, one.bytes()) == 0);
  }
  fs::remove_all(folder);
  const ConvertResult result = convert_to_hf(gguf_path, folder, DType::bf16);
  CHECK(result.tensors == static_cast<int>(original->tensors().size()));
  const auto back = SafeTensors::open_file(folder + "/model.safetensors");
  for (const auto& [name, tensor] : original->tensors()) {
    INFO(name);
    REQUIRE(back->find(name) != nullptr);
    CHECK(back->find(name)->shape == tensor.shape);
    if (name.find("q_proj") == std::string::npos && tensor.view.dtype == back->find(name)->view.dtype)
      CHECK(std::memcmp(back->find(name)->view.data, tensor.view.data, tensor.view.bytes()) == 0);
  }
  std::ifstream in(folder + "/config.json");
  const Json config = Json::parse(in);
  CHECK(config["model_type"] == "mixtral");
  CHECK(config["architectures"][0] == "MixtralForCausalLM");
  CHECK(config["num_local_experts"] == 8);
  CHECK(config["num_experts_per_tok"] == 2);
}

TEST_CASE("expert weights that do not add up to 1 are said in GGUF and nowhere else") {
  const std::string plain = scratch_file("mixtral_plain.gguf"), shares = scratch_file("mixtral_shares.gguf");
  convert_to_gguf(source_file(kMixtral), plain, {});
  const auto gguf = Gguf::open(plain);
  GgufWriter writer(shares);
  for (const GgufEntry& entry : gguf->entries()) writer.add_entry(entry);
  writer.add_bool("llama.expert_weights_norm", false);
  for (const GgufTensor& t : gguf->tensors()) writer.declare_tensor(t.name, t.dims, t.view.dtype);
  for (const GgufTensor& t : gguf->tensors())
    writer.append({static_cast<const std::byte*>(t.view.data), t.view.bytes()});
  writer.finish();
  CHECK_FALSE(load_model(shares).config.normalize_expert_weights);
  const std::string again = scratch_file("mixtral_again.gguf");
  convert_to_gguf(shares, again, {});
  CHECK_FALSE(load_model(again).config.normalize_expert_weights);
  CHECK_THAT(sentence_of([&] { convert_to_hf(shares, scratch_file("mixtral_back"), {}); }),
             Contains("do not add up to 1"));
}
