// Rung 2 of `fusion`: gate, up and act(gate) * up in one loop.
//
// A thread multiplies some rows of gate and the same rows of up into a tile of its own, applies the
// activation while the tile is in its cache, and writes [tokens, rows] of the result. The intermediate
// [tokens, 2 * ffn] is neither written nor read nor taken at the start, and three loops of the threads become
// one: for one token the activation was too little work for several threads, now it is spread with the
// products. The same bits.

#include <utility>

#include "kernel_fusion.hpp"

namespace rung::kernel_fusion {

std::unique_ptr<Products> GateUp::activated(std::vector<ProductPart> parts) {
  if (!share_a_loop(parts)) return Qkv::activated(std::move(parts));
  return activated_in_pieces(std::move(parts), config_);
}

}  // namespace rung::kernel_fusion
