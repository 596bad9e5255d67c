// Computes the logits of given tokens with the forward pass, without sampling. Used by `rung logits`, by
// perplexity and by tests.

#include <algorithm>

#include "engine/batch_builder.hpp"
#include "engine/engine.hpp"
#include "engine/resolve.hpp"

namespace rung {
namespace {

struct OpenJob {
  std::size_t job = 0;
  int kv = -1;
  int done = 0;    // tokens that are in the cache, or were
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

void Engine::logits(std::span<const LogitsJob> jobs, const OnJobRows& on_rows) {
  KvCache& kv_cache = *parts_.kv;
  const EngineConfig& config = parts_.config;
  const RequestLimits limits = request_limits(config, parts_.model->config);
  for (const LogitsJob& job : jobs) {
    Request request;
    request.prompt.assign(job.tokens.begin(), job.tokens.end());
    check_request(request, limits);
    if (config.sinks < 0) check_prompt_fits(job.tokens.size(), limits);
  }
  OpenJobs open{kv_cache, {}};
  for (std::size_t next = 0; next < jobs.size() || !open.list.empty();) {
    // A job opens with room for all its tokens: it never has to wait half done.
    for (int kv = 0; next < jobs.size() && (kv = kv_cache.open()) >= 0; ++next) {
      // What outgrows the cache makes its own room.
      const int length = std::min(static_cast<int>(jobs[next].tokens.size()), config.context);
      if (!kv_cache.grow(kv, length) && open.list.empty())
        space_.forget();  // what is kept for later comes last
      if (!kv_cache.grow(kv, length)) {
        kv_cache.close(kv);
        break;
      }
      open.list.push_back({next, kv});
    }
    if (open.list.empty()) fail("the KV cache is in use by running requests; take their results first");

    batch_.clear();
    int tokens_left = config.max_step_tokens, rows_left = config.max_step_outputs;
    for (OpenJob& o : open.list) {
      const LogitsJob& job = jobs[o.job];
      const int first_row = std::max(job.first, o.done);
      int count = std::min(static_cast<int>(job.tokens.size()) - o.done, tokens_left);
      count = std::min(count, first_row - o.done + rows_left);
      count = std::min(count, kv_cache.step_room(o.kv, o.done));
      o.wanted = std::max(o.done + count - first_row, 0);
      if (count == 0) continue;
      if (!kv_cache.grow(o.kv, std::max(o.done + count, kv_cache.length(o.kv))))
        fail("the KV cache lost a block");
      append_rows(batch_, kv_cache, o.kv, o.done, count, o.wanted,
                  [&](int p) { return job.tokens[static_cast<std::size_t>(p)]; });
      o.done += count;
      tokens_left -= count;
      rows_left -= o.wanted;
    }

    const Tensor host = executor_.forward(batch_);
    std::int64_t row = 0;
    for (const OpenJob& o : open.list) {
      if (o.wanted > 0) on_rows(o.job, o.done - o.wanted, host.row_slice(row, o.wanted));
      row += o.wanted;
    }
    std::erase_if(open.list, [&](const OpenJob& o) {
      const bool finished = o.done == static_cast<int>(jobs[o.job].tokens.size());
      if (finished) kv_cache.close(o.kv);
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
