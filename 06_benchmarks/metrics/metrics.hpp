#pragma once
// The rungs of seam `quantile`: P50, P90, P99 of many values.

#include <memory>

#include "core/registry.hpp"
#include "seams/quantile.hpp"

namespace rung::metrics {

std::unique_ptr<Quantile> make_sorted(const QuantileConfig& config);
std::unique_ptr<Quantile> make_select(const QuantileConfig& config);
std::unique_ptr<Quantile> make_log_histogram(const QuantileConfig& config);
std::unique_ptr<Quantile> make_t_digest(const QuantileConfig& config);
std::unique_ptr<Quantile> make_mine(const QuantileConfig& config);

std::vector<Trial> trials(const Ladder<Quantile>& ladder);
std::vector<Goal> goals(const Ladder<Quantile>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::metrics
