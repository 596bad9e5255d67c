// Logits of given tokens: the forward pass without sampling, for `rung logits`, perplexity and tests.

#include <algorithm>

#include "engine/batch_builder.hpp"
#include "engine/engine.hpp"
#include "engine/resolve.hpp"

namespace rung {
namespace {

struct OpenJob {
  std::size_t job = 0;
  int kv = -1;
  int done = 0;  // tokens that are in the cache, or were
  int given_up = 0;
  int wanted = 0;  // rows of logits that this step gives it
};

/// The jobs under way; gives their sequences back, also when on_rows throws.
struct OpenJobs {
  KvCache& cache;
  std::vector<OpenJob> list;
  ~OpenJobs() {
    for (const OpenJob& open : list) cache.close(open.kv);
  }
};

}  // namespace

// A step must not see fewer keys than its tokens would one by one: it ends where the next block is given up.
int Engine::room_for(int kv, int done, int& given_up) {
  if (config_.context + given_up == done) given_up += window_->make_room(kv, config_.context + 1);
  return config_.context + given_up - done;
}

void Engine::logits(std::span<const LogitsJob> jobs, const OnJobRows& on_rows) {
  for (const LogitsJob& job : jobs) {
    Request request;
    request.prompt.assign(job.tokens.begin(), job.tokens.end());
    check_request(request, *model_);
    if (!window_) check_prompt_fits(static_cast<std::int64_t>(job.tokens.size()), *model_, config_);
  }
  OpenJobs open{*kv_, {}};
  for (std::size_t next = 0; next < jobs.size() || !open.list.empty();) {
    // A job opens with room for all its tokens: it never has to wait half done.
    for (int kv = 0; next < jobs.size() && (kv = kv_->open()) >= 0; ++next) {
      // What outgrows the cache makes its own room.
      const int length = std::min(static_cast<int>(jobs[next].tokens.size()), config_.context);
      if (!kv_->grow(kv, length) && open.list.empty()) space_.forget();  // what is kept for later comes last
      if (!kv_->grow(kv, length)) {
        kv_->close(kv);
        break;
      }
      open.list.push_back({next, kv});
    }
    if (open.list.empty()) fail("the KV cache is in use by running requests; take their results first");

    batch_.clear();
    int tokens_left = config_.max_step_tokens, rows_left = config_.max_step_outputs;
    for (OpenJob& o : open.list) {
      const LogitsJob& job = jobs[o.job];
      const int first_row = std::max(job.first, o.done);
      int count = std::min(static_cast<int>(job.tokens.size()) - o.done, tokens_left);
      count = std::min(count, first_row - o.done + rows_left);
      if (window_) count = std::min(count, room_for(o.kv, o.done, o.given_up));
      o.wanted = std::max(o.done + count - first_row, 0);
      if (count == 0) continue;
      if (window_ && !kv_->grow(o.kv, o.done - o.given_up + count)) fail("the KV cache lost a block");
      append_rows(batch_, *kv_, o.kv, o.done - o.given_up, count, o.wanted,
                  [&](int p) { return job.tokens[static_cast<std::size_t>(o.given_up + p)]; });
      o.done += count;
      tokens_left -= count;
      rows_left -= o.wanted;
    }

    const Tensor rows = transformer_.forward(batch_, *kv_);
    device_.to_host(host_logits_.data(), rows.data, rows.bytes());
    const Tensor host(host_logits_.data(), DType::f32, rows.rows, rows.cols);
    std::int64_t row = 0;
    for (const OpenJob& o : open.list) {
      if (o.wanted > 0) on_rows(o.job, o.done - o.wanted, host.row_slice(row, o.wanted));
      row += o.wanted;
    }
    std::erase_if(open.list, [&](const OpenJob& o) {
      const bool finished = o.done == static_cast<int>(jobs[o.job].tokens.size());
      if (finished) kv_->close(o.kv);
      return finished;
    });
  }
}

void Engine::logits(std::span<const std::int32_t> tokens,
                    const std::function<void(const Tensor& rows)>& on_rows) {
  const LogitsJob job{tokens};
  logits({&job, 1}, [&](std::size_t, int, const Tensor& rows) { on_rows(rows); });
}

}  // namespace rung
