#include "catalog/quantizers.hpp"

#include "seams/quantizer.hpp"

namespace rung {

bool can_quantize(const Registry& registry, const std::string& rung, DType type, bool weighted) {
  try {
    registry.ladder<Quantizer>().choose(rung, {type, weighted});
    return true;
  } catch (const UsageError&) {
    throw;  // no such rung
  } catch (const Error&) {
    return false;
  }
}

QuantizerChoice quantizer_choice(const Registry& registry, const std::string& rung) {
  return [&registry, rung](DType type, bool weighted) -> RowQuantizer {
    if (weighted && !can_quantize(registry, rung, type, true)) return {};
    const QuantizerConfig config{type, weighted};
    const auto& ladder = registry.ladder<Quantizer>();
    const auto& chosen = ladder.choose(rung, config);
    const std::shared_ptr<const Quantizer> quantizer = chosen.make(config);
    return {chosen.info.name, [quantizer](const float* x, const float* weights, void* to, std::int64_t n) {
              quantizer->quantize(x, weights, to, n);
            }};
  };
}

}  // namespace rung
