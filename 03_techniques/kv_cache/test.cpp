// Every rung on random operations; what only blocks can do; and what is refused.

#include "core/rng.hpp"
#include "devices/cpu_device.hpp"
#include "devices/null_device.hpp"
#include "kv_cache.hpp"
#include "testing/topic_test.hpp"

using namespace rung;
using namespace rung::kv_cache;

namespace {

/// The host, which counts what is copied within it.
class CountingDevice final : public Device {
 public:
  std::size_t copied = 0;  // bytes, by copy()

  std::string_view name() const override { return host_.name(); }
  DeviceBuffer allocate(std::size_t bytes) override { return host_.allocate(bytes); }
  void to_device(void* to, const void* from, std::size_t bytes) override { host_.to_device(to, from, bytes); }
  void to_host(void* to, const void* from, std::size_t bytes) override { host_.to_host(to, from, bytes); }
  void copy(void* to, const void* from, std::size_t bytes) override {
    host_.copy(to, from, bytes);
    copied += bytes;
  }
  bool shares_host_memory() const override { return true; }
  void synchronize() override { host_.synchronize(); }

 private:
  Device& host_ = cpu_device();
};

KvConfig config_of(Device& device, int sequences, int context, int block_size, int tokens) {
  KvConfig config;
  config.layers = 2;
  config.kv_heads = 1;
  config.head_dim = 4;
  config.max_sequences = sequences;
  config.max_context = context;
  config.block_size = block_size;
  config.device = &device;
  config.budget = config.bytes_per_token() * static_cast<std::size_t>(tokens);
  return config;
}

const Ladder<KvCache>& ladder() { return testing::ladder_of<KvCache, register_rungs>(); }

/// A pool with one fault, to see that the trials notice it.
class Faulty final : public BlockPool {
 public:
  enum class Fault { none, gives_shared_back, loses_a_block, forgets_an_owner };
  static inline Fault fault = Fault::none;

  explicit Faulty(int blocks) : pool_(free_list(blocks)) {}
  int take() override { return pool_->take(); }
  void share(int block) override {
    if (fault == Fault::forgets_an_owner && ++shares_ % 5 == 0) return;
    pool_->share(block);
  }
  void release(int block) override {
    if (fault == Fault::loses_a_block && ++releases_ == 9) return;
    pool_->release(block);
    if (fault == Fault::gives_shared_back && pool_->owners(block) > 0) pool_->release(block);
  }
  int owners(int block) const override { return pool_->owners(block); }
  int free_blocks() const override { return pool_->free_blocks(); }

 private:
  std::unique_ptr<BlockPool> pool_;
  int releases_ = 0, shares_ = 0;
};
std::unique_ptr<BlockPool> faulty(int blocks) { return std::make_unique<Faulty>(blocks); }

}  // namespace

TEST_CASE("every rung keeps what was written, over random operations") {
  testing::judge_all(testing::registry_of<register_rungs>(), "kv");
}

TEST_CASE("the trials notice a pool that counts wrongly") {
  Ladder<KvCache> broken;
  broken.add({{"broken", "", ""}, [](const KvConfig& c) { return make_copy_on_write(c, faulty); }, {}});
  using Fault = Faulty::Fault;
  for (const Fault fault :
       {Fault::none, Fault::loses_a_block, Fault::forgets_an_owner, Fault::gives_shared_back}) {
    Faulty::fault = fault;
    int failed = 0;
    for (const Trial& trial : trials(broken)) {
      const Verdict verdict = trial.judge("broken", 1);
      failed += verdict.status == Verdict::Status::failed;
      if (verdict.status == Verdict::Status::failed) CHECK_FALSE(verdict.message.empty());
    }
    INFO("fault " << static_cast<int>(fault));
    CHECK((failed > 0) == (fault != Fault::none));
  }
}

TEST_CASE("blocks are taken when a sequence gets there, and regions at once") {
  CountingDevice device;
  const KvConfig config = config_of(device, 4, 64, 16, 4 * 64);
  for (const auto& [rung, taken] : {std::pair{"contiguous", 64}, {"paged", 32}, {"copy_on_write", 32}}) {
    const auto cache = ladder().make(rung, config);
    const int seq = cache->open();
    REQUIRE(cache->grow(seq, 17));
    INFO(rung);
    CHECK(cache->use().slots == 256);
    CHECK(cache->use().taken == taken);
    CHECK(cache->use().live == 17);
    CHECK(cache->use().waste() == Approx(1 - 17.0 / taken));
  }
}

TEST_CASE("the same budget holds more sequences in blocks") {
  CountingDevice device;
  const auto count = [&](const char* rung) {
    const auto cache = ladder().make(rung, config_of(device, 100, 1024, 16, 4 * 1024));
    int sequences = 0;
    for (int seq = cache->open(); seq >= 0 && cache->grow(seq, 200); seq = cache->open()) ++sequences;
    return sequences;
  };
  CHECK(count("contiguous") == 4);
  CHECK(count("paged") == 4096 / 208);  // 200 tokens are 13 blocks
}

TEST_CASE("sharing copies nothing until somebody writes, and then one block") {
  CountingDevice device;
  const KvConfig config = config_of(device, 3, 64, 8, 3 * 64);
  const auto cache = ladder().make("copy_on_write", config);
  const int a = cache->open(), b = cache->open(), c = cache->open();
  REQUIRE(cache->grow(a, 20));
  REQUIRE(cache->share(a, b, 20));
  REQUIRE(cache->share(a, c, 16));  // whole blocks only
  CHECK(device.copied == 0);
  CHECK(cache->use().taken == 24);
  CHECK(cache->use().live == 20);
  REQUIRE(cache->grow(c, 17));  // a new block, nothing to copy
  CHECK(device.copied == 0);
  REQUIRE(cache->grow(b, 21));
  CHECK(device.copied == 4 * config.bytes_per_token());  // the four tokens that were in the last block
  REQUIRE(cache->grow(a, 21));                           // its block has one owner again
  CHECK(device.copied == 4 * config.bytes_per_token());
  CHECK(cache->block_table(a)[1] == cache->block_table(b)[1]);
  CHECK(cache->block_table(a)[2] != cache->block_table(b)[2]);
  cache->check_integrity();
}

TEST_CASE("a block that a prefix cache holds outlives its sequence") {
  CountingDevice device;
  const auto cache = ladder().make("copy_on_write", config_of(device, 2, 32, 4, 32));
  REQUIRE(cache->shares_blocks());
  const int first = cache->open();
  REQUIRE(cache->grow(first, 10));
  const std::vector<std::int32_t> kept(cache->block_table(first).begin(), cache->block_table(first).end());
  for (const int block : kept) cache->hold(block);
  cache->close(first);
  cache->check_integrity();
  CHECK(cache->use().taken == 12);
  CHECK(cache->use().kept == 12);
  CHECK(cache->use().live == 0);
  CHECK(cache->use().waste() == 0);
  const int second = cache->open();
  cache->adopt(second, kept, 9);  // the last block in part
  CHECK(cache->length(second) == 9);
  CHECK(cache->use().live == 9);
  const std::size_t before = device.copied;
  REQUIRE(cache->grow(second, 12));
  CHECK(device.copied > before);  // what the prefix cache holds is not written into
  CHECK(cache->block_table(second)[2] != kept[2]);
  cache->check_integrity();
  cache->close(second);
  for (const int block : kept) cache->drop(block);
  CHECK(cache->use().taken == 0);
  cache->check_integrity();
  CHECK_FALSE(ladder().make("paged", config_of(device, 2, 32, 4, 32))->shares_blocks());
}

TEST_CASE("every rung keeps its books over a device without memory as over the host") {
  const auto drive = [](const std::string& rung, Device& device) {
    const auto cache = ladder().make(rung, config_of(device, 4, 64, 8, 4 * 64));
    std::vector<std::int64_t> seen;
    const auto look = [&] {
      cache->check_integrity();
      const KvUse use = cache->use();
      seen.insert(seen.end(), {use.slots, use.taken, use.live, use.kept, cache->free_slots()});
    };
    look();
    const int a = cache->open(), b = cache->open(), c = cache->open();
    REQUIRE(cache->grow(a, 20));
    look();
    REQUIRE(cache->share(a, b, 19));
    look();
    REQUIRE(cache->grow(b, 40));  // where blocks are shared, the last one is copied first
    look();
    if (cache->shares_blocks()) {
      const auto table = cache->block_table(a);
      const std::vector<std::int32_t> kept(table.begin(), table.begin() + 2);
      for (const int block : kept) cache->hold(block);
      cache->adopt(c, kept, 16);
      look();
      for (const int block : kept) cache->drop(block);
    }
    REQUIRE(cache->grow(c, 64));
    look();
    seen.push_back(cache->cut(c, 3, 2) ? 1 : 0);
    look();
    cache->truncate(b, 5);
    CHECK_FALSE(cache->grow(b, 65));
    look();
    for (const int seq : {a, b, c}) {
      seen.push_back(cache->length(seq));
      for (const std::int32_t block : cache->block_table(seq)) seen.push_back(block);
    }
    for (const int seq : {c, a, b}) cache->close(seq);
    look();
    CHECK(cache->use().taken == 0);
    seen.push_back(static_cast<std::int64_t>(cache->bytes()));
    for (int layer = 0; layer < 2; ++layer) {
      const KvView view = cache->view(layer);
      CHECK((device.name() == "null") == view.keys.empty());
      CHECK((device.name() == "null") == view.values.empty());
      seen.push_back(view.values.rows);
    }
    return seen;
  };
  for (const RungInfo& rung : ladder().rungs()) {
    if (rung.exercise) continue;
    INFO(rung.name);
    CHECK(drive(rung.name, null_device()) == drive(rung.name, cpu_device()));
  }
}

TEST_CASE("a device without memory holds a cache that no machine does") {
  KvConfig config = config_of(null_device(), 4096, 1 << 17, 16, 0);
  config.layers = 80;
  config.kv_heads = 8;
  config.head_dim = 128;
  config.budget = std::size_t{64} << 40;
  for (const RungInfo& rung : ladder().rungs()) {
    if (rung.exercise) continue;
    INFO(rung.name);
    const auto cache = ladder().make(rung.name, config);
    CHECK(cache->bytes() > config.budget / 10 * 9);
    const int seq = cache->open();
    REQUIRE(cache->grow(seq, 100000));
    cache->check_integrity();
  }
}

TEST_CASE("a cache that cannot be is refused in a sentence") {
  CountingDevice device;
  for (const char* rung : {"contiguous", "paged", "copy_on_write"}) {
    INFO(rung);
    KvConfig config = config_of(device, 0, 16, 4, 64);
    CHECK_THROWS_WITH(ladder().make(rung, config), testing::contains("at least 1 sequence"));
    config = config_of(device, 4, 64, 16, 63);
    CHECK_THROWS_WITH(ladder().make(rung, config), testing::contains("could never end"));
    config = config_of(device, 4, 64, 12, 64);
    CHECK_THROWS_WITH(ladder().make(rung, config), testing::contains("--block-size 12"));
    config.block_size = 512;
    CHECK_THROWS_AS(ladder().make(rung, config), UsageError);
    config.block_size = 0;
    CHECK_THROWS_AS(ladder().make(rung, config), UsageError);
    config = config_of(device, 1 << 16, 1 << 24, 16, 0);
    config.budget = 0;
    config.layers = 64;
    config.kv_heads = 64;
    CHECK_THROWS_WITH(ladder().make(rung, config), testing::contains("smaller --ctx"));
  }
}
