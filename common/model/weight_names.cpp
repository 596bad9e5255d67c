#include "model/weight_names.hpp"

namespace rung {
namespace {

std::int64_t one(const ModelConfig&) { return 1; }
std::int64_t dim(const ModelConfig& c) { return c.dim; }
std::int64_t experts(const ModelConfig& c) { return c.experts; }
std::int64_t ffn(const ModelConfig& c) { return c.ffn_dim; }
std::int64_t query(const ModelConfig& c) { return std::int64_t{c.heads} * c.head_dim; }
std::int64_t key(const ModelConfig& c) { return std::int64_t{c.kv_heads} * c.head_dim; }
bool whole(const ModelConfig& c) { return c.family != nullptr && c.family->whole_qk_norm; }
std::int64_t query_norm(const ModelConfig& c) { return whole(c) ? query(c) : c.head_dim; }
std::int64_t key_norm(const ModelConfig& c) { return whole(c) ? key(c) : c.head_dim; }

using L = LayerWeights;
constexpr const char* kNone = nullptr;

constexpr std::array<LayerRole, kRoles> kLayerRoles = {{
    {Role::attn_norm,
     &L::attn_norm,
     true,
     "blk.{}.attn_norm",
     {"layers.{}.input_layernorm", "layers.{}.input_layernorm", "h.{}.ln_1"},
     one,
     dim},
    {Role::q,
     &L::q,
     false,
     "blk.{}.attn_q",
     {"layers.{}.self_attn.q_proj", "layers.{}.self_attn.q_proj", kNone},
     query,
     dim},
    {Role::k,
     &L::k,
     false,
     "blk.{}.attn_k",
     {"layers.{}.self_attn.k_proj", "layers.{}.self_attn.k_proj", kNone},
     key,
     dim},
    {Role::v,
     &L::v,
     false,
     "blk.{}.attn_v",
     {"layers.{}.self_attn.v_proj", "layers.{}.self_attn.v_proj", kNone},
     key,
     dim},
    {Role::q_norm,
     &L::q_norm,
     true,
     "blk.{}.attn_q_norm",
     {"layers.{}.self_attn.q_norm", "layers.{}.self_attn.q_norm", kNone},
     one,
     query_norm},
    {Role::k_norm,
     &L::k_norm,
     true,
     "blk.{}.attn_k_norm",
     {"layers.{}.self_attn.k_norm", "layers.{}.self_attn.k_norm", kNone},
     one,
     key_norm},
    {Role::attn_out,
     &L::attn_out,
     false,
     "blk.{}.attn_output",
     {"layers.{}.self_attn.o_proj", "layers.{}.self_attn.o_proj", "h.{}.attn.c_proj"},
     dim,
     query},
    {Role::attn_post_norm,
     &L::attn_post_norm,
     true,
     "blk.{}.post_attention_norm",
     {kNone, "layers.{}.post_attention_layernorm", kNone},
     one,
     dim},
    {Role::ffn_norm,
     &L::ffn_norm,
     true,
     "blk.{}.ffn_norm",
     {"layers.{}.post_attention_layernorm", "layers.{}.pre_feedforward_layernorm", "h.{}.ln_2"},
     one,
     dim},
    {Role::router,
     &L::router,
     false,
     "blk.{}.ffn_gate_inp",
     {"layers.{}.block_sparse_moe.gate", kNone, kNone},
     experts,
     dim},
    {Role::gate,
     &L::gate,
     false,
     "blk.{}.ffn_gate",
     {"layers.{}.mlp.gate_proj", "layers.{}.mlp.gate_proj", kNone},
     ffn,
     dim},
    {Role::up,
     &L::up,
     false,
     "blk.{}.ffn_up",
     {"layers.{}.mlp.up_proj", "layers.{}.mlp.up_proj", "h.{}.mlp.c_fc"},
     ffn,
     dim},
    {Role::down,
     &L::down,
     false,
     "blk.{}.ffn_down",
     {"layers.{}.mlp.down_proj", "layers.{}.mlp.down_proj", "h.{}.mlp.c_proj"},
     dim,
     ffn},
    {Role::ffn_post_norm,
     &L::ffn_post_norm,
     true,
     "blk.{}.post_ffw_norm",
     {kNone, "layers.{}.post_feedforward_layernorm", kNone},
     one,
     dim},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kLayerRoles.size(); ++i) {
    if (static_cast<std::size_t>(kLayerRoles[i].role) != i) return false;
  }
  return true;
}
static_assert(in_order(), "kLayerRoles must stand in the order of Role");

struct FusedName {
  const char* gguf;
  std::array<const char*, 3> hugging_face;
};
constexpr FusedName kFusedQkv = {"blk.{}.attn_qkv",
                                 {"layers.{}.self_attn.qkv_proj", kNone, "h.{}.attn.c_attn"}};
constexpr FusedName kFusedGateUp = {"blk.{}.ffn_up", {"layers.{}.mlp.gate_up_proj", kNone, kNone}};

// Mixtral's w1, w2, w3 are gate, down, up.
using E = ExpertWeights;
constexpr std::array<ExpertName, 3> kExpertNames = {{
    {&E::gate, "blk.{}.ffn_gate_exps", "blk.{}.ffn_gate.{}", "layers.{}.block_sparse_moe.experts.{}.w1", ffn,
     dim},
    {&E::up, "blk.{}.ffn_up_exps", "blk.{}.ffn_up.{}", "layers.{}.block_sparse_moe.experts.{}.w3", ffn, dim},
    {&E::down, "blk.{}.ffn_down_exps", "blk.{}.ffn_down.{}", "layers.{}.block_sparse_moe.experts.{}.w2", dim,
     ffn},
}};

constexpr TopNames kGgufTop = {"token_embd", "position_embd", "output_norm", "output"};
constexpr TopNames kHfTop = {"embed_tokens", "", "norm", "lm_head"};
constexpr TopNames kHfGpt2Top = {"wte", "wpe", "ln_f", "lm_head"};

}  // namespace

const std::array<LayerRole, kRoles>& layer_roles() { return kLayerRoles; }

StoredName stored_name(const LayerRole& role, const Family& family) {
  const auto names = static_cast<std::size_t>(family.hf_names);
  if (family.fused_qkv && Roles::of({Role::q, Role::k, Role::v}).has(role.role))
    return {kFusedQkv.gguf, kFusedQkv.hugging_face[names]};
  if (family.fused_gate_up && Roles::of({Role::gate, Role::up}).has(role.role))
    return {kFusedGateUp.gguf, kFusedGateUp.hugging_face[names]};
  return {role.gguf, role.hf_name(family.hf_names)};
}

const std::array<ExpertName, 3>& expert_names() { return kExpertNames; }
const TopNames& gguf_top_names() { return kGgufTop; }
const TopNames& hf_top_names(HfNames names) { return names == HfNames::gpt2 ? kHfGpt2Top : kHfTop; }

}  // namespace rung
