// Tests the serving loop without a model: the executor only advances a simulated clock, and the memory only
// counts blocks.

#include "loop/step_loop.hpp"

#include <algorithm>
#include <climits>
#include <cstring>
#include <optional>

#include "loop/cost_executor.hpp"
#include "loop/counting_space.hpp"
#include "loop/first_come.hpp"
#include "loop/loop_thread.hpp"
#include "loop/simulation.hpp"
#include "loop/swap_area.hpp"
#include "testing/catch.hpp"

using namespace rung;

namespace {

/// A loop over an executor, with all other parts that it needs.
struct LoopOver {
  explicit LoopOver(Executor& executor, const SchedulerConfig& limits, int piece = INT_MAX,
                    int width = INT_MAX)
      : scheduler(limits, piece, width),
        memory(1 << 20, 16, limits.max_sequences),
        log(executor.clock(), 1000),
        loop({executor, memory, scheduler, nullptr, nullptr, log}, config(limits)) {}

  static LoopConfig config(const SchedulerConfig& limits) {
    LoopConfig loop;
    loop.requests = {100, 1000, 1000};
    loop.longest = 1000;
    loop.steps = limits;
    return loop;
  }
  int submit(int prompt, int output, int n = 1) {
    Request request;
    request.prompt.assign(static_cast<std::size_t>(prompt), 1);
    request.max_tokens = output;
    request.n = n;
    return loop.submit(std::move(request));
  }
  void run() {
    while (loop.step()) {
    }
  }

  FirstCome scheduler;
  CountingSpace memory;
  EventLog log;
  StepLoop loop;
};

struct OneSecond {
  explicit OneSecond(int stages) : executor([](const StepPlan&) { return 1.0; }, stages) {}
  CostExecutor executor;
};

/// A loop whose steps take one second each.
struct Server : OneSecond, LoopOver {
  explicit Server(const SchedulerConfig& limits, int stages = 1, int piece = INT_MAX, int width = INT_MAX)
      : OneSecond(stages), LoopOver(executor, limits, piece, width) {}
};

SchedulerConfig at_most(int sequences) { return {sequences, 1 << 20, sequences, 0.01}; }

}  // namespace

TEST_CASE("requests become tokens, step by step, on the executor's clock") {
  Server server(at_most(2));
  const int first = server.submit(10, 3), second = server.submit(20, 5), third = server.submit(5, 1);
  server.run();
  CHECK(server.executor.clock().seconds() == 5);  // the third shares the fourth step
  CHECK(server.loop.stats().steps == 5);
  CHECK(server.loop.stats().computed_tokens == 10 + 2 + 20 + 4 + 5);
  const Result result = server.loop.take(second);
  CHECK(result.token_ids.size() == 5);
  CHECK(result.finish_reason == FinishReason::length);
  CHECK(result.first_token_s == 1);
  CHECK(result.total_s == 5);
  CHECK(server.loop.take(first).total_s == 3);
  CHECK(server.loop.take(third).first_token_s == 4);
  CHECK(server.memory.use().taken == 0);
  CHECK_THROWS_AS(server.loop.take(third), UsageError);
}

TEST_CASE("samples draw their first tokens from the leader's logits, in the leader's step") {
  Server server(at_most(4));
  const int first = server.submit(10, 3, 4);
  REQUIRE(server.loop.step());
  for (const SequenceSnapshot& s : server.loop.snapshot().sequences) CHECK(s.output_tokens == 1);
  server.run();
  for (int i = 0; i < 4; ++i) CHECK(server.loop.take(first + i).token_ids.size() == 3);
  // The memory only counts blocks and cannot share them, so three of the samples compute the prompt again.
  CHECK(server.loop.stats().computed_tokens == 4 * (10 + 2));
}

TEST_CASE("two plans in flight: a pipeline of two stages serves two groups in the time of one") {
  const auto seconds = [](int stages) {
    Server server(at_most(8), stages, INT_MAX, 4);  // four sequences in a plan
    for (int i = 0; i < 8; ++i) server.submit(4, 50);
    server.run();
    CHECK(server.loop.stats().output_tokens == 8 * 50);
    return server.executor.clock().seconds();
  };
  // With one stage, the first four requests take all steps, and the others wait. With two stages, both groups
  // are in flight at the same time.
  CHECK(seconds(1) == 100);
  CHECK(seconds(2) == 50.5);
}

TEST_CASE("two plans in flight: the pieces of a prompt follow each other through the stages") {
  Server server(at_most(1), 2, 8);
  const int id = server.submit(64, 1);
  server.run();
  CHECK(server.executor.clock().seconds() == 4.5);  // eight pieces, a stage takes half a second
  CHECK(server.loop.take(id).token_ids.size() == 1);
  int end = 0;
  for (const Event& e : server.log.events()) {
    if (e.kind != EventKind::chunk) continue;
    CHECK(e.context == (end += 8));
  }
}

TEST_CASE("a request that is cancelled while a step computes it ends with that step") {
  Server server(at_most(1), 2, 8);
  const int id = server.submit(64, 4);
  REQUIRE(server.loop.step());  // one more piece is in flight
  server.loop.cancel(id);
  CHECK(!server.loop.finished(id));
  server.run();
  CHECK(server.loop.take(id).finish_reason == FinishReason::cancelled);
  CHECK(server.loop.stats().computed_tokens == 16);  // the piece in flight, and no more
  CHECK(server.memory.use().taken == 0);
}

TEST_CASE("forks and samples that come while their leader is in flight") {
  Server server(at_most(4), 2, 8);
  const int id = server.submit(16, 4, 3);
  REQUIRE(server.loop.step());  // the piece that samples is in flight
  const int fork = server.loop.fork(id, 7);
  server.loop.cancel(id + 2);
  CHECK(!server.loop.finished(id + 2));
  server.run();
  for (const int i : {id, id + 1, fork}) CHECK(server.loop.take(i).token_ids.size() == 4);
  CHECK(server.loop.take(id + 2).finish_reason == FinishReason::cancelled);
}

TEST_CASE("a step that fails counts for nothing") {
  struct Failing final : Executor {
    void submit(const StepPlan&) override {}
    void collect(StepResult&) override { fail("the machine is on fire"); }
    Clock& clock() override { return clock_; }
    SimulatedClock clock_;
  };
  Failing executor;
  LoopOver server(executor, at_most(1));
  const int id = server.submit(3, 128);
  CHECK_THROWS_WITH(server.loop.step(), testing::contains("on fire"));
  CHECK(server.loop.snapshot().sequences[0].computed == 0);
  server.loop.cancel(id);
  CHECK(server.loop.take(id).finish_reason == FinishReason::cancelled);
}

TEST_CASE("if a plan fails, the plans behind it count for nothing either") {
  struct FailsOnce final : Executor {
    int depth() const override { return 2; }
    void submit(const StepPlan& plan) override { inner.submit(plan); }
    void collect(StepResult& result) override {
      inner.collect(result);
      if (++collected == 2) fail("a stage is gone");
    }
    Clock& clock() override { return inner.clock(); }
    CostExecutor inner{[](const StepPlan&) { return 1.0; }, 2};
    int collected = 0;
  };
  FailsOnce executor;
  LoopOver server(executor, at_most(1), 8);
  const int id = server.submit(64, 2);
  REQUIRE(server.loop.step());
  CHECK_THROWS_WITH(server.loop.step(), testing::contains("a stage is gone"));
  CHECK(executor.collected == 3);
  CHECK(server.loop.snapshot().sequences[0].computed == 8);  // of the first plan
  server.run();
  CHECK(server.loop.take(id).token_ids.size() == 2);
}

TEST_CASE("the area for swapped sequences closes its gaps before it is full") {
  SwapArea area(100);
  const auto fill = [&](int id, std::size_t bytes) {
    std::memset(area.take(id, bytes).data, id, bytes);
    CHECK(area.find(id).bytes == bytes);
  };
  fill(1, 40);
  fill(2, 20);
  fill(3, 40);
  CHECK(area.room() == 0);
  area.give_back(1);
  area.give_back(3);
  CHECK(area.room() == 80);
  fill(4, 75);  // there are 40 bytes before the second piece and 40 after it
  for (const int id : {2, 4}) {
    const SwapArea::Piece piece = area.find(id);
    CHECK(std::all_of(piece.data, piece.data + piece.bytes, [&](std::byte b) { return b == std::byte(id); }));
  }
  CHECK(area.find(1).data == nullptr);
  CHECK(area.room() == 5);
}

TEST_CASE("a loop with a thread of its own serves without a model") {
  const auto build = [] {
    auto server = std::make_shared<Server>(at_most(4));
    return std::shared_ptr<StepLoop>(server, &server->loop);
  };
  LoopThread service(build);
  std::vector<std::shared_ptr<Stream>> streams;
  for (int i = 0; i < 16; ++i) {
    Request request;
    request.prompt.assign(10, 1);
    request.max_tokens = 20;
    streams.push_back(service.submit(std::move(request)));
  }
  for (const auto& stream : streams) {
    std::size_t tokens = 0;
    while (const std::optional<Delta> delta = stream->next()) tokens += delta->token_ids.size();
    CHECK(tokens == 20);
    CHECK(stream->wait().finish_reason == FinishReason::length);
  }
  CHECK(service.snapshot().stats.finished == 16);
}
