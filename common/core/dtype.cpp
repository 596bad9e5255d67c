// The table of number formats.

#include "core/dtype.hpp"

#include <array>
#include <string>

#include "core/dtype_codebook.hpp"
#include "core/dtype_k.hpp"
#include "core/dtype_legacy.hpp"
#include "core/dtype_plain.hpp"
#include "core/error.hpp"

namespace rung {
namespace {

using namespace formats;

template <class Block>
constexpr DTypeTraits blocks(std::string_view name, void (*to_float)(const void*, float*, std::int64_t),
                             void (*from_float)(const float*, void*, std::int64_t)) {
  return {name, Block::kElements, sizeof(Block), alignof(Block), to_float, from_float};
}

// In the order of the enumeration.
constexpr std::array<DTypeTraits, kDTypeCount> kTraits = {{
    {"f32", 1, 4, 4, f32_copy, f32_store},
    {"f16", 1, 2, 2, f16_to_float, f16_from_float},
    {"bf16", 1, 2, 2, bf16_to_float, bf16_from_float},
    {"f8_e4m3", 1, 1, 1, f8_e4m3_to_float, f8_e4m3_from_float},
    blocks<BlockQ8_0>("q8_0", q8_0_to_float, q8_0_from_float),
    blocks<BlockQ4_0>("q4_0", q4_0_to_float, q4_0_from_float),
    blocks<BlockQ4_1>("q4_1", q4_1_to_float, q4_1_from_float),
    blocks<BlockQ5_0>("q5_0", q5_0_to_float, q5_0_from_float),
    blocks<BlockQ5_1>("q5_1", q5_1_to_float, q5_1_from_float),
    blocks<BlockQ2K>("q2_k", q2_k_to_float, q2_k_from_float),
    blocks<BlockQ3K>("q3_k", q3_k_to_float, q3_k_from_float),
    blocks<BlockQ4K>("q4_k", q4_k_to_float, q4_k_from_float),
    blocks<BlockQ5K>("q5_k", q5_k_to_float, q5_k_from_float),
    blocks<BlockQ6K>("q6_k", q6_k_to_float, q6_k_from_float),
    blocks<BlockIq4Nl>("iq4_nl", iq4_nl_to_float, iq4_nl_from_float),
    blocks<BlockMxfp4>("mxfp4", mxfp4_to_float, mxfp4_from_float),
    blocks<BlockMxfp8>("mxfp8", mxfp8_to_float, mxfp8_from_float),
    {"i32", 1, 4, 4, nullptr, nullptr},
}};
static_assert(kTraits.back().name == "i32" && static_cast<int>(DType::i32) + 1 == kDTypeCount);

}  // namespace

const DTypeTraits& traits(DType type) { return kTraits[static_cast<std::size_t>(type)]; }

DType dtype_from_name(std::string_view name) {
  std::string known;
  for (std::size_t i = 0; i < kTraits.size(); ++i) {
    if (kTraits[i].name == name) return static_cast<DType>(i);
    if (kTraits[i].from_float != nullptr) known += (known.empty() ? "" : ", ") + std::string(kTraits[i].name);
  }
  fail_usage("unknown number format '{}'; choose one of: {}", name, known);
}

std::size_t bytes_of(DType type, std::int64_t n) {
  const DTypeTraits& t = traits(type);
  return static_cast<std::size_t>(n / t.block_elements) * static_cast<std::size_t>(t.block_bytes);
}

}  // namespace rung
