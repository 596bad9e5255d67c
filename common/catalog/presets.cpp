#include "catalog/presets.hpp"

#include <vector>

#include "core/error.hpp"

namespace rung {
namespace {

const std::vector<Preset>& presets() {
  static const std::vector<Preset> all = {
      {"exact", {{"linear", std::string(kFloat32)}}, /*exact=*/true},
      {"llama_cpp", {{"loading", "mmap_prefetch"}, {"attention", "flash"}, {"kv", "contiguous"}}},
      {"orca", {{"kv", "contiguous"}, {"scheduler", "continuous"}, {"policy", "fifo"}}},
      {"sglang",
       {{"kv", "copy_on_write"}, {"scheduler", "chunked"}, {"policy", "fifo"}, {"prefix_cache", "radix"}}},
      {"static", {{"kv", "contiguous"}, {"scheduler", "static_batch"}, {"policy", "fifo"}}},
      {"vllm",
       {{"kv", "copy_on_write"},
        {"scheduler", "chunked"},
        {"policy", "fifo"},
        {"prefix_cache", "hash_chain"}}},
  };
  return all;
}

/// It is what others are compared with, so it rounds nothing.
Preset naive(const Registry& registry) {
  Preset preset{"naive", {}, /*exact=*/true};
  for (const LadderBase* ladder : registry.all()) preset.rungs[ladder->seam()] = ladder->rungs().front().name;
  // These are no choices of an engine: they measure the machine, make the load, and judge what was measured.
  // The pass of lesson 0 computes one text at a time only.
  for (const char* seam : {"bandwidth", "arrivals", "workload", "quantile", "one_token"})
    preset.rungs.erase(seam);
  return preset;
}

}  // namespace

Preset find_preset(const Registry& registry, const std::string& name) {
  if (name == "auto") return {name, {}};
  if (name == "naive") return naive(registry);
  for (const Preset& known : presets()) {
    if (known.name == name) return known;
  }
  fail_usage("unknown engine preset '{}'; choose one of: {}", name, preset_names(", "));
}

std::string preset_names(const std::string& between) {
  std::string names = "auto" + between + "naive";
  for (const Preset& preset : presets()) names += between + preset.name;
  return names;
}

}  // namespace rung
