#include "model/synth_shape.hpp"

#include <array>
#include <string>

#include "core/error.hpp"

namespace rung {
namespace {

constexpr std::array<SynthShape, 9> kShapes = {{
    {"tinyllama-1.1b", 2048, 22, 32, 4, 5632, 32000, 2048, 10000.0f, false},
    {"llama-2-7b", 4096, 32, 32, 32, 11008, 32000, 4096, 10000.0f, false},
    {"llama-3-8b", 4096, 32, 32, 8, 14336, 128256, 8192, 500000.0f, false},
    {"llama-3.2-1b", 2048, 16, 32, 8, 8192, 128256, 131072, 500000.0f, true},
    {"smollm2-135m", 576, 30, 9, 3, 1536, 49152, 8192, 100000.0f, true},
    {"smollm2-360m", 960, 32, 15, 5, 2560, 49152, 8192, 100000.0f, true},
    {"mixtral-8x7b", 4096, 32, 32, 8, 14336, 32000, 32768, 1000000.0f, false, 8, 2},
    {"test-tiny", 96, 3, 6, 2, 160, 300, 256, 10000.0f, false},  // for tests
    {"test-tiny-moe", 96, 3, 6, 2, 64, 300, 256, 10000.0f, false, 5, 3},
}};

}  // namespace

std::span<const SynthShape> synth_shapes() { return kShapes; }

const SynthShape& find_synth_shape(std::string_view name) {
  std::string known;
  for (const SynthShape& shape : kShapes) {
    if (shape.name == name) return shape;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", shape.name);
  }
  fail_usage("unknown shape '{}'; choose one of: {}", name, known);
}

}  // namespace rung
