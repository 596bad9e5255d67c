// The numbers and the memory that all rungs need: no policy here.

#include <algorithm>
#include <bit>

#include "core/error.hpp"
#include "kv_cache.hpp"

namespace rung::kv_cache {

void check_config(const KvConfig& c) {
  if (c.max_sequences < 1 || c.max_context < 1) {
    fail("a KV cache needs room for at least 1 sequence of 1 token, not {} of {}", c.max_sequences,
         c.max_context);
  }
  if (c.block_size < 1 || c.block_size > kMaxBlockSize ||
      !std::has_single_bit(static_cast<std::uint32_t>(c.block_size))) {
    fail_usage("--block-size {} cannot be: blocks have 1, 2, 4, ... or {} tokens", c.block_size,
               kMaxBlockSize);
  }
}

std::int64_t slots_for(const KvConfig& c, int unit) {
  const std::int64_t longest = (std::int64_t{c.max_context} + unit - 1) / unit * unit;
  // Checked in floating point first: the products below must not overflow.
  const double bytes =
      static_cast<double>(c.bytes_per_token()) * c.max_sequences * static_cast<double>(longest);
  if (c.budget == 0) {
    if (!(bytes < 0x1p50)) {
      fail("{} would need {:.3g} bytes; use a smaller --ctx, fewer sequences, or a --kv-budget", c.describe(),
           bytes);
    }
    return c.max_sequences * longest;
  }
  const std::size_t of_unit = c.bytes_per_token() * static_cast<std::size_t>(unit);
  const auto units =
      static_cast<std::int64_t>(std::min<std::size_t>(c.budget / of_unit, std::size_t{1} << 30));
  if (units * unit < longest) {
    fail_usage(
        "--kv-budget {} holds {} tokens of this model, fewer than the {} of --ctx: a sequence of that length "
        "could "
        "never end; raise the one or lower the other",
        c.budget, units * unit, longest);
  }
  // More than all sequences can fill would only be memory.
  return std::min(units * unit, c.max_sequences * longest);
}

LayerMemory::LayerMemory(const KvConfig& config, std::int64_t slots, int block_size, bool contiguous) {
  const std::int64_t width = std::int64_t{config.kv_heads} * config.head_dim;
  const std::int64_t rows = 2 * config.layers * slots;  // keys and values of all layers
  buffer = config.device->allocate(bytes_of(config.dtype, rows * width));
  const Tensor all = buffer.tensor(config.dtype, rows, width);
  for (int layer = 0; layer < config.layers; ++layer) {
    views.push_back({all.row_slice(2 * layer * slots, slots), all.row_slice((2 * layer + 1) * slots, slots),
                     block_size, contiguous});
  }
}

void LayerMemory::copy(const KvConfig& config, std::int64_t from, std::int64_t to, int count) const {
  for (const KvView& view : views) {
    for (const Tensor& rows : {view.keys, view.values}) {
      const Tensor target = rows.row_slice(to * view.block_size, count);
      config.device->copy_in_stream(CopyKind::within_device, target.data,
                                    rows.row_slice(from * view.block_size, count).data, target.bytes(),
                                    config.stream);
    }
  }
}

}  // namespace rung::kv_cache
