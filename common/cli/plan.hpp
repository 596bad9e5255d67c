#pragma once
// The two plans of `rung plan`: what a KV cache takes (plan.cpp) and how long steps take (plan_latency.cpp).

#include <optional>
#include <string>
#include <vector>

#include "cli/cli.hpp"

namespace rung::cli {

struct PlanCommand {
  bool kv = false, latency = false;
  std::string model, shape, type;  // type: of keys and values; empty: the plan's own default
  int context = 0, tokens = 0;
  std::optional<int> batch;
  // --kv
  std::string rung = "auto", budget;
  int block = 16;
  // --latency
  double bandwidth = 0, flops = 0;  // of a machine by its data sheet; 0: measure this one
  int chunk = 512, threads = 0, repeats = 3;
  bool measure = false;
  std::string samples;           // a file with steps that were measured before
  std::vector<std::string> set;  // SEAM=NAME
};

Json plan_latency(const PlanCommand& command);
void print_latency(const Json& plan);

}  // namespace rung::cli
