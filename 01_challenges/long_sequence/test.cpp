// Every rung against its oracle, and what the lesson says about them.

#include <cmath>
#include <numbers>

#include "long_sequence.hpp"
#include "testing/topic_test.hpp"

using namespace rung;
using namespace rung::long_sequence;

namespace {

const Ladder<RopeStretch>& ladder() { return testing::ladder_of<RopeStretch, register_rungs>(); }

RopeStretchConfig tiny(int context) {
  RopeStretchConfig config;
  config.rotary_dim = 32;
  config.trained_context = 1024;
  config.context = context;
  return config;
}

std::vector<double> radians(const char* rung, const RopeStretchConfig& config) {
  return ladder().make(rung, config)->frequencies().radians;
}

}  // namespace

TEST_CASE("every rung gives its oracle's angles") {
  testing::judge_all(testing::registry_of<register_rungs>(), "rope");
}

TEST_CASE("no stretch changes anything within the trained length") {
  for (const int context : {1, 500, 1024}) {
    for (const char* rung : {"plain", "linear", "ntk", "yarn"}) {
      INFO(rung << ", context " << context);
      CHECK(radians(rung, tiny(context)) == radians("model", tiny(context)));
      CHECK(ladder().make(rung, tiny(context))->frequencies().magnitude == 1);
    }
  }
}

TEST_CASE("the slowest pair stays within its trained angles; the fastest is squeezed by linear alone") {
  const double trained = radians("plain", tiny(1024)).back() * 1024;
  for (const char* rung : {"linear", "ntk", "yarn"}) {
    INFO(rung);
    CHECK(radians(rung, tiny(4096)).back() * 4096 == Approx(trained).epsilon(1e-12));
  }
  CHECK(radians("plain", tiny(4096)).back() * 4096 == Approx(4 * trained));
  CHECK(radians("linear", tiny(4096)).front() == 0.25);
  CHECK(radians("ntk", tiny(4096)).front() == 1);
  CHECK(radians("yarn", tiny(4096)).front() == 1);
}

TEST_CASE("yarn leaves pairs that turned 32 times and divides those that turned less than once") {
  const std::vector<double> before = radians("plain", tiny(4096)), after = radians("yarn", tiny(4096));
  int kept = 0, divided = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const double turns = before[i] * 1024 / (2 * std::numbers::pi);
    if (turns > 32) {
      CHECK(after[i] == before[i]);
      ++kept;
    }
    if (after[i] == before[i] / 4) {
      CHECK(turns < 1);
      ++divided;
    }
  }
  CHECK(kept == 3);
  CHECK(divided >= 5);
}

TEST_CASE("what cannot be done is said in a sentence") {
  RopeStretchConfig stretched = tiny(4096);
  stretched.rope.scaling = RopeScaling::linear;
  CHECK_THROWS_WITH(ladder().make("yarn", stretched),
                    testing::contains("which stretches its positions itself"));
  CHECK(ladder().choose("auto", stretched).info.name == "model");
  CHECK(ladder().choose("auto", tiny(4096)).info.name == "model");
  RopeStretchConfig odd = tiny(10);
  odd.rotary_dim = 3;
  CHECK_THROWS_WITH(ladder().make("plain", odd), testing::contains("pairs of numbers"));
  odd.rotary_dim = 2;
  CHECK_THROWS_AS(ladder().make("ntk", odd), Error);
}
