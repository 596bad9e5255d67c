#include "core/machine.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>
#include <vector>

#include "core/dot_kernels.hpp"
#include "core/error.hpp"
#include "core/large_array.hpp"
#include "core/limits_kernels.hpp"
#include "core/output_file.hpp"
#include "core/parallel.hpp"
#include "core/simd.hpp"
#include "core/tile_kernels.hpp"
#include "core/timer.hpp"

namespace rung {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::int64_t kFloats = std::int64_t{192} << 20;  // 768 MiB: beyond any last-level cache share
constexpr int kPasses = 9;

struct Field {
  const char* name;  // in the cache file
  double MachineLimits::*value;
  bool may_be_zero = false;  // a machine may lack the instruction
};
constexpr Field kFields[] = {{"read_bytes_per_s", &MachineLimits::read_bytes_per_s},
                             {"fma_flops_per_s", &MachineLimits::fma_flops_per_s},
                             {"int8_ops_per_s", &MachineLimits::int8_ops_per_s},
                             {"bf16_flops_per_s", &MachineLimits::bf16_flops_per_s, true},
                             {"int8_tile_ops_per_s", &MachineLimits::int8_tile_ops_per_s, true},
                             {"bf16_tile_flops_per_s", &MachineLimits::bf16_tile_flops_per_s, true}};

/// Calls round(thread), which returns its number of operations, on each thread. Returns the operations of all
/// threads per second.
double measure_rate(int threads, const std::function<double(std::int64_t)>& round) {
  std::vector<double> counts(static_cast<std::size_t>(threads));
  const Timer timer;
  parallel_for(threads, threads, [&](std::int64_t i) { counts[static_cast<std::size_t>(i)] = round(i); });
  const double seconds = timer.seconds();
  return std::accumulate(counts.begin(), counts.end(), 0.0) / seconds;
}

struct alignas(64) Sink {  // a cache line per thread
  float number = 0.5f;
  std::int64_t integer = 0;
};

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
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return Json::object();
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

// The threads write the array once, so that its pages are allocated. The passes then only read it.
LimitsMeter::LimitsMeter(int threads, ReadLoop read)
    : threads_(threads), read_(std::move(read)), data_(kFloats, Pages::large) {
  simd_level();
  constexpr std::int64_t kPieces = 768;  // 1 MiB each; contiguous per thread
  constexpr std::int64_t kPiece = kFloats / kPieces;
  parallel_for(threads, kPieces,
               [&](std::int64_t i) { std::fill_n(data_.begin() + i * kPiece, kPiece, 1.0f); });
}

MachineLimits LimitsMeter::pass() {
  constexpr std::int64_t kFmaRounds = 4'000'000, kDotRounds = 2'000'000, kTileRounds = 500'000;
  std::vector<Sink> sinks(static_cast<std::size_t>(threads_));
  const auto sink = [&](std::int64_t i) -> Sink& { return sinks[static_cast<std::size_t>(i)]; };
  MachineLimits limits;
  const Timer timer;
  const float sum = read_.sum(data_.span());
  limits.read_bytes_per_s = static_cast<double>(kFloats) * sizeof(float) / timer.seconds();
  // A single float32 sum of this many ones stops at 2^24. Several partial sums exceed this limit.
  if (!(sum >= 0x1p24f)) {
    fail("the bandwidth rung '{}' added {} ones and returned {}; a correct sum is at least {}", read_.name,
         kFloats, sum, 0x1p24f);
  }
  limits.fma_flops_per_s =
      measure_rate(threads_, [&](std::int64_t i) { return fma_rounds(kFmaRounds, &sink(i).number); });
  limits.int8_ops_per_s =
      measure_rate(threads_, [&](std::int64_t i) { return int8_rounds(kDotRounds, &sink(i).integer); });
  limits.bf16_flops_per_s =
      measure_rate(threads_, [&](std::int64_t i) { return bf16_rounds(kDotRounds, &sink(i).number); });
  limits.int8_tile_ops_per_s =
      measure_rate(threads_, [&](std::int64_t i) { return int8_tile_rounds(kTileRounds, &sink(i).integer); });
  limits.bf16_tile_flops_per_s =
      measure_rate(threads_, [&](std::int64_t i) { return bf16_tile_rounds(kTileRounds, &sink(i).number); });
  return limits;
}

MachineLimits median(std::span<const MachineLimits> passes) {
  MachineLimits result;
  std::vector<double> values(passes.size());
  for (const Field& field : kFields) {
    for (std::size_t i = 0; i < passes.size(); ++i) values[i] = passes[i].*field.value;
    std::sort(values.begin(), values.end());
    result.*field.value = values[values.size() / 2];
  }
  return result;
}

MachineLimits machine_limits(int threads, const ReadLoop& read, bool remeasure) {
  const fs::path path = cache_file();
  const std::string key = fmt::format("{}, {}, {} threads, read by {}", machine_name(),
                                      simd_name(simd_level()), threads, read.name);
  Json cache = path.empty() ? Json::object() : read_cache(path);
  if (!remeasure && cache.contains(key) && cache[key].is_object()) {
    MachineLimits cached;
    bool complete = true;
    for (const Field& field : kFields) {
      const Json value = cache[key].value(field.name, Json());
      if (value.is_number()) cached.*field.value = value.get<double>();
      complete = complete && value.is_number() && (cached.*field.value > 0 || field.may_be_zero);
    }
    if (complete) return cached;
  }
  LimitsMeter meter(threads, read);
  std::vector<MachineLimits> passes(kPasses);
  for (MachineLimits& p : passes) p = meter.pass();
  const MachineLimits limits = median(passes);
  if (!path.empty()) {
    for (const Field& field : kFields) cache[key][field.name] = limits.*field.value;
    // If the cache cannot be written, the limits are measured again next time.
    try {
      std::error_code ignored;
      fs::create_directories(path.parent_path(), ignored);
      OutputFile file(path.string());
      file.write(cache.dump(2) + '\n');
      file.commit(OutputFile::Durable::no);
    } catch (const Error&) {
    }
  }
  return limits;
}

}  // namespace rung
