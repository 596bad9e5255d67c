#include "cli/serve_timeline.hpp"

#include <cmath>

namespace rung::cli {
namespace {

constexpr std::size_t kMapRows = 128;  // of a picture; larger caches are looked at every so many blocks

double rounded(double seconds) {
  return std::round(seconds * 1e6) / 1e6;
}  // to microseconds, which are enough

}  // namespace

void ServeTimeline::change(std::size_t index, const char* state, double at_s) {
  if (index >= limit_) return;
  if (changes_.size() <= index) changes_.resize(index + 1);
  auto& list = changes_[index];
  if (list.empty() || list.back().state != std::string(state)) list.push_back({at_s, state});
}

void ServeTimeline::submitted(std::size_t index, int id, double now_s) {
  if (!wanted()) return;
  index_of_[id] = index;
  change(index, "waiting", now_s);
}

void ServeTimeline::finished(std::size_t index, double begin_s, double end_s) {
  if (!wanted() || index >= limit_) return;
  if (changes_[index].back().state != std::string("decode")) change(index, "prefill", begin_s);
  change(index, "finished", end_s);
}

void ServeTimeline::stepped(const Engine& engine, double begin_s, double end_s) {
  if (!wanted()) return;
  const Queues& queues = engine.queues();
  for (const ScheduledSequence* s : queues.waiting) {
    // Who waits was preempted, or has never run.
    if (s->state == SequenceState::preempted) change(index_of_.at(s->id), "preempted", begin_s);
  }
  for (const ScheduledSequence* s : queues.running) {
    const std::size_t index = index_of_.at(s->id);
    if (index >= limit_) continue;
    const bool prompt = s->output_tokens == 0 || s->missing() > 1;
    if (prompt || changes_[index].back().state != std::string("decode")) change(index, "prefill", begin_s);
    if (!prompt) change(index, "decode", end_s);
  }
  if (steps_++ % every_ != 0) return;
  Sample sample;
  sample.at_s = end_s;
  sample.use = engine.kv_use();
  sample.running = queues.running.size();
  sample.waiting = queues.waiting.size();
  sample.map = map_of(engine);
  samples_.push_back(std::move(sample));
  if (samples_.size() < 2 * limit_) return;
  for (std::size_t i = 1; 2 * i < samples_.size(); ++i) samples_[i] = std::move(samples_[2 * i]);
  samples_.resize((samples_.size() + 1) / 2);
  every_ *= 2;
}

/// "3x12 -1x4": twelve blocks of request 3, then four that are free. The owners of large caches are sampled.
std::string ServeTimeline::map_of(const Engine& engine) {
  engine.block_owners(owners_);
  blocks_ = owners_.size();
  const std::size_t stride = std::max<std::size_t>(1, (blocks_ + kMapRows - 1) / kMapRows);
  std::string text;
  int last = 0, count = 0;
  const auto flush = [&] {
    if (count > 0) text += fmt::format("{}{}x{}", text.empty() ? "" : " ", last, count);
  };
  for (std::size_t b = 0; b < blocks_; b += stride) {
    const int owner = owners_[b] < 0 ? owners_[b] : static_cast<int>(index_of_.at(owners_[b]));
    if (owner != last) flush(), count = 0;
    last = owner;
    ++count;
  }
  flush();
  return text;
}

Json ServeTimeline::json(const std::vector<ServedRequest>& served) const {
  Json requests = Json::array();
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    if (changes_[i].empty()) continue;  // it was refused
    const ServedRequest& r = served[i];
    std::string states;
    for (const Change& c : changes_[i]) {
      states += fmt::format("{}{}@{:.6f}", states.empty() ? "" : " ", c.state, c.at_s);
    }
    requests.push_back({{"arrival_s", rounded(r.arrival_s)},
                        {"ttft_s", rounded(r.ttft_s())},
                        {"tpot_s", rounded(r.tpot_s())},
                        {"e2e_s", rounded(r.e2e_s())},
                        {"prompt_tokens", r.prompt_tokens},
                        {"cached_tokens", r.cached_tokens},
                        {"output_tokens", r.output_tokens},
                        {"states", states}});
  }
  Json kv = Json::array();
  for (const Sample& s : samples_) {
    kv.push_back({{"t", rounded(s.at_s)},
                  {"taken", s.use.taken},
                  {"live", s.use.live},
                  {"kept", s.use.kept},
                  {"running", s.running},
                  {"waiting", s.waiting},
                  {"map", s.map}});
  }
  return {{"requests", requests},
          {"kv",
           {{"slots", samples_.empty() ? 0 : samples_[0].use.slots},
            {"blocks", blocks_},
            {"every_steps", every_},
            {"samples", kv}}}};
}

}  // namespace rung::cli
