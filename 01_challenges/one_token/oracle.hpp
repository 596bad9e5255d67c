#pragma once
// The formulas of lesson 0 in float64, each in the plainest loop. The judge compares with these. Do not read
// them before you have written your own.

#include <cstdint>
#include <span>
#include <vector>

#include "one_token.hpp"

namespace rung::one_token::oracle {

using Numbers = std::vector<double>;

Numbers norm(const Numbers& x, std::span<const float> weight, double eps);
Numbers product(std::span<const float> matrix, const Numbers& x);
/// `head` has one head; its pairs are rotated for `position`.
Numbers rotated(std::span<const double> radians, int position, Numbers head);
/// keys[p] and values[p] are those of position p, for one head.
Numbers attention(const Numbers& query, const std::vector<Numbers>& keys, const std::vector<Numbers>& values);
Numbers feed_forward(const PlainLayer& layer, const Numbers& x);
/// The logits of the token that follows `text`.
Numbers logits(const PlainModel& model, std::span<const std::int32_t> text);

}  // namespace rung::one_token::oracle
