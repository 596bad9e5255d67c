#include "measure/perplexity_report.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

namespace rung {
namespace {

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json divergence_json(const DivergenceResult& d) {
  return {{"reference_model", d.reference_model},
          {"reference_ppl", std::exp(d.reference_nll)},
          {"nll_difference", d.nll_difference},
          {"nll_difference_stderr", or_null(d.nll_difference_error)},
          {"mean", d.kl},
          {"mean_stderr", or_null(d.kl_error)},
          {"median", d.kl_median},
          {"p90", d.kl_90},
          {"p99", d.kl_99},
          {"p99_9", d.kl_999},
          {"max", d.kl_max},
          {"same_top", d.same_top},
          {"same_top_stderr", or_null(d.same_top_error)},
          {"rms_p_difference", d.p_rms}};
}

}  // namespace

Json to_json(const PerplexityReport& report) {
  const PerplexityResult& r = report.result;
  Json json = {{"ppl", r.ppl()},
               {"ppl_stderr", or_null(r.ppl_error())},
               {"nll", r.nll},
               {"nll_stderr", or_null(r.nll_error)},
               {"tokens", r.predicted},
               {"bytes", r.bytes},
               {"bits_per_byte", r.bytes > 0 ? Json(r.bits_per_byte()) : Json(nullptr)},
               {"windows", r.windows},
               {"ctx", report.ctx},
               {"stride", report.stride},
               {"text_tokens", report.text_tokens},
               {"seconds", report.seconds},
               {"rungs", rungs_json(report.rungs)}};
  for (const PerplexityPart& p : r.parts) {
    json["parts"].push_back({{"from", p.from},
                             {"to", p.to},
                             {"tokens", p.predicted},
                             {"nll", p.nll},
                             {"nll_stderr", or_null(p.nll_error)}});
  }
  if (r.divergence) json["kl"] = divergence_json(*r.divergence);
  return json;
}

}  // namespace rung
