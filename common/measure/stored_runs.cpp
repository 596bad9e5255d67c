#include "measure/stored_runs.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "core/error.hpp"

namespace rung {
namespace {

double middle_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Json options_json(const NamedOptions& options) {
  Json json = Json::object();
  for (const auto& [name, value] : options) json[name] = value;
  return json;
}

NamedOptions options_from(const Json& json) {
  NamedOptions options;
  for (const auto& [name, value] : json.items()) options.emplace_back(name, value.get<std::string>());
  return options;
}

/// Adds {"a.b": 1, "c": 2} to `json` as {"a": {"b": 1}, "c": 2}.
void add_figures(Json& json, const std::map<std::string, double>& figures) {
  for (const auto& [name, value] : figures) {
    const std::size_t dot = name.find('.');
    if (dot == std::string::npos) {
      json[name] = value;
    } else {
      json[name.substr(0, dot)][name.substr(dot + 1)] = value;
    }
  }
}

std::map<std::string, double> figures_from(const Json& json) {
  std::map<std::string, double> figures;
  for (const auto& [name, value] : json.items()) {
    if (value.is_number()) figures[name] = value.get<double>();
    if (!value.is_object()) continue;
    for (const auto& [member, number] : value.items())
      figures[fmt::format("{}.{}", name, member)] = number.get<double>();
  }
  return figures;
}

Json to_json(const StoredVariant& v) {
  return {{"name", v.name},
          {"options", options_json(v.options)},
          {"model", v.model},
          {"rungs", rungs_json(v.rungs)},
          {"weights_bytes", v.weights_bytes},
          {"kv_bytes_per_token", v.kv_bytes_per_token}};
}

StoredVariant variant_from(const Json& json) {
  StoredVariant v;
  json.at("name").get_to(v.name);
  v.options = options_from(json.at("options"));
  json.at("model").get_to(v.model);
  for (const auto& [seam, rung] : json.at("rungs").items()) v.rungs[seam] = rung.get<std::string>();
  json.at("weights_bytes").get_to(v.weights_bytes);
  json.at("kv_bytes_per_token").get_to(v.kv_bytes_per_token);
  return v;
}

Json to_json(const StoredRound& round) {
  Json seconds = Json::array(), figures = Json::array();
  for (const StoredRun& run : round.runs) {
    seconds.push_back(run.seconds);
    Json of_run = Json::object();
    add_figures(of_run, run.figures);
    if (!run.figures.empty()) figures.push_back(of_run);
  }
  Json json = {{"seconds", seconds}, {"other_load", round.other_load}};
  if (!figures.empty()) json["figures"] = figures;
  if (!round.limits.empty()) json["limits"] = round.limits;
  return json;
}

StoredRound round_from(const Json& json, std::size_t variants) {
  StoredRound round;
  json.at("other_load").get_to(round.other_load);
  round.limits = json.value("limits", round.limits);
  for (const Json& seconds : json.at("seconds")) round.runs.push_back({seconds.get<double>(), {}});
  if (round.runs.size() != variants)
    fail("a round has {} runs, and there are {} variants", round.runs.size(), variants);
  if (!json.contains("figures")) return round;
  for (std::size_t i = 0; i < variants; ++i) round.runs[i].figures = figures_from(json.at("figures").at(i));
  return round;
}

Json quality_json(const StoredPart& part, std::size_t i, const StoredResult& r) {
  Json json = {{"variant", part.variants[i].name}};
  for (const char* name : {"ppl", "ppl_error", "kl", "kl_error", "same_top", "bits_per_byte"}) {
    const auto figure = r.figures.find(name);
    json[name] = figure == r.figures.end() ? Json() : Json(figure->second);
  }
  for (const char* name : {"tokens", "bytes"}) json[name] = r.figures.at(name);
  json["bytes_of"] = part.bytes_of;
  return json;
}

Json result_json(const StoredPart& part, std::size_t i, const StoredResult& r) {
  if (part.measure == "quality") return quality_json(part, i, r);
  Json json = {{"variant", part.variants[i].name},
               {"seconds", r.seconds},
               {"seconds_min", r.seconds_min},
               {"seconds_max", r.seconds_max}};
  json["tok_s"] = r.tok_s;
  if (!r.limit.empty()) {
    json["limit"] = r.limit;
    json["share"] = r.share;
  }
  json["ratio"] = r.ratio.ratio;
  json["ratio_low"] = r.ratio.low;
  json["ratio_high"] = r.ratio.high;
  add_figures(json, r.figures);
  return json;
}

Json to_json(const StoredPart& part) {
  Json json = {{"name", part.name}, {"measure", part.measure}, {"workload", part.workload}};
  const bool timed = part.measure != "quality";
  if (timed) json["size"] = part.size;
  json["settings"] = options_json(part.settings);
  if (timed) {
    json["confidence"] = part.confidence;
    json["interval"] = part.interval;
  } else {
    json["reference"] = part.reference;
  }
  if (part.measure == "speed") json["limits"] = part.limits;
  if (part.measure == "serving") json["targets"] = part.targets;
  Json variants = Json::array(), points = Json::array();
  for (const StoredVariant& v : part.variants) variants.push_back(to_json(v));
  for (const StoredPoint& p : part.points) {
    Json point = {{"size", p.size}, {"tokens", p.tokens}}, rounds = Json::array(), results = Json::array();
    for (const StoredRound& round : p.rounds) rounds.push_back(to_json(round));
    for (std::size_t i = 0; i < p.results.size(); ++i) results.push_back(result_json(part, i, p.results[i]));
    point["rounds"] = rounds;
    point["results"] = results;
    points.push_back(point);
  }
  json["variants"] = variants;
  json["points"] = points;
  return json;
}

StoredPoint point_from(const Json& json, std::size_t variants) {
  StoredPoint point;
  json.at("size").get_to(point.size);
  json.at("tokens").get_to(point.tokens);
  for (const Json& round : json.at("rounds")) point.rounds.push_back(round_from(round, variants));
  for (const Json& result : json.at("results")) {
    StoredResult r;
    r.limit = result.value("limit", "");
    r.share = result.value("share", 0.0);
    point.results.push_back(r);
  }
  return point;
}

StoredPart part_from(const Json& json) {
  StoredPart part;
  json.at("name").get_to(part.name);
  json.at("measure").get_to(part.measure);
  json.at("workload").get_to(part.workload);
  part.size = json.value("size", "");
  part.settings = options_from(json.at("settings"));
  part.confidence = json.value("confidence", 0.0);
  part.interval = json.value("interval", "");
  part.limits = json.value("limits", part.limits);
  part.targets = json.value("targets", part.targets);
  part.reference = json.value("reference", "");
  for (const Json& variant : json.at("variants")) part.variants.push_back(variant_from(variant));
  for (const Json& point : json.at("points")) {
    part.points.push_back(point_from(point, part.variants.size()));
    for (const Json& result : point.at("results")) part.bytes_of = result.value("bytes_of", part.bytes_of);
  }
  return part;
}

}  // namespace

double StoredRuns::other_load() const {
  double sum = 0;
  int rounds = 0;
  for (const StoredPart& part : parts) {
    for (const StoredPoint& point : part.points) {
      for (const StoredRound& round : point.rounds) {
        sum += round.other_load;
        ++rounds;
      }
    }
  }
  return rounds > 0 ? sum / rounds : 0;
}

void summarize(StoredPoint& point, const RatioInterval& interval) {
  const std::size_t variants = point.rounds.front().runs.size();
  point.results.resize(variants);
  std::vector<std::vector<double>> seconds(variants);
  for (const StoredRound& round : point.rounds) {
    for (std::size_t i = 0; i < variants; ++i) seconds[i].push_back(round.runs[i].seconds);
  }
  for (std::size_t i = 0; i < variants; ++i) {
    StoredResult& r = point.results[i];
    for (const auto& [name, _] : point.rounds.front().runs[i].figures) {
      std::vector<double> values;
      for (const StoredRound& round : point.rounds) values.push_back(round.runs[i].figures.at(name));
      r.figures[name] = middle_of(values);
    }
    if (!(seconds[i].front() > 0)) continue;  // of "quality"
    r.seconds = middle_of(seconds[i]);
    r.seconds_min = *std::min_element(seconds[i].begin(), seconds[i].end());
    r.seconds_max = *std::max_element(seconds[i].begin(), seconds[i].end());
    const auto tok_s = r.figures.find("tok_s");
    r.tok_s = tok_s != r.figures.end() ? tok_s->second : point.tokens / r.seconds;
    if (i > 0) r.ratio = interval.estimate(seconds[0], seconds[i]);
  }
}

Json to_json(const StoredRuns& runs) {
  Json parts = Json::array();
  for (const StoredPart& part : runs.parts) parts.push_back(to_json(part));
  return {{"format", kStoredRunsFormat},
          {"title", runs.title},
          {"question", runs.question},
          {"command", runs.command},
          {"experiment", runs.experiment},
          {"date", runs.date},
          {"machine", to_json(runs.machine)},
          {"other_load", runs.other_load()},
          {"parts", parts}};
}

StoredRuns stored_runs_from(const std::string& text, const std::string& file) {
  try {
    const Json json = Json::parse(text);
    if (json.at("format") != kStoredRunsFormat) fail("its format is not '{}'", kStoredRunsFormat);
    StoredRuns runs;
    json.at("title").get_to(runs.title);
    json.at("question").get_to(runs.question);
    json.at("command").get_to(runs.command);
    runs.experiment = json.value("experiment", "");
    json.at("date").get_to(runs.date);
    runs.machine = machine_record_from(json.at("machine"));
    for (const Json& part : json.at("parts")) runs.parts.push_back(part_from(part));
    return runs;
  } catch (const Json::exception& error) {
    fail("'{}' does not contain stored runs: {}; rung compare --out and rung experiment write such files",
         file, error.what());
  } catch (const Error& error) {
    fail("'{}' does not contain stored runs: {}; rung compare --out and rung experiment write such files",
         file, error.what());
  }
}

std::string utc_date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

}  // namespace rung
