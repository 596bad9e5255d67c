#pragma once
// The rungs of seam `arrivals` (when requests come) and of seam `workload` (which requests come).

#include <memory>

#include "core/registry.hpp"
#include "seams/arrivals.hpp"
#include "seams/workload.hpp"

namespace rung::workloads {

std::unique_ptr<Arrivals> make_uniform(const ArrivalsConfig& config);
std::unique_ptr<Arrivals> make_poisson(const ArrivalsConfig& config);
std::unique_ptr<Arrivals> make_gamma(const ArrivalsConfig& config);
std::unique_ptr<Arrivals> make_tide(const ArrivalsConfig& config);
std::unique_ptr<Arrivals> make_mine(const ArrivalsConfig& config);

std::unique_ptr<WorkloadMaker> make_random_lengths(const WorkloadConfig& config);
std::unique_ptr<WorkloadMaker> make_sharegpt(const WorkloadConfig& config);
std::unique_ptr<WorkloadMaker> make_chat(const WorkloadConfig& config);
std::unique_ptr<WorkloadMaker> make_agents(const WorkloadConfig& config);
std::unique_ptr<WorkloadMaker> make_trace(const WorkloadConfig& config);

/// The share of gaps of at most `x` seconds in a process of rate 1 whose gaps have a gamma distribution with
/// the coefficient of variation `cv` (above 0). The trials compare rungs with it. It is accurate to about
/// twelve digits.
double gamma_gap_share(double x, double cv);

std::vector<Trial> trials(const Ladder<Arrivals>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::workloads
