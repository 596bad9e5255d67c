// Names -> rungs, and the small class that makes a rung out of a plain function.

#include <cmath>
#include <utility>
#include <vector>

#include "attention.hpp"
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
        scratch_(static_cast<std::size_t>(config.threads * Call::scratch_floats(config))) {}

  void plan(const Batch& batch) override {
    plan_tokens(config_, batch, plan_);
    blocks_ = batch.block_table.data();
  }

  using Attention::run;
  void run(const Tensor& q, const KvView& kv, const Tensor& out, const Tensor& lse) override {
    check_view(config_, kv);
    const Call call{config_, plan_, blocks_, q, kv, out, lse, scratch_};
    function_(call);
    if (!lse.empty() && !writes_lse_) log_sum_exp(call);
  }

 private:
  Function function_;
  bool writes_lse_;
  AttentionConfig config_;
  std::vector<TokenPlan> plan_;
  const std::int32_t* blocks_ = nullptr;  // of the step's batch
  std::vector<float> scratch_;
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

void plan_tokens(const AttentionConfig& config, const Batch& batch, std::vector<TokenPlan>& plan) {
  plan.clear();
  for (const BatchSequence& s : batch.sequences) {
    if (s.context_length > config.max_context) {
      fail("a sequence of {} tokens exceeds the {} that attention was built for; raise --ctx",
           s.context_length, config.max_context);
    }
    for (std::int32_t j = 0; j < s.query_count; ++j) {
      plan.push_back({s.table_begin, s.context_length - s.query_count + j + 1});
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
               "flash, and the keys of one long sequence shared among the threads"},
              [](const AttentionConfig& config) {
                check_config(config);
                return make_split_kv(config);
              },
              tiles_fit});
  ladder.add(
      function_rung({"mine", "03_techniques/attention/mine.cpp", "yours to write", /*exercise=*/true}, mine));
  ladder.make_trials = [&ladder] { return trials(ladder); };
}

}  // namespace rung::attention
