// The ladder `linear`: names, one line each, bottom rung first.

#include "integers.hpp"
#include "linear.hpp"
#include "packed_layout.hpp"

namespace rung::linear {
namespace {

constexpr const char* kFolder = "03_techniques/linear/";

/// The learner's function behind the seam.
class Mine final : public Linear {
 public:
  explicit Mine(const LinearConfig& config) : config_(config) {}

  void apply(const Tensor& x, const Tensor& y) override { mine(x, config_.weight, y, config_.threads); }

 private:
  LinearConfig config_;
};

bool any_number_format(const LinearConfig& config) { return traits(config.weight.dtype).to_float != nullptr; }
bool plain_floats(const LinearConfig& config) {
  const DType type = config.weight.dtype;
  return type == DType::f32 || type == DType::f16 || type == DType::bf16;
}
bool integers(const LinearConfig& config) { return has_integers(config.weight.dtype); }
bool packable(const LinearConfig& config) { return packed_format(config.weight.dtype).bits != 0; }

}  // namespace

void register_rungs(Registry& registry) {
  Ladder<Linear>& ladder = registry.ladder<Linear>();
  const auto add = [&](const char* name, const char* summary, auto make, auto supports, bool exercise = false,
                       bool automatic = true, Arithmetic arithmetic = Arithmetic::float32) {
    ladder.add({{name, fmt::format("{}{}.cpp", kFolder, name), summary, exercise, automatic, arithmetic},
                make,
                supports});
  };
  add("naive", "two loops and a dot product", make_naive, any_number_format);
  add("eigen", "Eigen multiplies: several partial sums, several rows at a time", make_eigen,
      any_number_format);
  add("simd", "weights converted in vector registers, tiles of rows and tokens", make_simd,
      any_number_format);
  // `panels` and `packed` copy the weights, `int8` and `packed` round x: whoever wants that says so.
  add("panels", "panels of 16 interleaved rows, laid out at load: no sum across lanes", make_panels,
      plain_floats, false, false);
  add("int8", "x rounded to 8 bits, bytes multiplied by bytes: which numbers come out", make_int8, integers,
      false, false, Arithmetic::int8);
  add("packed", "the numbers of int8 from panels of 16 interleaved rows, laid out at load", make_packed,
      packable, false, false, Arithmetic::int8);
  add(
      "mine", "yours", [](const LinearConfig& config) { return std::make_unique<Mine>(config); },
      any_number_format, true);
  ladder.make_trials = [&ladder] { return make_trials(ladder); };
}

}  // namespace rung::linear
