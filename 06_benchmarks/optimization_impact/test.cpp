#include "noise.hpp"
#include "testing/topic_test.hpp"
using namespace rung;
TEST_CASE("every rung passes the trials") {
  testing::judge_all(testing::registry_of<optimization_impact::register_rungs>(), "ratio_interval");
}
