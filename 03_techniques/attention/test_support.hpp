#pragma once
// What the test programs of this topic share: the ladder, its rungs, and one call of a rung.

#include <string>
#include <vector>

#include "attention.hpp"
#include "testing/topic_test.hpp"
#include "trials.hpp"

namespace rung::attention {

inline const Ladder<Attention>& ladder() { return testing::ladder_of<Attention, register_rungs>(); }

/// The rungs that support the configuration, but for the learner's.
inline std::vector<std::string> reference_rungs(const AttentionConfig& config) {
  std::vector<std::string> names;
  for (const RungInfo& rung : ladder().rungs()) {
    if (rung.exercise) continue;
    try {
      ladder().choose(rung.name, config);
      names.push_back(rung.name);
    } catch (const Error&) {
    }
  }
  return names;
}

/// One call of a rung: out [tokens, heads * head_dim].
inline std::vector<float> run(const std::string& rung, const Workload& work, int threads = 1) {
  AttentionConfig config = work.config;
  config.threads = threads;
  std::vector<float> out(static_cast<std::size_t>(work.tokens() * work.q_rows.cols));
  const auto attention = ladder().make(rung, config);
  attention->plan(work.batch);
  attention->run(work.q_rows, work.kv, {out.data(), DType::f32, work.tokens(), work.q_rows.cols});
  return out;
}

}  // namespace rung::attention
