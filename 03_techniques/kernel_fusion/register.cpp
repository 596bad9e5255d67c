// The ladder `fusion`: its rungs, each with a summary of one line, bottom rung first.

#include "kernel_fusion.hpp"

namespace rung::kernel_fusion {
namespace {

constexpr const char* kFolder = "03_techniques/kernel_fusion/";

/// The learner's add and norm; the rest is `gate_up`.
class Mine final : public GateUp {
 public:
  using GateUp::GateUp;

  void replace(Ops& ops) const override {
    GateUp::replace(ops);
    ops.fuses_add_norm = fuses_add_norm;
    ops.add_norm = [plain = ops.add_norm, threads = config_.threads](
                       const Tensor& y, float scale, const Tensor& x, const Norm& norm, const Tensor& to) {
      if (!fuses_add_norm(norm)) return plain(y, scale, x, norm, to);
      mine(y, scale, x, norm.weight, norm.eps, to, threads);
      return to;
    };
  }
};

bool host_memory(const FusionConfig& config) { return config.tile != nullptr; }

template <class Class>
std::unique_ptr<Fusion> make(const FusionConfig& config) {
  return std::make_unique<Class>(config);
}

}  // namespace

void register_rungs(Registry& registry) {
  Ladder<Fusion>& ladder = registry.ladder<Fusion>();
  const Ladder<Linear>& linear = registry.ladder<Linear>();
  const auto add = [&](const char* name, const char* summary, auto make_rung, auto supports,
                       bool exercise = false) {
    ladder.add({{name, fmt::format("{}{}.cpp", kFolder, name), summary, exercise}, make_rung, supports});
  };
  const std::function<bool(const FusionConfig&)> always;
  add("none", "every operation separately", make<NoFusion>, always);
  add("qkv", "q, k and v in one parallel loop", make<Qkv>, host_memory);
  add("gate_up", "gate, up and the activation in one loop, tile by tile", make<GateUp>, host_memory);
  add("add_norm", "the residual add and the norm after it, row by row", make<AddNorm>, host_memory);
  add("rope_store", "RoPE and the write to the KV cache, row by row", make<RopeStore>, host_memory);
  add("mine", "yours: the residual add and the norm", make<Mine>, host_memory, true);
  ladder.make_trials = [&ladder, &linear] { return make_trials(ladder, linear); };
  ladder.make_steps = steps;
}

}  // namespace rung::kernel_fusion
