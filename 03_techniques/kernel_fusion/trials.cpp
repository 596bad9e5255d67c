// The workloads of `fusion`. Every step of a layer is judged by itself against its formula in float64, for
// every rung; the steps in a row are judged by the engine, where all rungs give the same bits.

#include "trials.hpp"

namespace rung::kernel_fusion {

std::vector<Trial> make_trials(const Ladder<Fusion>& ladder, const Ladder<Linear>& linear) {
  std::vector<Trial> trials;
  add_norm_trials(ladder, trials);  // first, because the learner's part is in them
  rope_store_trials(ladder, trials);
  product_trials(ladder, linear, trials);
  return trials;
}

}  // namespace rung::kernel_fusion
