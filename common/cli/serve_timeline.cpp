#include "cli/serve_timeline.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace rung::cli {
namespace {

// The most rows in a picture of the cache. For a larger cache, the picture shows only every n-th block.
constexpr std::size_t kMapRows = 128;

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
    // A waiting request was preempted, or it has never run.
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
  ServingTimeline::KvSample sample;
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

/// Returns the owners of the blocks. "3x12 -1x4": twelve blocks of request 3, then four free blocks.
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

ServingTimeline ServeTimeline::report(const std::vector<ServedRequest>& served) const {
  ServingTimeline timeline;
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    if (!changes_[i].empty()) timeline.requests.push_back({served[i], changes_[i]});  // else it was refused
  }
  timeline.blocks = blocks_;
  timeline.every_steps = every_;
  timeline.samples = samples_;
  return timeline;
}

}  // namespace rung::cli
