#include "measure/generate_report.hpp"

#include <nlohmann/json.hpp>

namespace rung {
namespace {

std::vector<SampledTokenReport> token_reports(const Result& result, const Tokenizer& tokenizer) {
  std::vector<SampledTokenReport> reports;
  for (const SampledToken& s : result.samples) {
    SampledTokenReport& report = reports.emplace_back();
    report.sampled = {s.token, tokenizer.piece(s.token), s.logprob};
    for (const TokenLogprob& t : s.top) report.top.push_back({t.token, tokenizer.piece(t.token), t.logprob});
  }
  return reports;
}

Json token_json(const TokenReport& token) {
  return {{"id", token.id}, {"token", token.piece}, {"logprob", token.logprob}};
}

Json logprobs_json(const std::vector<SampledTokenReport>& tokens) {
  Json list = Json::array();
  for (const SampledTokenReport& token : tokens) {
    Json top = Json::array();
    for (const TokenReport& t : token.top) top.push_back(token_json(t));
    list.push_back(token_json(token.sampled));
    list.back()["top"] = top;
  }
  return list;
}

}  // namespace

GenerateReport generate_report(const Engine& engine, std::span<const Result> results,
                               const SamplingParams& sampling, double load_s) {
  const Result& first = results.front();
  const double prefill_s = first.first_token_s;
  const double decode_s = first.total_s - first.first_token_s;
  const auto generated = static_cast<double>(first.token_ids.size());
  GenerateReport report;
  report.text = first.text;
  report.token_ids = first.token_ids;
  report.prompt_tokens = first.prompt_tokens;
  report.finish_reason = first.finish_reason;
  report.timings = {load_s, first.first_token_s, prefill_s > 0 ? first.prompt_tokens / prefill_s : 0.0,
                    generated > 1 && decode_s > 0 ? (generated - 1) / decode_s : 0.0};
  report.memory = {engine.memory(), std::string(traits(engine.config().kv_type).name), peak_rss_bytes(),
                   process_memory()};
  report.rungs = engine.rungs();
  report.seed = sampling.seed;
  for (std::size_t i = 0; results.size() > 1 && i < results.size(); ++i) {
    report.samples.push_back(
        {results[i].text, results[i].token_ids, results[i].finish_reason, sampling.seed + i});
  }
  report.forked_tokens = engine.stats().forked_tokens;
  if (sampling.logprobs >= 0) report.logprobs = token_reports(first, *engine.model().tokenizer);
  return report;
}

Json to_json(const GenerateReport& report) {
  const GenerateTimings& timings = report.timings;
  const GenerateMemory& memory = report.memory;
  Json json = {{"text", report.text},
               {"token_ids", report.token_ids},
               {"prompt_tokens", report.prompt_tokens},
               {"completion_tokens", report.token_ids.size()},
               {"finish_reason", finish_reason_name(report.finish_reason)},
               {"timings",
                {{"load_s", timings.load_s},
                 {"ttft_s", timings.ttft_s},
                 {"prefill_tok_s", timings.prefill_tok_s},
                 {"decode_tok_s", timings.decode_tok_s}}},
               {"memory",
                {{"weights_bytes", memory.engine.weights_bytes},
                 {"packed_bytes", memory.engine.packed_bytes},
                 {"packed_file_bytes", memory.engine.packed_file_bytes},
                 {"kv_bytes", memory.engine.kv_bytes},
                 {"kv_type", memory.kv_type},
                 {"workspace_bytes", memory.engine.workspace_bytes},
                 {"peak_rss_bytes", memory.peak_rss_bytes},
                 {"private_bytes", memory.resident.private_bytes},
                 {"file_bytes", memory.resident.file_bytes}}},
               {"rungs", rungs_json(report.rungs)},
               {"seed", report.seed}};
  if (!report.samples.empty()) {
    json["samples"] = Json::array();
    for (const GeneratedSample& sample : report.samples) {
      json["samples"].push_back({{"text", sample.text},
                                 {"token_ids", sample.token_ids},
                                 {"finish_reason", finish_reason_name(sample.finish_reason)},
                                 {"seed", sample.seed}});
    }
    json["forked_tokens"] = report.forked_tokens;
  }
  if (report.logprobs) json["logprobs"] = logprobs_json(*report.logprobs);
  return json;
}

}  // namespace rung
