#pragma once
// The latencies that a server's users experience, with the names that `vllm bench serve` uses. Times are
// seconds on one clock.
//
//   TTFT   first token - arrival
//   E2E    last token - arrival                             called E2EL by vLLM
//   TPOT   (E2E - TTFT) / (output tokens - 1)               only of requests with at least two output tokens
//   ITL    one token - the token before it                  of all pairs of successive tokens in all requests
//
// A refused request is not part of any of these times and meets no target.
//
// A request that does not follow another one arrives when it is sent, whether or not the server is ready. The
// time in the queue is part of its TTFT.

#include <algorithm>
#include <cstdint>
#include <vector>

namespace rung {

/// A request that was served to its end or refused.
struct ServedRequest {
  double arrival_s = 0, first_s = 0, last_s = 0;
  int prompt_tokens = 0, output_tokens = 0;
  int cached_tokens = 0;  // prompt tokens that were reused from the prefix cache instead of computed
  int preemptions = 0;
  bool refused = false;  // if true, only the arrival and the prompt are set

  double ttft_s() const { return first_s - arrival_s; }
  double e2e_s() const { return last_s - arrival_s; }
  /// Returns 0 if there is only one output token.
  double tpot_s() const { return output_tokens > 1 ? (last_s - first_s) / (output_tokens - 1) : 0; }
};

/// Service-level objectives in seconds; 0: no target.
struct ServiceTargets {
  double ttft_s = 0, tpot_s = 0, e2e_s = 0;

  bool any() const { return ttft_s > 0 || tpot_s > 0 || e2e_s > 0; }
  bool kept_by(const ServedRequest& r) const {
    const auto keeps = [](double value, double target) { return target <= 0 || value <= target; };
    return keeps(r.ttft_s(), ttft_s) && keeps(r.tpot_s(), tpot_s) && keeps(r.e2e_s(), e2e_s);
  }
};

struct ServingMetrics {
  double duration_s = 0;  // from time 0 to the last token
  std::int64_t prompt_tokens = 0, output_tokens = 0, cached_tokens = 0;
  int kept_targets = 0, refused = 0;            // requests that met all targets; requests that were refused
  std::vector<double> ttft_s, tpot_s, e2e_s;    // of each request; tpot_s only of those with several tokens
  std::vector<double> hit_ttft_s, miss_ttft_s;  // TTFT if at least half of the prompt, or none, was cached

  double per_second(double count) const { return duration_s > 0 ? count / duration_s : 0; }
  /// vLLM's request_throughput, output_throughput, total_token_throughput and request_goodput.
  double request_throughput() const { return per_second(static_cast<double>(e2e_s.size())); }
  double output_throughput() const { return per_second(static_cast<double>(output_tokens)); }
  double total_token_throughput() const {
    return per_second(static_cast<double>(prompt_tokens + output_tokens));
  }
  double request_goodput() const { return per_second(kept_targets); }
  /// Returns the share of the prompts' tokens that were found in the prefix cache.
  double cache_hit_rate() const {
    return prompt_tokens == 0 ? 0 : static_cast<double>(cached_tokens) / static_cast<double>(prompt_tokens);
  }
};

inline ServingMetrics serving_metrics(const std::vector<ServedRequest>& requests,
                                      const ServiceTargets& targets) {
  ServingMetrics m;
  for (const ServedRequest& r : requests) {
    if (r.refused) {
      ++m.refused;
      continue;
    }
    m.duration_s = std::max(m.duration_s, r.last_s);
    m.prompt_tokens += r.prompt_tokens;
    m.output_tokens += r.output_tokens;
    m.cached_tokens += r.cached_tokens;
    m.kept_targets += targets.kept_by(r);
    m.ttft_s.push_back(r.ttft_s());
    m.e2e_s.push_back(r.e2e_s());
    if (r.output_tokens > 1) m.tpot_s.push_back(r.tpot_s());
    if (2 * r.cached_tokens >= r.prompt_tokens) m.hit_ttft_s.push_back(r.ttft_s());
    if (r.cached_tokens == 0) m.miss_ttft_s.push_back(r.ttft_s());
  }
  return m;
}

}  // namespace rung
