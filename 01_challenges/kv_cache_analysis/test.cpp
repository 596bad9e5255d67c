// Every rung against the counting oracle, against figures that others published, and against files.

#include <algorithm>
#include <filesystem>

#include "convert/synth.hpp"
#include "files/gguf_writer.hpp"
#include "kv_plan.hpp"
#include "testing/damage.hpp"
#include "testing/topic_test.hpp"

using namespace rung;
using namespace rung::kv_cache_analysis;

namespace {

const Ladder<KvPlanner>& ladder() { return testing::ladder_of<KvPlanner, register_rungs>(); }

KvPlan plan(const KvPlanConfig& config, std::vector<std::int32_t> lengths) {
  return ladder().make("auto", config)->plan(lengths);
}

KvPlanConfig published(const char* name, DType type = DType::f16) {
  KvPlanConfig config;
  config.shape = named_kv_shape(name);
  config.type = type;
  return config;
}

std::uint64_t per_token(const char* name, DType type = DType::f16) {
  return plan(published(name, type), {1}).per_token;
}

KvShape config_json(const std::string& text) { return kv_shape_from_config(text, "config.json"); }

}  // namespace

TEST_CASE("every rung gives the oracle's plan") {
  testing::judge_all(testing::registry_of<register_rungs>(), "kv_plan");
}

// Numbers that stand in papers, not numbers that we computed.
TEST_CASE("bytes per token are the published ones") {
  CHECK(per_token("opt-13b") == 800 * 1024);      // "800 KB", Kwon et al. 2023 (2309.06180), section 3
  CHECK(per_token("llama-2-7b") == 512 * 1024);   // 2 * 32 * 32 * 128 * 2
  CHECK(per_token("llama-3-8b") == 128 * 1024);   // 2 * 32 * 8 * 128 * 2
  CHECK(per_token("deepseek-v3") == 70'272);      // table 1 of Zhao et al. 2025 (2505.09343)
  CHECK(per_token("qwen2.5-72b") == 327'680);     // the same table
  CHECK(per_token("qwen3-8b") == 144 * 1024);     // 2 * 36 * 8 * 128 * 2
  CHECK(per_token("llama-3.1-405b") == 516'096);  // the same table
  CHECK(per_token("llama-3-8b", DType::f32) == 256 * 1024);
  CHECK(per_token("llama-3-8b", DType::q8_0) == 128 * 1024 / 32 * 17);  // 34 bytes for 32 numbers

  // DeepSeek-V2 (2405.04434): 93.3 % less than DeepSeek 67B (95 layers, 8 KV heads of 128), with the latent
  // stored in 6 bits instead of 16.
  const double v1 = 2.0 * 95 * 8 * 128 * 2;
  const double saved = 1 - static_cast<double>(per_token("deepseek-v2")) * 6 / 16 / v1;
  CHECK(saved == Approx(0.933).margin(0.0005));
}

TEST_CASE("a window stops the growth") {
  // Mistral 7B (2310.06825), section 2: at 32k tokens the rolling buffer saves 8x.
  const KvPlanConfig mistral = published("mistral-7b-v0.1");
  CHECK(plan(mistral, {32768}).used * 8 == std::uint64_t{32768} * 128 * 1024);
  CHECK(plan(mistral, {4096}).used == std::uint64_t{4096} * 128 * 1024);
  CHECK(plan(mistral, {4097}).used == plan(mistral, {4096}).used);
  // Gemma 2 9B: of 42 layers every second one has the window. 8192 tokens in 21 layers, 4096 in the others.
  const std::uint64_t layer = 2 * 8 * 256 * 2;
  CHECK(plan(published("gemma-2-9b"), {8192}).used == 21 * (8192 + 4096) * layer);
  // Gemma 3 27B: 62 layers, of which the 6th, 12th, ... 60th look at everything.
  const std::uint64_t wide = 2 * 16 * 128 * 2;
  CHECK(plan(published("gemma-3-27b"), {131072}).used == (10 * 131072 + std::uint64_t{52} * 1024) * wide);
}

TEST_CASE("waste: memory reserved ahead, and blocks that are not full") {
  KvPlanConfig config = published("llama-3-8b");
  config.reserve = 8192;
  CHECK(plan(config, {2048}).taken == 4 * plan(config, {2048}).used);
  config.reserve = 0;
  config.block_tokens = 16;
  CHECK(plan(config, {17}).taken == 32 * plan(config, {17}).per_token);
  CHECK(plan(config, {32}).taken == plan(config, {32}).used);
  config.budget = 24'000'000'000;
  CHECK(plan(config, {8192}).batch == 22);  // 24e9 / 1 GiB = 22.35
  config.shape.layers[3].window = 4;        // tokens 14 .. 17 lie in two blocks, 13 .. 16 as well
  CHECK(plan(config, {18}).taken - plan(config, {18}).used ==
        std::uint64_t{31} * 14 * 4096 + std::uint64_t{28} * 4096);
}

TEST_CASE("config.json of many families, read by the fields that matter") {
  const KvShape v3 =
      config_json(R"({"model_type": "deepseek_v3", "num_hidden_layers": 61, "hidden_size": 7168,
    "num_attention_heads": 128, "num_key_value_heads": 128, "kv_lora_rank": 512, "qk_rope_head_dim": 64,
    "qk_nope_head_dim": 128, "v_head_dim": 128, "max_position_embeddings": 163840, "rope_scaling": {"type": "yarn"}})");
  CHECK(v3.layers == named_kv_shape("deepseek-v3").layers);
  CHECK(v3.kind() == "MLA");
  CHECK(v3.context_length == 163840);

  const KvShape gpt2 =
      config_json(R"({"model_type": "gpt2", "n_layer": 12, "n_head": 12, "n_embd": 768, "n_ctx": 1024})");
  CHECK(gpt2.elements_per_token() == 2 * 12 * 768);
  CHECK(gpt2.kind() == "MHA");

  const KvShape falcon =
      config_json(R"({"model_type": "falcon", "num_hidden_layers": 32, "num_attention_heads": 71,
    "hidden_size": 4544, "multi_query": true})");
  CHECK(falcon.layers == named_kv_shape("falcon-7b").layers);
  CHECK(falcon.kind() == "MQA");
  const KvShape falcon_40b =
      config_json(R"({"model_type": "falcon", "num_hidden_layers": 60, "num_kv_heads": 8,
    "num_attention_heads": 128, "hidden_size": 8192, "multi_query": true, "new_decoder_architecture": true})");
  CHECK(falcon_40b.elements_per_token() == 60 * 2 * 8 * 64);

  const KvShape gemma2 =
      config_json(R"({"model_type": "gemma2", "num_hidden_layers": 42, "num_attention_heads": 16,
    "num_key_value_heads": 8, "head_dim": 256, "hidden_size": 3584, "sliding_window": 4096})");
  CHECK(gemma2.layers == named_kv_shape("gemma-2-9b").layers);
  const KvShape gemma3 = config_json(R"({"model_type": "gemma3", "vision_config": {"num_hidden_layers": 27},
    "text_config": {"model_type": "gemma3_text", "num_hidden_layers": 62, "num_attention_heads": 32,
    "num_key_value_heads": 16, "head_dim": 128, "hidden_size": 5376, "sliding_window": 1024,
    "sliding_window_pattern": 6}})");
  CHECK(gemma3.layers == named_kv_shape("gemma-3-27b").layers);
  const KvShape typed =
      config_json(R"({"model_type": "gpt_oss", "num_hidden_layers": 3, "num_attention_heads": 8,
    "num_key_value_heads": 2, "head_dim": 64, "sliding_window": 128,
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]})");
  CHECK(typed.layers[0].window == 128);
  CHECK(typed.layers[1].window == 0);

  const std::string qwen = R"({"model_type": "qwen2", "num_hidden_layers": 28, "num_attention_heads": 28,
    "num_key_value_heads": 4, "hidden_size": 3584, "sliding_window": 32768, "max_window_layers": 20)";
  CHECK(config_json(qwen + R"(, "use_sliding_window": false})").uniform());
  const KvShape windowed = config_json(qwen + R"(, "use_sliding_window": true})");
  CHECK(windowed.layers[19].window == 0);
  CHECK(windowed.layers[20].window == 32768);
  CHECK(config_json(R"({"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 64,
                        "sliding_window": null, "num_key_value_heads": null})")
            .elements_per_token() == 256);
}

TEST_CASE(
    "config.json: layers that keep nothing, share, or have heads of their own are not counted like the "
    "rest") {
  const auto kept = [](const std::string& fields) {
    const KvShape shape =
        config_json(R"({"num_hidden_layers": 8, "num_attention_heads": 4, "head_dim": 16,)" + fields + "}");
    std::string letters;
    for (const KvLayer& layer : shape.layers)
      letters += layer.elements() == 0 ? '-' : layer.window > 0 ? 'w' : 'F';
    return letters;
  };
  CHECK(kept(R"("layer_types": ["linear_attention", "full_attention", "mamba", "attention", "conv",
                "sliding_attention", "moe", "mlp"], "sliding_window": 5)") == "-F-F-w--");
  CHECK(kept(R"("full_attention_interval": 4)") == "---F---F");                    // Qwen3-Next
  CHECK(kept(R"("attn_layer_period": 8, "attn_layer_offset": 4)") == "----F---");  // Jamba
  CHECK(kept(R"("attn_layer_indices": [0, 5])") == "F----F--");                    // Bamba
  CHECK(kept(R"("attn_type_list": [0, 0, 0, 1, 0, 0, 0, 1])") == "---F---F");      // MiniMax-Text-01
  CHECK(kept(R"("hybrid_override_pattern": "M-M*-M-*")") == "---F---F");           // Nemotron-H
  CHECK(kept(R"("block_types": ["recurrent", "recurrent", "attention"], "attention_window_size": 9)") ==
        "--w--w--");                                          // RecurrentGemma
  CHECK(kept(R"("num_kv_shared_layers": 3)") == "FFFFF---");  // Gemma 3n
  CHECK(kept(R"("model_type": "gpt_oss", "sliding_window": 128)") == "wFwFwFwF");
  CHECK(kept(R"("model_type": "llama4_text", "attention_chunk_size": 128)") == "wwwFwwwF");

  // Gemma 4: heads of 32 where everything is seen, of 16 elsewhere; the published fields, and transformers'.
  const std::string gemma4 =
      R"({"model_type": "gemma4_text", "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "sliding_window": 8,
    "layer_types": ["sliding_attention", "full_attention"], )";
  const KvLayer narrow{2, 16, 16, 0, 0, 8};
  const KvShape published = config_json(
      gemma4 + R"("global_head_dim": 32, "num_global_key_value_heads": 1, "attention_k_eq_v": true})");
  CHECK(published.layers == std::vector<KvLayer>{narrow, {1, 32, 32, 0, 0, 0}});
  CHECK(config_json(gemma4 + R"("per_layer_config": {"1": {"head_dim": 32, "num_key_value_heads": 1}}})")
            .layers == published.layers);

  const KvShape mimo = config_json(R"({"model_type": "mimo_v2_flash", "num_hidden_layers": 2,
    "num_attention_heads": 64, "num_key_value_heads": 4, "head_dim": 192, "v_head_dim": 128, "sliding_window": 128,
    "hybrid_layer_pattern": [0, 1], "swa_num_key_value_heads": 8, "swa_head_dim": 192, "swa_v_head_dim": 128})");
  CHECK(mimo.layers == std::vector<KvLayer>{{4, 192, 128, 0, 0, 0}, {8, 192, 128, 0, 0, 128}});
  const KvShape nemotron = config_json(R"({"model_type": "nemotron_h", "num_attention_heads": 32,
    "num_key_value_heads": 8, "head_dim": 128, "layers_block_type": ["mamba", "moe", "attention", "mlp"]})");
  CHECK(nemotron.elements_per_token() == 2 * 8 * 128);
  const KvShape zamba2 = config_json(R"({"model_type": "zamba2", "num_hidden_layers": 2, "hidden_size": 64,
    "num_attention_heads": 4, "attention_head_dim": 32, "layers_block_type": ["mamba", "hybrid"]})");
  CHECK(zamba2.elements_per_token() == 2 * 4 * 32);

  const KvShape dbrx = config_json(R"({"model_type": "dbrx", "n_layers": 40, "n_heads": 48, "d_model": 6144,
    "attn_config": {"kv_n_heads": 8}})");
  CHECK(dbrx.elements_per_token() == 40 * 2 * 8 * 128);
  const KvShape longcat = config_json(R"({"model_type": "longcat_flash", "num_layers": 28,
    "num_attention_heads": 64, "kv_lora_rank": 512, "qk_rope_head_dim": 64})");
  CHECK(longcat.elements_per_token() == 2 * 28 * 576);
}

TEST_CASE("what a config.json lacks or overdoes is said in a sentence") {
  using testing::sentence_of;
  const auto refused = [](const std::string& text, const std::string& part) {
    const std::string sentence = sentence_of([&] { config_json(text); });
    INFO(text << " -> " << sentence);
    CHECK(sentence.find(part) != std::string::npos);
  };
  refused("[]", "expected a JSON object");
  refused("{}", "'num_hidden_layers' is missing");
  refused(R"({"num_hidden_layers": 4})", "'num_attention_heads' is missing");
  refused(R"({"num_hidden_layers": 4, "num_attention_heads": 0})", "'num_attention_heads' is missing");
  refused(R"({"num_hidden_layers": 4, "num_attention_heads": 4})", "'hidden_size' is missing");
  refused(R"({"num_hidden_layers": -1})", "expected an integer from 0");
  refused(R"({"num_hidden_layers": 1e99})", "expected an integer from 0");
  refused(R"({"num_hidden_layers": 99999999})", "expected an integer from 0");
  refused(R"({"num_hidden_layers": 9999999})", "1 to 16384 are possible");
  refused(R"({"num_hidden_layers": 2, "kv_lora_rank": 512})", "'qk_rope_head_dim' is missing");
  refused(R"({"num_hidden_layers": 2, "num_attention_heads": 8, "hidden_size": 4})", "head_dim is missing");
  refused(R"({"num_hidden_layers": 2, "num_attention_heads": 9999999, "head_dim": 9999999})",
          "numbers per token");
  refused(R"({"num_hidden_layers": 2, "num_attention_heads": 2, "head_dim": 8, "sliding_window": 4,
              "layer_types": ["full_attention"]})",
          "'layer_types' has 1 elements for 2 layers");
  const auto refused_with = [&](const std::string& fields, const std::string& part) {
    refused(R"({"num_hidden_layers": 2, "num_attention_heads": 2, "head_dim": 8, )" + fields + "}", part);
  };
  refused_with(R"("layer_types": ["full_attention", "telepathy"])", "'telepathy'");
  refused_with(R"("layer_types": ["full_attention", 7])", "no string");
  refused_with(R"("attn_type_list": [1])", "'attn_type_list' is no list of 2 numbers");
  refused_with(R"("hybrid_override_pattern": "M*M")", "3 letters for 2 layers");
  refused_with(R"("block_types": [])", "'block_types' is no list");
  refused_with(R"("per_layer_config": {"2": {"head_dim": 8}})", "an entry '2' for 2 layers");
  refused_with(R"("attn_type_list": [0, 0])", "no layer keeps keys or values");
  refused_with(R"("index_head_dim": 128)", "keys of an index");
}

TEST_CASE("GGUF metadata: latents, heads per layer, windows; the engine need not know the architecture") {
  const std::string path = testing::scratch_file("kv_shape.gguf");
  const float tensor[32] = {};
  const auto write = [&](const std::string& arch, const auto& add) {
    std::filesystem::remove(path);
    GgufWriter writer(path);
    writer.add_string("general.architecture", arch);
    add(writer);
    const std::int64_t dims[] = {32};
    writer.declare_tensor("token_embd.weight", dims, DType::f32);
    writer.append(std::as_bytes(std::span(tensor)));
    writer.finish();
    return read_kv_shape(path);
  };
  const KvShape v2 = write("deepseek2", [](GgufWriter& w) {
    w.add_u32("deepseek2.block_count", 60);
    w.add_u32("deepseek2.attention.head_count", 128);
    w.add_u32("deepseek2.attention.kv_lora_rank", 512);
    w.add_u32("deepseek2.rope.dimension_count", 64);
  });
  CHECK(v2.layers == named_kv_shape("deepseek-v2").layers);
  CHECK(v2.weight_bytes == sizeof tensor);

  const KvShape gemma = write("gemma3", [](GgufWriter& w) {
    w.add_u32("gemma3.block_count", 62);
    w.add_u32("gemma3.attention.head_count", 32);
    w.add_u32("gemma3.attention.head_count_kv", 16);
    w.add_u32("gemma3.attention.key_length", 128);
    w.add_u32("gemma3.attention.value_length", 128);
    w.add_u32("gemma3.attention.sliding_window", 1024);
  });
  CHECK(gemma.layers == named_kv_shape("gemma-3-27b").layers);

  const KvShape next = write("qwen3next", [](GgufWriter& w) {
    w.add_u32("qwen3next.block_count", 48);
    w.add_u32("qwen3next.attention.head_count", 16);
    w.add_u32("qwen3next.attention.head_count_kv", 2);
    w.add_u32("qwen3next.attention.key_length", 256);
    w.add_u32("qwen3next.attention.value_length", 256);
  });
  CHECK(next.elements_per_token() == 12 * 2 * 2 * 256);
  CHECK(next.layers[2].elements() == 0);
  CHECK(next.layers[3].elements() == 1024);
  const KvShape gemma4 = write("gemma4", [](GgufWriter& w) {
    w.add_u32("gemma4.block_count", 6);
    w.add_u32("gemma4.attention.head_count", 8);
    w.add_u32("gemma4.attention.head_count_kv", 2);
    w.add_u32("gemma4.attention.key_length", 512);
    w.add_u32("gemma4.attention.value_length", 512);
    w.add_u32("gemma4.attention.key_length_swa", 256);
    w.add_u32("gemma4.attention.value_length_swa", 256);
    w.add_u32("gemma4.attention.sliding_window", 1024);
    w.add_u32("gemma4.attention.sliding_window_pattern", 3);
    w.add_u32("gemma4.attention.shared_kv_layers", 1);
  });
  CHECK(gemma4.layers[1] == KvLayer{2, 256, 256, 0, 0, 1024});
  CHECK(gemma4.layers[2] == KvLayer{2, 512, 512, 0, 0, 0});
  CHECK(gemma4.layers[5].elements() == 0);
  CHECK(testing::sentence_of([&] {
          write("deepseek2", [](GgufWriter& w) {
            w.add_u32("deepseek2.block_count", 2);
            w.add_u32("deepseek2.attention.indexer.key_length", 128);
          });
        }).find("keys of an index") != std::string::npos);

  const std::vector<std::int32_t> heads = {4, 0, 2};
  const KvShape hybrid = write("lfm2", [&](GgufWriter& w) {
    w.add_u32("lfm2.block_count", 3);
    w.add_u32("lfm2.embedding_length", 64);
    w.add_u32("lfm2.attention.head_count", 8);
    w.add_i32_array("lfm2.attention.head_count_kv", heads);
  });
  CHECK(hybrid.elements_per_token() == (4 + 0 + 2) * 2 * 8);
  CHECK(testing::sentence_of([&] {
          write("lfm2", [&](GgufWriter& w) {
            w.add_u32("lfm2.block_count", 4);
            w.add_i32_array("lfm2.attention.head_count_kv", heads);
          });
        }).find("3 elements for 4 layers") != std::string::npos);
  CHECK(testing::sentence_of([&] { write("llama", [](GgufWriter&) {}); }).find("llama.block_count") !=
        std::string::npos);
}

TEST_CASE("a synthesised file has the shape it was asked for") {
  const std::string path = testing::scratch_file("kv_shape_synth.gguf");
  synth(path, "test-tiny", DType::f16, 1, 1);
  const KvShape shape = read_kv_shape(path);
  CHECK(shape.layers == named_kv_shape("test-tiny").layers);
  CHECK(shape.context_length == 256);
  // The named shape counts 16 bits for every weight; in the file the norms have 32.
  const double norms = 2.0 * 96 * (2 * 3 + 1);
  CHECK(static_cast<double>(shape.weight_bytes) ==
        Approx(static_cast<double>(named_kv_shape("test-tiny").weight_bytes) + norms).epsilon(1e-9));
}

TEST_CASE("what cannot be planned is said in a sentence") {
  using testing::sentence_of;
  const auto refused = [](const KvPlanConfig& config, std::vector<std::int32_t> lengths,
                          const std::string& part) {
    const std::string sentence = sentence_of([&] { plan(config, std::move(lengths)); });
    INFO(sentence);
    CHECK(sentence.find(part) != std::string::npos);
  };
  KvPlanConfig config = published("llama-3-8b");
  refused(config, {-1}, "a sequence of -1 tokens");
  refused(config, {kMaxPlanTokens + 1}, "cannot be planned");
  config.reserve = 10;
  refused(config, {11}, "which is what was reserved");
  config.block_tokens = 2;
  refused(config, {1}, "set one of the two");
  config = published("llama-3-8b");
  config.block_tokens = 0;
  refused(config, {1}, "blocks of 0 tokens");
  config = published("llama-3-8b");
  config.reserve = kMaxPlanTokens;
  refused(config, std::vector<std::int32_t>(200'000, 1), "64-bit");
  config = published("llama-3-8b", DType::i32);
  refused(config, {1}, "keys and values cannot have the format");
  config = published("llama-3-8b", DType::q4_0);
  config.shape.layers[1].key_dim = 40;
  refused(config, {1}, "blocks of 32 numbers");
  config = published("deepseek-v3");
  CHECK(sentence_of([&] { ladder().make("paper", config); }).find("does not support") != std::string::npos);
  CHECK_THROWS_AS(named_kv_shape("llama-4-9000b"), UsageError);
}
