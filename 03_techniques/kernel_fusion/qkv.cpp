// Rung 1 of `fusion`: q, k and v in one loop of the threads over the pieces of all three weights.
//
// The files store them apart and mapped weights are not copied, so they do not become one matrix; they become
// one list of pieces. The threads are sent out once instead of three times, x is prepared (rounded to 8 bits,
// laid out in tiles) once, and a small k or v, which alone has one piece and leaves all threads but one idle,
// is work for whoever is free. Each piece is computed as before: the same bits.

#include <utility>

#include "kernel_fusion.hpp"

namespace rung::kernel_fusion {

std::unique_ptr<Products> Qkv::side_by_side(std::vector<ProductPart> parts) {
  if (!share_a_loop(parts)) return NoFusion::side_by_side(std::move(parts));
  return products_in_pieces(std::move(parts), config_);
}

}  // namespace rung::kernel_fusion
