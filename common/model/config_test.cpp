// Configurations are read as the class of their family reads them: its defaults, its fields and no others.
// What cannot be said in another format is refused. Values: transformers 5.24 and llama.cpp's
// llama-model.cpp.

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "convert/config_write.hpp"
#include "core/error.hpp"
#include "files/gguf.hpp"
#include "model/families.hpp"
#include "model/hf_classes.hpp"
#include "testing/catch.hpp"

using namespace rung;
using testing::contains;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

ModelConfig read(const Json& config, bool has_output = false) {
  const std::string folder = testing::scratch_file("config_test");
  fs::create_directories(folder);
  std::ofstream(folder + "/config.json") << config;
  return config_from_hf(folder, has_output);
}

/// A small model of a family, all that is not about its size left to the defaults.
Json small(const std::string& type) {
  if (type == "gpt2") {
    return {{"model_type", type}, {"vocab_size", 100}, {"n_embd", 64}, {"n_layer", 8}, {"n_head", 4}};
  }
  return {{"model_type", type},       {"vocab_size", 100},
          {"hidden_size", 64},        {"num_hidden_layers", 8},
          {"num_attention_heads", 4}, {"num_key_value_heads", 2},
          {"intermediate_size", 128}, {"max_position_embeddings", 4096}};
}

Json with(Json config, const Json& more) {
  config.update(more);
  return config;
}

/// As the metadata of a GGUF file, with `add` for further keys, and read again.
template <class Add>
ModelConfig through_gguf(const ModelConfig& config, Add add) {
  const std::string path = testing::scratch_file("config_test.gguf");
  GgufWriter writer(path);
  write_config_gguf(config, "test", writer);
  add(writer);
  const std::int64_t dims[] = {config.dim, config.vocab_size};
  writer.declare_tensor("token_embd.weight", dims, DType::f32);
  writer.append(std::vector<std::byte>(static_cast<std::size_t>(config.dim * config.vocab_size) * 4));
  writer.finish();
  return config_from_gguf(*Gguf::open(path));
}
ModelConfig through_gguf(const ModelConfig& config) {
  return through_gguf(config, [](GgufWriter&) {});
}

std::vector<std::string> types() {
  std::vector<std::string> names;
  for (const Family& family : families()) names.emplace_back(family.hf_name);
  return names;
}

}  // namespace

TEST_CASE("where a key is absent, the family's class decides") {
  struct Row {
    const char* type;
    double eps, theta;
    int context;
  };
  const Row rows[] = {
      {"llama", 1e-6, 1e4, 2048},    {"mistral", 1e-6, 1e4, 131072}, {"mixtral", 1e-5, 1e6, 131072},
      {"smollm3", 1e-6, 2e6, 32768}, {"granite", 1e-6, 1e4, 2048},   {"qwen2", 1e-6, 1e4, 32768},
      {"qwen3", 1e-6, 1e4, 32768},   {"phi3", 1e-5, 1e4, 4096},      {"gemma", 1e-6, 1e4, 8192},
      {"gemma2", 1e-6, 1e4, 8192},   {"gemma3", 1e-6, 1e6, 131072},  {"gemma3_text", 1e-6, 1e6, 131072},
      {"olmo2", 1e-5, 1e4, 2048},    {"stablelm", 1e-5, 1e4, 4096},  {"gpt2", 1e-5, 1e4, 1024}};
  CHECK(std::size(rows) == families().size());
  for (const Row& row : rows) {
    INFO(row.type);
    Json config = small(row.type);
    config.erase("max_position_embeddings");
    const ModelConfig read_config = read(config);
    CHECK(read_config.norm_eps == static_cast<float>(row.eps));
    CHECK(read_config.rope.theta == static_cast<float>(row.theta));
    CHECK(read_config.context_length == row.context);
  }
  CHECK(read({{"model_type", "gpt2"}}).dim == 768);
  CHECK(read({{"model_type", "phi3"}}).ffn_dim == 8192);
  Json heads = small("qwen3");
  CHECK(read(heads).head_dim == 128);
  CHECK(read(with(heads, {{"head_dim", 16}})).head_dim == 16);
  heads.erase("num_key_value_heads");
  heads["num_attention_heads"] = 32;
  CHECK(read(heads).kv_heads == 32);
  heads["model_type"] = "mistral";
  CHECK(read(heads).kv_heads == 8);
  heads["num_key_value_heads"] = nullptr;
  CHECK(read(heads).kv_heads == 32);
}

TEST_CASE("a key that the family's class does not have changes nothing") {
  const Json stray[] = {
      {{"use_sliding_window", false}, {"sliding_window", 64}, {"max_window_layers", 2}},
      {{"layer_types", {"sliding_attention", "full_attention"}}, {"sliding_window_pattern", 3}},
      {{"partial_rotary_factor", 0.5}},
      {{"attn_logit_softcapping", 30.0}, {"final_logit_softcapping", 20.0}},
      {{"query_pre_attn_scalar", 100}},
      {{"embedding_multiplier", 3.0}, {"logits_scaling", 2.0}},
      {{"no_rope_layers", {0, 0, 0, 0, 0, 0, 0, 0}}, {"rope_local_base_freq", 500.0}},
      {{"qk_layernorm", true}, {"use_parallel_residual", true}},
      {{"use_bidirectional_attention", true}},
      {{"scale_attn_weights", false}, {"add_cross_attention", true}},
      {{"hidden_activation", "relu"}, {"activation_function", "relu"}},
      {{"sliding_window", "wide"}, {"max_window_layers", -1}}};
  const auto reads = [](const HfClass& c, const std::string& key) {
    using Window = HfClass::Window;
    const std::string_view type = c.model_type;
    const bool gemma23 = type == "gemma2" || type == "gemma3_text";
    if (key == "sliding_window") return c.window != Window::none;
    if (key == "use_sliding_window") return c.window == Window::qwen || c.window == Window::smollm3;
    if (key == "max_window_layers") return c.window == Window::qwen;
    if (key == "layer_types") return c.window != Window::none && c.window != Window::every_layer;
    if (key == "sliding_window_pattern" || key == "rope_local_base_freq") return type == "gemma3_text";
    if (key == "partial_rotary_factor") return c.partial_rotary != 0;
    if (key == "attn_logit_softcapping") return type == "gemma2";
    if (key == "final_logit_softcapping" || key == "query_pre_attn_scalar" || key == "hidden_activation")
      return gemma23;
    if (key == "embedding_multiplier" || key == "logits_scaling") return type == "granite";
    if (key == "no_rope_layers") return type == "smollm3";
    if (key == "qk_layernorm" || key == "use_parallel_residual") return type == "stablelm";
    if (key == "use_bidirectional_attention") return type.starts_with("gemma");
    return type == "gpt2";
  };
  int tried = 0;
  for (const std::string& type : types()) {
    const ModelConfig plain = read(small(type));
    for (const Json& keys : stray) {
      Json config = small(type);
      for (const auto& [key, value] : keys.items()) {
        if (!reads(hf_class(type), key)) config[key] = value;
      }
      INFO(type << " " << config.dump());
      CHECK(config_difference(read(config), plain).empty());
      tried += config.size() != small(type).size();
    }
  }
  CHECK(tried > 130);
}

TEST_CASE("windows: every layer, by a list, by a rule, or none") {
  const auto windows = [](const ModelConfig& config) {
    std::string text;
    for (const LayerAttention& layer : config.layer_attention) text += layer.window != 0 ? 'w' : '.';
    return text;
  };
  const Json window = {{"sliding_window", 64}};
  CHECK(windows(read(with(small("llama"), window))) == "........");
  for (const char* type : {"mistral", "mixtral", "phi3"}) {
    CHECK(windows(read(with(small(type), window))) == "wwwwwwww");
    CHECK(windows(read(with(small(type), {{"sliding_window", 64}, {"use_sliding_window", false}}))) ==
          "wwwwwwww");
    CHECK(windows(read(with(small(type), {{"sliding_window", nullptr}}))) == "........");
  }
  Json longer = small("mistral");
  longer["max_position_embeddings"] = 8192;
  CHECK(windows(read(longer)) == "wwwwwwww");  // its class has 4096
  longer["model_type"] = "mixtral";
  CHECK(windows(read(longer)) == "........");
  CHECK(windows(read(with(small("gemma2"), window))) == "w.w.w.w.");
  CHECK(windows(read(with(small("gemma3_text"), window))) == "wwwww.ww");
  CHECK(windows(read(with(small("gemma3_text"), {{"sliding_window", 64}, {"sliding_window_pattern", 3}}))) ==
        "ww.ww.ww");
  CHECK(windows(read(with(small("qwen2"), window))) == "........");
  CHECK(
      windows(read(with(small("qwen2"),
                        {{"sliding_window", 64}, {"use_sliding_window", true}, {"max_window_layers", 6}}))) ==
      "......ww");
  CHECK(windows(read(with(small("smollm3"), {{"sliding_window", 64}, {"use_sliding_window", true}}))) ==
        "...w...w");
  CHECK_THROWS_WITH(read(with(small("gemma3_text"), {{"sliding_window_pattern", 0}})),
                    contains("at least 1"));
  CHECK_THROWS_WITH(read(with(small("smollm3"), {{"no_rope_layer_interval", 0}})), contains("at least 1"));
}

TEST_CASE("partial rotation counts in float64, as the reference does") {
  struct Row {
    int head;
    double part;
    int rotated;
  };
  for (const Row& row :
       {Row{20, 0.7, 14}, Row{20, 0.9, 18}, Row{80, 0.35, 28}, Row{64, 0.75, 48}, Row{20, 0.55, 11}}) {
    for (const char* type : {"stablelm", "phi3"}) {
      Json config = with(small(type), {{"hidden_size", 4 * row.head}, {"partial_rotary_factor", row.part}});
      INFO(type << " " << row.head << " * " << row.part << " = " << row.head * row.part);
      const int expected = static_cast<int>(row.head * row.part);
      if (expected % 2 != 0) continue;  // rotated in pairs
      CHECK(expected == row.rotated);
      CHECK(read(config).rotary_dim == row.rotated);
      // In the object of RoPE parameters it wins.
      config["rope_parameters"] = {{"rope_type", "default"}, {"partial_rotary_factor", 1.0}};
      CHECK(read(config).rotary_dim == row.head);
    }
  }
  CHECK(read(small("stablelm")).rotary_dim == 4);
  CHECK_THROWS_WITH(read(with(small("llama"), {{"partial_rotary_factor", 0.5},
                                               {"rope_scaling", {{"type", "linear"}, {"factor", 2.0}}}})),
                    contains("rotate whole heads"));
}

TEST_CASE("rope_scaling wins over rope_parameters, and YaRN reaches beyond max_position_embeddings") {
  const Json yarn = {{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 4096}};
  const ModelConfig both = read(with(
      small("qwen2"), {{"rope_parameters", {{"rope_type", "linear"}, {"factor", 2.0}, {"rope_theta", 5e5}}},
                       {"rope_scaling", yarn}}));
  CHECK(both.rope.scaling == RopeScaling::yarn);
  CHECK(both.rope.theta == 10000.0f);
  CHECK(both.context_length == 16384);  // max_position_embeddings says 4096
  CHECK(both.rope.original_context == 4096);
  CHECK(through_gguf(both).context_length == 16384);
  const ModelConfig null =
      read(with(small("qwen2"), {{"rope_parameters", {{"rope_type", "linear"}, {"factor", 2.0}}},
                                 {"rope_scaling", nullptr}}));
  CHECK(null.rope.scaling == RopeScaling::linear);
  const ModelConfig gemma3 =
      read(with(small("gemma3_text"), {{"rope_scaling", {{"rope_type", "linear"}, {"factor", 8.0}}}}));
  CHECK(gemma3.rope.scaling == RopeScaling::linear);
  CHECK(gemma3.rope_local.scaling == RopeScaling::none);
}

TEST_CASE("what does not generate text, and what the class cannot do, is refused by name") {
  for (const std::string& type : types()) {
    INFO(type);
    CHECK_THROWS_WITH(read(with(small(type), {{"is_causal", false}})), contains("'is_causal'"));
  }
  CHECK_THROWS_WITH(read(with(small("stablelm"), {{"qk_layernorm", true}})), contains("'qk_layernorm'"));
  CHECK_THROWS_WITH(read(with(small("stablelm"), {{"use_parallel_residual", true}})),
                    contains("'use_parallel_residual'"));
  CHECK_THROWS_WITH(read(with(small("gemma"), {{"use_bidirectional_attention", true}})),
                    contains("bidirectional"));
  CHECK_THROWS_WITH(
      read(with(small("qwen2"), {{"layer_types", std::vector<std::string>(8, "linear_attention")}})),
      contains("linear_attention"));
  CHECK_THROWS_WITH(read(with(small("gpt2"), {{"scale_attn_weights", false}})),
                    contains("'scale_attn_weights'"));
}

TEST_CASE("an output matrix in the file is used; activations as the class means them") {
  const Json tied = with(small("llama"), {{"tie_word_embeddings", true}});
  CHECK(read(tied, false).tied_embeddings);
  CHECK_FALSE(read(tied, true).tied_embeddings);
  CHECK_FALSE(read(with(small("gemma"), {{"tie_word_embeddings", true}}), true).tied_embeddings);
  CHECK(read(small("gemma")).tied_embeddings);
  CHECK(read(with(small("gemma"), {{"hidden_act", "gelu"}})).activation == Activation::gelu_tanh);
  CHECK(read(with(small("gemma"), {{"hidden_act", "silu"}})).activation == Activation::silu);
  CHECK(read(with(small("gemma2"), {{"hidden_act", "silu"}})).activation == Activation::gelu_tanh);
  CHECK(read(with(small("gemma2"), {{"hidden_activation", "gelu"}})).activation == Activation::gelu_erf);
}

TEST_CASE("GGUF: keys that nobody asked for are named, or refused where they change the mathematics") {
  const ModelConfig llama = read(small("llama"));
  CHECK(through_gguf(llama).notes.empty());
  CHECK(config_difference(through_gguf(llama), llama).empty());
  const auto refused = [&](const char* key, auto add) {
    INFO(key);
    CHECK_THROWS_WITH(through_gguf(llama, add), contains(key));
  };
  for (const char* key :
       {"llama.attention.clamp_kqv", "llama.attention.max_alibi_bias", "llama.attention.temperature_scale",
        "llama.expert_weights_scale", "llama.ssm.conv_kernel", "llama.router_logit_softcapping"}) {
    refused(key, [&](GgufWriter& w) { w.add_f32(key, 8.0f); });
    CHECK(through_gguf(llama, [&](GgufWriter& w) { w.add_f32(key, 0.0f); }).notes.empty());
  }
  for (const char* key :
       {"llama.nextn_predict_layers", "llama.interleave_moe_layer_step", "llama.pooling_type"})
    refused(key, [&](GgufWriter& w) { w.add_u32(key, 2); });
  refused("llama.attention.causal", [](GgufWriter& w) { w.add_bool("llama.attention.causal", false); });
  refused("llama.rope.dimension_sections", [](GgufWriter& w) {
    w.add_i32_array("llama.rope.dimension_sections", std::vector<std::int32_t>{8, 12, 12, 0});
  });
  CHECK(through_gguf(llama, [](GgufWriter& w) {
          w.add_u32("llama.interleave_moe_layer_step", 1);
          w.add_bool("llama.rope.scaling.finetuned", true);
          w.add_bool("llama.attention.causal", true);
          w.add_f32("qwen2.attention.clamp_kqv", 8.0f);  // of another architecture
        }).notes.empty());
  const auto notes = through_gguf(llama, [](GgufWriter& w) { w.add_string("llama.made_up", "words"); }).notes;
  REQUIRE(notes.size() == 1);
  CHECK(contains("metadata 'llama.made_up' (words) is not known").match(notes[0]));
}

TEST_CASE("GGUF: OLMo 3 goes by the name of OLMo 2, and its layers with a window have the plain RoPE") {
  Json json = with(small("olmo2"),
                   {{"rope_theta", 5e5},
                    {"rope_scaling",
                     {{"rope_type", "yarn"}, {"factor", 8.0}, {"original_max_position_embeddings", 512}}}});
  const ModelConfig olmo3 =
      through_gguf(read(json), [](GgufWriter& w) { w.add_u32("olmo2.attention.sliding_window", 128); });
  CHECK(olmo3.rope.scaling == RopeScaling::yarn);
  CHECK(olmo3.rope_local.scaling == RopeScaling::none);
  CHECK(olmo3.rope_local.theta == 5e5f);
  for (std::size_t i = 0; i < 8; ++i) {
    INFO("layer " << i);
    CHECK((olmo3.layer_attention[i].window == 128) == (i % 4 != 3));
    CHECK((olmo3.layer_attention[i].rope == LayerAttention::Rope::local) == (i % 4 != 3));
  }
  for (const LayerAttention& layer : through_gguf(read(json)).layer_attention) {
    CHECK(layer.window == 0);
    CHECK(layer.rope == LayerAttention::Rope::global);
  }
}

TEST_CASE("what GGUF's metadata cannot say shows when it is read back") {
  for (const std::string& type : types()) {
    INFO(type);
    const ModelConfig plain = read(small(type));
    CHECK(config_difference(through_gguf(plain), plain).empty());
  }
  const auto difference = [](const Json& json) {
    const ModelConfig config = read(json);
    return config_difference(through_gguf(config), config);
  };
  const Json window = {{"sliding_window", 64}};
  CHECK(difference(with(small("gemma3_text"), window)).empty());
  Json full = small("gemma3_text");
  full["layer_types"] = std::vector<std::string>(8, "full_attention");
  CHECK(contains("the RoPE of layer 0").match(difference(full)));
  Json scaled = with(small("gemma3_text"), window);
  scaled["rope_parameters"] = {
      {"full_attention", {{"rope_type", "default"}, {"rope_theta", 1e6}}},
      {"sliding_attention", {{"rope_type", "linear"}, {"factor", 4.0}, {"rope_theta", 1e4}}}};
  CHECK(contains("the windows' RoPE").match(difference(scaled)));
  for (const auto& [type, layers] : {std::pair{"gemma2", 46}, std::pair{"gemma3_text", 62}}) {
    INFO(type);
    Json deep =
        with(small(type), {{"num_hidden_layers", layers}, {"head_dim", 32}, {"query_pre_attn_scalar", 32}});
    CHECK(contains("attention_scale").match(difference(deep)));
    deep["query_pre_attn_scalar"] = 16;  // dim / heads, as the large models have it
    CHECK(difference(deep).empty());
  }
}
