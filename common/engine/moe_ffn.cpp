// The mixture of experts: it chooses experts, groups the rows by expert, runs the experts, and adds up the
// results.

#include "engine/moe_ffn.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace rung {

Routing::Routing(const ModelConfig& model, int max_tokens)
    : n_experts_(model.experts),
      per_token_(model.experts_per_token),
      normalize_(model.normalize_expert_weights) {
  const auto tokens = static_cast<std::size_t>(max_tokens), experts = static_cast<std::size_t>(n_experts_);
  const std::size_t rows = tokens * static_cast<std::size_t>(per_token_);
  logits_.resize(tokens * experts);
  weights_.resize(rows);
  experts_.resize(rows);
  places_.resize(rows);
  sources_.resize(rows);
  begin_.resize(experts + 1);
  next_.resize(experts);
  taken_.resize(experts);
}

/// Chooses the experts with the largest logits and computes their weights. With normalization, the weights
/// are a softmax over the chosen experts. Without it, they are the chosen experts' values of the softmax over
/// all experts.
void Routing::choose(const float* logits, std::int32_t* chosen, float* weights) {
  std::fill(taken_.begin(), taken_.end(), char{0});
  for (int rank = 0; rank < per_token_; ++rank) {
    int best = -1;
    for (int e = 0; e < n_experts_; ++e) {
      if (taken_[static_cast<std::size_t>(e)] != 0) continue;
      if (best < 0 || logits[e] > logits[best]) best = e;  // of equal logits, the first wins
    }
    taken_[static_cast<std::size_t>(best)] = 1;
    chosen[rank] = best;
  }
  const float largest = logits[chosen[0]];
  float sum = 0;
  for (int rank = 0; rank < per_token_; ++rank) {
    weights[rank] = std::exp(logits[chosen[rank]] - largest);
    sum += weights[rank];
  }
  if (!normalize_) {
    sum = 0;
    for (int e = 0; e < n_experts_; ++e) sum += std::exp(logits[e] - largest);
  }
  for (int rank = 0; rank < per_token_; ++rank) weights[rank] /= sum;
}

void Routing::plan(int tokens) {
  rows_ = static_cast<std::size_t>(tokens) * static_cast<std::size_t>(per_token_);
  assert(rows_ <= sources_.size());
  std::fill(begin_.begin(), begin_.end(), 0);
  for (int t = 0; t < tokens; ++t) {
    const auto first = static_cast<std::size_t>(t) * static_cast<std::size_t>(per_token_);
    choose(&logits_[static_cast<std::size_t>(t) * static_cast<std::size_t>(n_experts_)], &experts_[first],
           &weights_[first]);
  }
  for (const std::int32_t e : experts()) ++begin_[static_cast<std::size_t>(e) + 1];
  std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
  std::copy(begin_.begin(), begin_.end() - 1, next_.begin());
  for (std::size_t choice = 0; choice < rows_; ++choice) {
    const std::int64_t row = next_[static_cast<std::size_t>(experts_[choice])]++;
    places_[choice] = static_cast<std::int32_t>(row);
    sources_[static_cast<std::size_t>(row)] =
        static_cast<std::int32_t>(choice / static_cast<std::size_t>(per_token_));
  }
}

MoeWorkspace::MoeWorkspace(Device& device, const ModelConfig& model, int max_tokens)
    : routing(model, max_tokens) {
  const std::int64_t rows = std::int64_t{max_tokens} * model.experts_per_token;
  logits = take(device, DType::f32, max_tokens, model.experts);
  packed = take(device, DType::f32, rows, model.dim);
  sources = take(device, DType::i32, 1, rows);
  places = take(device, DType::i32, max_tokens, model.experts_per_token);
  weights = take(device, DType::f32, max_tokens, model.experts_per_token);
}

Tensor MoeWorkspace::take(Device& device, DType dtype, std::int64_t rows, std::int64_t cols) {
  buffers_.push_back(device.allocate(bytes_of(dtype, rows * cols)));
  return buffers_.back().tensor(dtype, rows, cols);
}

std::size_t MoeWorkspace::bytes() const {
  std::size_t total = 0;
  for (const DeviceBuffer& buffer : buffers_) total += buffer.bytes();
  return total;
}

MoeFfn::MoeFfn(std::unique_ptr<Linear> router, std::vector<Expert> experts, const ModelConfig& model,
               const Ops& ops, const Workplace& place, MoeWorkspace& work, int max_tokens)
    : router_(std::move(router)),
      experts_(std::move(experts)),
      ops_(ops),
      device_(*place.device),
      work_(work),
      scratch_(place, model, max_tokens, std::any_of(experts_.begin(), experts_.end(), [](const Expert& e) {
                 return e.gate_up->needs_wide();
               })) {}

bool MoeFfn::fused() const {
  return std::all_of(experts_.begin(), experts_.end(), [](const Expert& e) { return e.gate_up->fused(); });
}

void MoeFfn::run(const Tensor& x, const Tensor& out) {
  const auto upload = [&](const auto& from, const Tensor& to) {
    device_.to_device(to.data, from.data(), from.size_bytes());
  };
  MoeWorkspace& work = work_;
  Routing& routing = work.routing;
  logits_ = work.logits.row_slice(0, x.rows);
  router_->apply(x, logits_);  // logits [tokens, experts]
  device_.to_host(routing.logits().data(), logits_.data, logits_.bytes());
  routing.plan(static_cast<int>(x.rows));
  upload(routing.sources(), work.sources);
  upload(routing.places(), work.places);
  upload(routing.weights(), work.weights);

  const auto packed_rows = static_cast<std::int64_t>(routing.sources().size());
  const Tensor packed = work.packed.row_slice(0, packed_rows);
  ops_.gather(x, work.sources.col_slice(0, packed_rows), packed);  // packed [tokens * per token, dim]
  for (int e = 0; e < static_cast<int>(experts_.size()); ++e) {
    const std::int64_t count = routing.begin(e + 1) - routing.begin(e);
    if (count == 0) continue;
    const Expert& expert = experts_[static_cast<std::size_t>(e)];
    const Tensor rows = packed.row_slice(routing.begin(e), count);
    const Tensor hidden = scratch_.hidden(count);
    expert.gate_up->run(rows, scratch_.wide(count), hidden);  // hidden [rows, ffn_dim]
    expert.down->apply(hidden, rows);                         // [rows, dim], replaces the input rows
  }
  ops_.combine(packed, work.places.row_slice(0, x.rows), work.weights.row_slice(0, x.rows), out);
}

void MoeFfn::show(const Tap& tap, int layer) const {
  if (tap) tap("router", layer, logits_);
}

}  // namespace rung
