#pragma once
// The rungs of seam `arrivals` (when requests come) and of seam `workload` (which requests come).

#include <memory>
#include <span>
#include <vector>

#include "core/registry.hpp"
#include "core/rng.hpp"
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

// The exercise, mine.cpp: one function per step.

/// Step 1. Returns a gamma variable with shape u.size(), made from numbers that are uniformly distributed in
/// [0, 1).
double my_whole_gamma(std::span<const double> u);
/// Step 2. Returns a gamma variable with `shape`. REQUIRES: 0 < shape < 1.
double my_fractional_gamma(double shape, Rng& rng);
/// Step 3. Returns the seconds to the next request. REQUIRES: config.cv > 0.
double my_gap(const ArrivalsConfig& config, Rng& rng);

std::vector<ExerciseStep> steps();
std::vector<Trial> trials(const Ladder<Arrivals>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::workloads
