// The ladder `linear`: its rungs, each with a summary of one line, bottom rung first.

#include "bf16_dot.hpp"
#include "core/simd.hpp"
#include "integers.hpp"
#include "linear.hpp"

namespace rung::linear {
namespace {

constexpr const char* kFolder = "03_techniques/linear/";

/// The learner's function behind the seam.
class Mine final : public Linear {
 public:
  explicit Mine(const LinearConfig& config)
      : config_(config),
        memory_(config, static_cast<std::size_t>(kRowsForMine * config.weight.cols) * sizeof(float)) {}

  void apply(const Tensor& x, const Tensor& y) override {
    mine(x, config_.weight, y, config_.threads, memory_);
  }

 private:
  LinearConfig config_;
  ThreadMemory memory_;
};

/// Properties of a rung besides its name.
struct Kind {
  bool exercise = false, automatic = true, batch_invariant = true;
  Arithmetic arithmetic = Arithmetic::float32;
  bool copies = false;
};

bool any_number_format(const LinearConfig& config) { return traits(config.weight.dtype).to_float != nullptr; }
bool plain_floats(const LinearConfig& config) {
  const DType type = config.weight.dtype;
  return type == DType::f32 || type == DType::f16 || type == DType::bf16;
}
bool bf16(const LinearConfig& config) { return config.weight.dtype == DType::bf16; }
bool integers(const LinearConfig& config) { return has_integers(config.weight.dtype); }
bool packable(const LinearConfig& config) { return can_be_packed(config.weight.dtype); }
#ifdef RUNG_HAS_ONEDNN
bool widened(const LinearConfig& config) {
  return plain_floats(config) || config.weight.dtype == DType::q8_0;
}
#endif

}  // namespace

void register_rungs(Registry& registry) {
  Ladder<Linear>& ladder = registry.ladder<Linear>();
  const auto add = [&](const char* name, const char* summary, auto factory, auto supports,
                       const Kind& kind = {}) {
    const auto make = [factory](const LinearConfig& config) -> std::unique_ptr<Linear> {
      config.check();
      return factory(config);
    };
    ladder.add({{name, fmt::format("{}{}.cpp", kFolder, name), summary, kind.exercise, kind.automatic,
                 kind.batch_invariant, kind.arithmetic, kind.copies},
                make,
                supports});
  };
  const DotInstructions& machine = dot_instructions();

  add("naive", "two loops and a dot product", make_naive, any_number_format);
  add("eigen", "products by the library Eigen: several sums per row, several rows at a time", make_eigen,
      any_number_format);
#ifdef RUNG_HAS_ONEDNN
  // For comparison only: the results of a token depend on its batch.
  add("onednn", "products in float32 by the library oneDNN, for comparison", make_onednn, widened,
      {.automatic = false, .batch_invariant = false, .copies = true});
#else
  ladder.note = "The rung onednn is not in this build: it needs GCC and libdnnl-dev.";
#endif
  add("simd", "weights converted in vector registers, tiles of rows and tokens", make_simd,
      any_number_format);
  add("panels", "panels of 16 interleaved rows, written at load: no sums across lanes", make_panels,
      plain_floats, {.copies = true});
  // Without their instructions, the next two rungs are slower than `panels`, which rounds nothing.
  add("bf16_dot", "x rounded to bfloat16, pairs of columns multiplied by one instruction", make_bf16_dot,
      bf16, {.automatic = machine.avx512_bf16, .arithmetic = Arithmetic::bf16, .copies = true});
  add("bf16_tiles", "x rounded to bfloat16, tiles of 16 tokens and 16 rows multiplied by one instruction",
      make_bf16_tiles, bf16,
      {.automatic = machine.amx_bf16, .arithmetic = Arithmetic::bf16_tiles, .copies = true});
  // `packed` computes the same results faster.
  add("int8", "x rounded to 8 bits, bytes multiplied in plain loops: defines the results", make_int8,
      integers, {.automatic = false, .arithmetic = Arithmetic::int8});
  add("packed", "the results of int8 from panels of 16 interleaved rows, written at load", make_packed,
      packable, {.arithmetic = machine.amx_int8 ? Arithmetic::int8_tiles : Arithmetic::int8, .copies = true});
  add("mine", "yours", [](const LinearConfig& config) { return std::make_unique<Mine>(config); },
      any_number_format, {.exercise = true});
  ladder.make_trials = [&ladder] { return make_trials(ladder); };
  ladder.make_steps = steps;
}

}  // namespace rung::linear
