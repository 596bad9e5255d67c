#include "core/goal.hpp"

#include <cmath>

#include "core/error.hpp"

namespace rung {
namespace {

std::string with_unit(double number, const std::string& unit) {
  constexpr double kFourDigits = 1e4;
  const bool whole = number == std::floor(number) || std::fabs(number) >= kFourDigits;
  return (whole ? fmt::format("{:.0f}", number) : fmt::format("{:.4g}", number)) +
         (unit.empty() ? "" : " " + unit);
}

}  // namespace

std::string GoalResult::sentence(const Goal& goal) const {
  const char* tier = good ? "good" : "correct, not yet good";
  if (!failure.empty()) return fmt::format("{}: {}: {}", tier, goal.what, failure);
  const std::string of =
      goal.factor == 1 ? fmt::format("the number of {}", goal.rung)
                       : fmt::format("{} times the {} of {}", goal.factor, with_unit(of_rung, ""), goal.rung);
  return fmt::format("{}: {}: {}; good is up to {}, {}", tier, goal.what, with_unit(mine, goal.unit),
                     with_unit(limit, goal.unit), of);
}

GoalResult judge_goal(const Goal& goal, const std::string& rung) {
  GoalResult result;
  result.of_rung = goal.count(goal.rung);
  result.limit = goal.factor * result.of_rung;
  try {
    result.mine = goal.count(rung);
    result.good = result.mine <= result.limit;  // a NaN is not
  } catch (const Error& error) {
    result.failure = error.what();
  }
  return result;
}

}  // namespace rung
