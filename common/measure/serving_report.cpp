#include "measure/serving_report.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "seams/quantile.hpp"

namespace rung {
namespace {

constexpr std::size_t kMostUsers = 16;  // the report leaves the users out if there are more

std::vector<UserLatency> latency_by_user(const ServingRecord& record, const Registry& registry,
                                         const std::string& quantile) {
  std::map<int, std::vector<ServedRequest>> users;
  for (std::size_t i = 0; i < record.served.size(); ++i) users[record.users[i]].push_back(record.served[i]);
  std::vector<UserLatency> rows;
  if (users.size() < 2 || users.size() > kMostUsers) return rows;
  for (const auto& [user, requests] : users) {
    const ServingMetrics m = serving_metrics(requests, {});
    rows.push_back({user, requests.size(), summarize(m.ttft_s, registry, quantile),
                    summarize(m.e2e_s, registry, quantile)});
  }
  return rows;
}

Json summary_json(const LatencySummary& s) {
  return {{"mean", s.mean}, {"p50", s.p50}, {"p90", s.p90}, {"p99", s.p99}};
}

Json users_json(const std::vector<UserLatency>& users) {
  Json rows = Json::array();
  for (const UserLatency& u : users) {
    rows.push_back({{"user", u.user},
                    {"requests", u.requests},
                    {"ttft_s", summary_json(u.ttft_s)},
                    {"e2e_s", summary_json(u.e2e_s)}});
  }
  return rows;
}

/// To microseconds, which keeps the JSON short.
double rounded_time(double seconds) { return std::round(seconds * 1e6) / 1e6; }

Json timeline_json(const ServingTimeline& timeline) {
  Json requests = Json::array();
  for (const ServingTimeline::Request& request : timeline.requests) {
    const ServedRequest& r = request.served;
    std::string states;
    for (const ServingTimeline::Change& c : request.changes) {
      states += fmt::format("{}{}@{:.6f}", states.empty() ? "" : " ", c.state, c.at_s);
    }
    requests.push_back({{"arrival_s", rounded_time(r.arrival_s)},
                        {"ttft_s", rounded_time(r.ttft_s())},
                        {"tpot_s", rounded_time(r.tpot_s())},
                        {"e2e_s", rounded_time(r.e2e_s())},
                        {"prompt_tokens", r.prompt_tokens},
                        {"cached_tokens", r.cached_tokens},
                        {"output_tokens", r.output_tokens},
                        {"states", states}});
  }
  Json samples = Json::array();
  for (const ServingTimeline::KvSample& s : timeline.samples) {
    samples.push_back({{"t", rounded_time(s.at_s)},
                       {"taken", s.use.taken},
                       {"live", s.use.live},
                       {"kept", s.use.kept},
                       {"running", s.running},
                       {"waiting", s.waiting},
                       {"map", s.map}});
  }
  return {{"requests", requests},
          {"kv",
           {{"slots", timeline.samples.empty() ? 0 : timeline.samples[0].use.slots},
            {"blocks", timeline.blocks},
            {"every_steps", timeline.every_steps},
            {"samples", samples}}}};
}

}  // namespace

LatencySummary summarize(const std::vector<double>& seconds, const Registry& registry,
                         const std::string& quantile) {
  const std::unique_ptr<Quantile> values = registry.ladder<Quantile>().make(quantile, {});
  double sum = 0;
  for (const double s : seconds) {
    sum += s;
    values->add(s);
  }
  return {seconds.empty() ? 0 : sum / static_cast<double>(seconds.size()), values->value(0.5),
          values->value(0.9), values->value(0.99)};
}

ServingReport serving_report(const Engine& engine, const Registry& registry, const ServingRecord& record,
                             const ServiceTargets& targets, const std::string& quantile) {
  const ServingMetrics m = serving_metrics(record.served, targets);
  const auto summary = [&](const std::vector<double>& s) { return summarize(s, registry, quantile); };
  const auto kv_samples = static_cast<double>(std::max<std::int64_t>(record.kv_samples, 1));
  ServingReport report;
  report.requests = record.served.size();
  report.refused = m.refused;
  report.duration_s = m.duration_s;
  report.prompt_tokens = m.prompt_tokens;
  report.output_tokens = m.output_tokens;
  report.output_tok_s = m.output_throughput();
  report.total_tok_s = m.total_token_throughput();
  report.request_s = m.request_throughput();
  report.ttft_s = summary(m.ttft_s);
  report.itl_s = summary(record.gaps_s);
  report.tpot_s = summary(m.tpot_s);
  report.e2e_s = summary(m.e2e_s);
  report.users = latency_by_user(record, registry, quantile);
  report.has_targets = targets.any();
  report.kept_targets = m.kept_targets;
  report.goodput_request_s = m.request_goodput();
  report.cache = {m.cache_hit_rate(), m.hit_ttft_s.size(), m.miss_ttft_s.size(), summary(m.hit_ttft_s),
                  summary(m.miss_ttft_s)};
  report.kv = {record.kv_waste_sum / kv_samples, record.kv_taken_sum / kv_samples, engine.memory().kv_bytes};
  report.stats = engine.stats();
  report.rungs = engine.rungs();
  return report;
}

Json to_json(const ServingReport& report) {
  const EngineStats& stats = report.stats;
  Json json = {{"requests", report.requests},
               {"refused", report.refused},
               {"left_out", report.left_out},
               {"duration_s", report.duration_s},
               {"prompt_tokens", report.prompt_tokens},
               {"output_tokens", report.output_tokens},
               {"output_tok_s", report.output_tok_s},
               {"total_tok_s", report.total_tok_s},
               {"request_s", report.request_s},
               {"ttft_s", summary_json(report.ttft_s)},
               {"itl_s", summary_json(report.itl_s)},
               {"tpot_s", summary_json(report.tpot_s)},
               {"e2e_s", summary_json(report.e2e_s)},
               {"users", users_json(report.users)},
               {"kept_targets", report.kept_targets},
               {"goodput_request_s", report.goodput_request_s},
               {"cache",
                {{"hit_rate", report.cache.hit_rate},
                 {"hits", report.cache.hits},
                 {"misses", report.cache.misses},
                 {"hit_ttft_s", summary_json(report.cache.hit_ttft_s)},
                 {"miss_ttft_s", summary_json(report.cache.miss_ttft_s)}}},
               {"kv", {{"waste", report.kv.waste}, {"taken", report.kv.taken}, {"bytes", report.kv.bytes}}},
               {"steps", stats.steps},
               {"computed_tokens", stats.computed_tokens},
               {"cached_tokens", stats.cached_tokens},
               {"preemptions", stats.preemptions},
               {"swaps", stats.swaps},
               {"recomputed_tokens", stats.recomputed_tokens},
               {"schedule_share", report.schedule_share()},
               {"prefix_share", report.prefix_share()},
               {"own_share", stats.own_share()},
               {"rate", report.rate},
               {"workload", report.workload},
               {"arrivals", report.arrivals},
               {"rungs", rungs_json(report.rungs)}};
  if (report.timeline) json["timeline"] = timeline_json(*report.timeline);
  return json;
}

}  // namespace rung
