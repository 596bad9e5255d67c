// Names -> rungs, and the small class that turns a plain function into a rung.

#include <bit>
#include <cmath>
#include <utility>
#include <vector>

#include "attention.hpp"
#include "exercise.hpp"
#include "trials.hpp"

namespace rung::attention {
namespace {

/// A rung that is a function: plan() finds every token's keys, run() calls it.
class FunctionAttention : public Attention {
 public:
  using Function = void (*)(const Call&);

  /// writes_lse: the function writes the log-sum-exp where it is asked for.
  FunctionAttention(Function function, bool writes_lse, const AttentionConfig& config)
      : function_(function),
        writes_lse_(writes_lse),
        config_(config),
        floats_(static_cast<std::size_t>(config.threads * Call::scratch_floats(config))),
        scratch_(config.place, "attention",
                 floats_ * sizeof(float) + table_entries(config) * sizeof(std::int32_t)) {
    plan_.reserve(static_cast<std::size_t>(config.max_tokens));
  }

  void plan(const Batch& batch) override {
    plan_tokens(config_, batch, plan_);
    blocks_ = batch.block_table.data();
  }

  using Attention::run;
  void run(const Tensor& q, const KvView& kv, const Tensor& out, const Tensor& lse) override {
    check_view(config_, kv);
    auto* floats = static_cast<float*>(scratch_.data());
    auto* tables = reinterpret_cast<std::int32_t*>(floats + floats_);
    const Call call{config_, plan_, blocks_, q, kv, out, lse, {floats, floats_}, tables};
    function_(call);
    if (!lse.empty() && !writes_lse_) log_sum_exp(call);
  }

  std::size_t scratch_bytes() const override {
    return own_bytes(config_, scratch_) + plan_.capacity() * sizeof(TokenPlan);
  }

 private:
  Function function_;
  bool writes_lse_;
  AttentionConfig config_;
  std::vector<TokenPlan> plan_;
  const std::int32_t* blocks_ = nullptr;  // of the step's batch
  std::size_t floats_;                    // of the scratch memory; block tables of nodes of trees follow them
  ScratchMemory scratch_;
};

Rung<Attention> function_rung(RungInfo info, FunctionAttention::Function function) {
  const bool writes_lse = !info.exercise;
  return {std::move(info),
          [function, writes_lse](const AttentionConfig& config) {
            check_config(config);
            return std::make_unique<FunctionAttention>(function, writes_lse, config);
          },
          reads_kv};
}

bool tiles_fit(const AttentionConfig& config) { return reads_kv(config) && config.head_dim % 4 == 0; }

}  // namespace

void check_config(const AttentionConfig& c) {
  if (c.kv_heads < 1 || c.heads < c.kv_heads || c.heads % c.kv_heads != 0 || c.head_dim < 1) {
    fail("{} cannot be: heads must be a positive multiple of KV heads; check the model's configuration",
         c.describe());
  }
  // Written so that NaN fails too.
  if (c.window < 0 || !(c.softcap >= 0 && std::isfinite(c.softcap)) || !std::isfinite(c.scale)) {
    fail(
        "{} with scale {} cannot be: window and soft cap are positive, or 0 for none, and scale is a finite "
        "number; check the model's configuration",
        c.describe(), c.scale);
  }
  if (c.threads < 1 || c.max_context < 1) {
    fail("attention needs at least one thread and a context of at least one token, but has {} and {}",
         c.threads, c.max_context);
  }
  if (c.max_tokens < 0) fail("attention for at most {} rows cannot be; use 0 for any number", c.max_tokens);
}

bool reads_kv(const AttentionConfig& config) {
  switch (config.kv_dtype) {
    case DType::f32:
    case DType::f16:
    case DType::bf16:
    case DType::f8_e4m3:
    case DType::q8_0:
    case DType::mxfp8:
      return config.head_dim % traits(config.kv_dtype).block_elements == 0;
    default:
      return false;
  }
}

void check_view(const AttentionConfig& config, const KvView& kv) {
  if (kv.keys.dtype != config.kv_dtype || kv.values.dtype != config.kv_dtype) {
    fail("attention was built for keys and values in {}, but the cache has {}; give both the same --kv-type",
         traits(config.kv_dtype).name, traits(kv.keys.dtype).name);
  }
  if (!kv.contiguous && !std::has_single_bit(static_cast<std::uint32_t>(kv.block_size))) {
    fail(
        "attention reads blocks of 1, 2, 4, 8, ... slots, but the cache has blocks of {}; choose another "
        "--block-size",
        kv.block_size);
  }
}

std::size_t table_entries(const AttentionConfig& config) {
  return static_cast<std::size_t>(config.threads) * static_cast<std::size_t>(config.max_context);
}

std::size_t own_bytes(const AttentionConfig& config, const ScratchMemory& memory) {
  return config.place.scratch == nullptr ? memory.bytes() : 0;
}

void plan_tokens(const AttentionConfig& config, const Batch& batch, std::vector<TokenPlan>& plan) {
  check_trees(batch);
  std::int64_t rows = 0;
  for (const BatchSequence& s : batch.sequences) rows += s.query_count;
  if (config.max_tokens > 0 && rows > config.max_tokens) {
    fail("a step of {} rows exceeds the {} that attention was built for; raise the limit of rows per step",
         rows, config.max_tokens);
  }
  plan.clear();
  for (const BatchSequence& s : batch.sequences) {
    if (s.context_length > config.max_context) {
      fail("a sequence of {} tokens exceeds the {} that attention was built for; raise --ctx",
           s.context_length, config.max_context);
    }
    for (std::int32_t j = 0; j < s.query_count; ++j) {
      plan.push_back({s.table_begin, s.context_length - s.query_count + j + 1});
    }
    const int base = s.context_length - s.drafts;
    for (std::size_t token = plan.size() - static_cast<std::size_t>(s.drafts); token < plan.size(); ++token) {
      const std::uint64_t mask = batch.ancestors_of(token);
      if (mask != 0) plan[token] = {s.table_begin, base + std::popcount(mask), base, mask};
    }
  }
}

void register_rungs(Registry& registry) {
  Ladder<Attention>& ladder = registry.ladder<Attention>();
  ladder.add(function_rung(
      {"naive", "03_techniques/attention/naive.cpp", "the formula, one row of scores at a time"}, naive));
  ladder.add(function_rung({"online_softmax", "03_techniques/attention/online_softmax.cpp",
                            "one pass: a running maximum and sum instead of stored scores"},
                           online_softmax));
  ladder.add({{"flash", "03_techniques/attention/flash.cpp",
               "tiles that stay in cache, shared by the heads of a group; vector instructions"},
              [](const AttentionConfig& config) {
                check_config(config);
                return make_flash(config, 0);
              },
              tiles_fit});
  ladder.add({{"split_kv", "03_techniques/attention/split_kv.cpp",
               "flash, but all threads share the keys of one long sequence"},
              [](const AttentionConfig& config) {
                check_config(config);
                return make_split_kv(config);
              },
              tiles_fit});
  ladder.add(
      function_rung({"mine", "03_techniques/attention/mine.cpp", "yours to write", /*exercise=*/true}, mine));
  ladder.make_trials = [&ladder] { return trials(ladder); };
  ladder.make_steps = steps;
}

}  // namespace rung::attention
