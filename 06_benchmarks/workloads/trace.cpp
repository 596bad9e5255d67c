// Requests of a real server, scaled down to this machine: lengths by one factor, times by another.
//
// Where the trace knows which blocks of 512 prompt tokens are equal (Mooncake), a block becomes a segment of
// 512 * scale tokens, so that prompts share what they shared there. Of a trace without that the prompts are
// unlike each other.

#include <cmath>

#include "loop/request_trace.hpp"
#include "workloads.hpp"

namespace rung::workloads {
namespace {

class Trace final : public WorkloadMaker {
 public:
  explicit Trace(const WorkloadConfig& config) : config_(config) {
    if (config_.trace.empty()) fail_usage("rung 'trace' of seam workload needs a file: give --trace FILE");
  }

  Workload make() override {
    const auto wanted = static_cast<std::size_t>(config_.requests);
    const bool all = config_.keep_one_in > 1 || config_.longest > 0;
    const RequestTrace trace =
        all ? read_request_trace(config_.trace) : read_request_trace(config_.trace, wanted);
    Workload workload;
    workload.has_arrivals = trace.has_arrivals;
    double start = 0;
    for (std::size_t i = 0; i < trace.requests.size() && workload.requests.size() < wanted; ++i) {
      const TracedRequest& traced = trace.requests[i];
      if (!kept(traced, i)) continue;
      WorkloadRequest request;
      if (config_.shared_prefix > 0) request.prompt.push_back({0, config_.shared_prefix});
      int length = config_.shared_prefix;
      for (const Segment& segment : segments(traced, trace.block_tokens, i)) {
        request.prompt.push_back(segment);
        length += segment.tokens;
      }
      request.output = scaled(traced.output);
      if (config_.longest > 0 && length + request.output > config_.longest) {
        ++workload.left_out;
        continue;
      }
      if (workload.requests.empty()) start = traced.arrival_s;
      if (trace.has_arrivals) request.arrival_s = (traced.arrival_s - start) * config_.time_scale;
      request.user =
          traced.user >= 0 ? traced.user : static_cast<int>(workload.requests.size()) % config_.users;
      workload.requests.push_back(std::move(request));
    }
    if (workload.requests.empty()) {
      fail_usage("no request of {} has at most {} tokens; use a smaller scale of lengths", config_.trace,
                 config_.longest);
    }
    return workload;
  }

 private:
  int scaled(int tokens) const {
    return std::max(1, static_cast<int>(std::lround(tokens * config_.length_scale)));
  }

  /// Whole conversations are kept or left away. What tells them apart is their second block: the first one is
  /// the instructions that nearly all of them begin with.
  bool kept(const TracedRequest& traced, std::size_t index) const {
    const auto& blocks = traced.blocks;
    const std::uint64_t key =
        blocks.empty() ? index : static_cast<std::uint64_t>(blocks[blocks.size() > 1 ? 1 : 0]);
    return Rng(config_.seed, key).below(static_cast<std::uint64_t>(config_.keep_one_in)) == 0;
  }

  std::vector<Segment> segments(const TracedRequest& traced, int block_tokens, std::size_t index) const {
    if (block_tokens == 0) return {{index + 1, scaled(traced.prompt)}};
    std::vector<Segment> list;
    const int whole = scaled(block_tokens);
    for (std::size_t b = 0; b < traced.blocks.size(); ++b) {
      const int left = traced.prompt - static_cast<int>(b) * block_tokens;
      list.push_back({static_cast<std::uint64_t>(traced.blocks[b]) + 1,
                      left >= block_tokens ? whole : std::min(scaled(left), whole)});
    }
    if (list.empty())
      list.push_back({(std::uint64_t{1} << 31) + index, 1});  // an empty prompt cannot be sent
    return list;
  }

  WorkloadConfig config_;
};

}  // namespace

std::unique_ptr<WorkloadMaker> make_trace(const WorkloadConfig& config) {
  return std::make_unique<Trace>(config);
}

}  // namespace rung::workloads
