#include "cli/demo_run.hpp"

namespace rung::cli {
namespace {

/// Reads what to_json() wrote about one sample without log-probabilities.
GenerateReport generate_report_from(const Json& json) {
  GenerateReport report;
  json.at("text").get_to(report.text);
  json.at("token_ids").get_to(report.token_ids);
  json.at("prompt_tokens").get_to(report.prompt_tokens);
  for (const FinishReason reason : {FinishReason::stop, FinishReason::length, FinishReason::cancelled}) {
    if (json.at("finish_reason") == finish_reason_name(reason)) report.finish_reason = reason;
  }
  const Json& timings = json.at("timings");
  timings.at("load_s").get_to(report.timings.load_s);
  timings.at("ttft_s").get_to(report.timings.ttft_s);
  timings.at("prefill_tok_s").get_to(report.timings.prefill_tok_s);
  timings.at("decode_tok_s").get_to(report.timings.decode_tok_s);
  const Json& memory = json.at("memory");
  memory.at("weights_bytes").get_to(report.memory.engine.weights_bytes);
  memory.at("packed_bytes").get_to(report.memory.engine.packed_bytes);
  memory.at("packed_file_bytes").get_to(report.memory.engine.packed_file_bytes);
  memory.at("kv_bytes").get_to(report.memory.engine.kv_bytes);
  memory.at("kv_type").get_to(report.memory.kv_type);
  memory.at("workspace_bytes").get_to(report.memory.engine.workspace_bytes);
  memory.at("private_bytes").get_to(report.memory.resident.private_bytes);
  memory.at("file_bytes").get_to(report.memory.resident.file_bytes);
  for (const auto& [seam, rung] : json.at("rungs").items()) report.rungs[seam] = rung.get<std::string>();
  json.at("seed").get_to(report.seed);
  return report;
}

}  // namespace

GenerateReport run_generate_in_child(const GenerateOptions& options, const std::string& prompt) {
  const ChildResult child =
      run_in_child([&](const Begin&) { return dump_json(to_json(run_generate(options, prompt, {}))); });
  if (!child.failure.empty()) {
    fail("the run with the {} rungs failed: {}", options.run.preset, child.failure);
  }
  GenerateReport report = generate_report_from(Json::parse(child.output));
  report.memory.peak_rss_bytes = child.peak_rss_bytes;
  return report;
}

}  // namespace rung::cli
