// The KV cache that was planned is the KV cache that an engine takes: by its own counter to the byte, and by
// what the operating system gave to the process, to 2 %.

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "catalog/variants.hpp"
#include "convert/synth.hpp"
#include "engine/engine.hpp"
#include "seams/kv_plan.hpp"
#include "testing/catch.hpp"

using namespace rung;

namespace {

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

// Sanitizers keep memory of their own for every byte that is touched.
constexpr bool own_memory_only() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return false;
#else
  return true;
#endif
#else
  return true;
#endif
}

}  // namespace

TEST_CASE("a measured run takes the KV memory that was planned, to 2 %") {
  constexpr int kSequences = own_memory_only() ? 513 : 9, kContext = 256;
  const std::string path = testing::scratch_file("kv_plan_test.gguf");
  synth(path, "test-tiny", DType::f16, 3, 2);
  const auto model = std::make_shared<const Model>(load_model(path));

  const auto planned = [&](int sequences) {
    KvPlanConfig config;
    config.shape = read_kv_shape(path);
    config.type = EngineConfig().kv_type;
    config.reserve = kContext;
    const std::vector<std::int32_t> lengths(static_cast<std::size_t>(sequences), kContext);
    return variants().ladder<KvPlanner>().make("auto", config)->plan(lengths).taken;
  };
  // What the process grows by from before an engine is built until sequences have run to their ends in it.
  // The cache is taken when the engine is built; a few sequences show that nothing is taken later.
  const auto grown_by = [&](int sequences) {
    malloc_trim(0);  // or the new engine would live in pages that the last one left behind
    const std::uint64_t before = resident_bytes();
    EngineConfig config;
    config.threads = 2;
    config.context = kContext;
    config.max_sequences = sequences;
    config.max_step_tokens = 128;
    config.max_step_outputs = 16;
    config.rungs["kv"] = "contiguous";
    Engine engine(model, variants(), config);
    CHECK(engine.memory().kv_bytes == planned(sequences));
    Request request;
    request.prompt.assign(kContext / 2, 5);
    request.max_tokens = kContext / 2 + 1;  // the last token is not written to the cache
    request.ignore_end = true;
    for (int i = 0; i < std::min(sequences, 16); ++i) engine.submit(request);
    while (engine.step()) {
    }
    return static_cast<double>(resident_bytes()) - static_cast<double>(before);
  };
  grown_by(1);  // threads, the allocator's own memory, pages of the weights
  const double one = grown_by(1), many = grown_by(kSequences);
  if (own_memory_only()) {
    const auto expected = static_cast<double>(planned(kSequences) - planned(1));
    INFO("planned " << expected << " bytes, grown by " << many - one);
    CHECK(expected > 50e6);
    CHECK(std::abs(many - one - expected) <= 0.02 * expected);
  }
}
