#include "core/machine.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/error.hpp"
#include "core/limits_kernels.hpp"
#include "core/parallel.hpp"
#include "core/simd.hpp"
#include "core/timer.hpp"

namespace rung {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Written once by every thread, so that its pages are taken; then read over and over.
double measure_read(int threads) {
  constexpr std::int64_t kFloats = std::int64_t{192} << 20;  // 768 MiB: beyond any last-level cache share
  const std::unique_ptr<float[]> data(new (std::nothrow) float[static_cast<std::size_t>(kFloats)]);
  if (!data) fail("measuring the read bandwidth needs 768 MiB of free memory");
  constexpr std::int64_t kPieces = 768;  // 1 MiB each; contiguous per thread
  constexpr std::int64_t kPiece = kFloats / kPieces;
  parallel_for(threads, kPieces, [&](std::int64_t i) { std::fill_n(data.get() + i * kPiece, kPiece, 1.0f); });
  std::vector<double> rates;
  std::vector<float> sums(kPieces);
  for (int pass = 0; pass < 9; ++pass) {
    const Timer timer;
    parallel_for(threads, kPieces, [&](std::int64_t i) {
      sums[static_cast<std::size_t>(i)] = read_all(data.get() + i * kPiece, kPiece);
    });
    rates.push_back(static_cast<double>(kFloats) * sizeof(float) / timer.seconds());
  }
  if (*std::min_element(sums.begin(), sums.end()) <= 0.0f)
    fail("the bandwidth loop summed ones to less than one");
  return median(rates);
}

double measure_fma(int threads) {
  constexpr std::int64_t kRounds = 8'000'000;
  std::vector<double> rates;
  std::vector<float> sinks(static_cast<std::size_t>(threads) * 16, 0.5f);  // one cache line per thread
  std::vector<double> flops(static_cast<std::size_t>(threads));
  for (int pass = 0; pass < 9; ++pass) {
    const Timer timer;
    parallel_for(threads, threads, [&](std::int64_t i) {
      flops[static_cast<std::size_t>(i)] = fma_rounds(kRounds, &sinks[static_cast<std::size_t>(i) * 16]);
    });
    double total = 0;
    for (const double f : flops) total += f;
    rates.push_back(total / timer.seconds());
  }
  return median(rates);
}

fs::path cache_file() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
    return fs::path(cache) / "rung/limits.json";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    return fs::path(home) / ".cache/rung/limits.json";
  }
  return {};
}

Json read_cache(const fs::path& path) {
  std::ifstream in(path);
  Json cache = Json::parse(in, nullptr, false);
  return cache.is_object() ? cache : Json::object();
}

}  // namespace

std::string machine_name() {
  std::ifstream in("/proc/cpuinfo");
  std::string processor = "unknown processor";
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) {
      processor = line.substr(colon + 2);
      break;
    }
  }
  return fmt::format("{}, {} processors", processor, default_threads());
}

MachineLimits measure_limits(int threads) {
  simd_level();
  MachineLimits limits;
  limits.read_bytes_per_s = measure_read(threads);
  limits.fma_flops_per_s = measure_fma(threads);
  return limits;
}

MachineLimits machine_limits(int threads, bool remeasure) {
  const fs::path path = cache_file();
  const std::string key = fmt::format("{}, {}, {} threads", machine_name(), simd_name(simd_level()), threads);
  Json cache = path.empty() ? Json::object() : read_cache(path);
  if (!remeasure && cache.contains(key) && cache[key].is_object()) {
    const MachineLimits cached{cache[key].value("read_bytes_per_s", 0.0),
                               cache[key].value("fma_flops_per_s", 0.0)};
    if (cached.read_bytes_per_s > 0 && cached.fma_flops_per_s > 0) return cached;
  }
  const MachineLimits limits = measure_limits(threads);
  if (!path.empty()) {
    cache[key] = {{"read_bytes_per_s", limits.read_bytes_per_s}, {"fma_flops_per_s", limits.fma_flops_per_s}};
    std::error_code ignored;
    fs::create_directories(path.parent_path(), ignored);
    std::ofstream(path) << cache.dump(2) << '\n';
  }
  return limits;
}

}  // namespace rung
