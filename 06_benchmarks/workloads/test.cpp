// Every rung on the trials, and what each load promises.

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "loop/request_trace.hpp"
#include "testing/topic_test.hpp"
#include "workloads.hpp"

using namespace rung;

namespace {

const Registry& registry() { return testing::registry_of<workloads::register_rungs>(); }

Workload make(const std::string& rung, const WorkloadConfig& config) {
  return registry().ladder<WorkloadMaker>().make(rung, config)->make();
}

/// The tokens of request `i` with all that it follows; an answer is -(number of the request) - 1.
std::vector<std::int32_t> text(const Workload& workload, std::size_t i) {
  const WorkloadRequest& request = workload.requests[i];
  std::vector<std::int32_t> tokens;
  if (request.after >= 0) {
    const auto before = static_cast<std::size_t>(request.after);
    tokens = text(workload, before);
    tokens.insert(tokens.end(), static_cast<std::size_t>(workload.requests[before].output),
                  -request.after - 1);
  }
  for (const Segment& segment : request.prompt) append_segment(segment, 1, 1000, tokens);
  return tokens;
}

std::size_t common(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
  std::size_t n = 0;
  while (n < a.size() && n < b.size() && a[n] == b[n]) ++n;
  return n;
}

std::string written(const std::string& name, const std::string& content) {
  const std::string path = testing::scratch_file(name);
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

RequestTrace read(const std::string& content) {
  std::istringstream in(content);
  return read_request_trace(in, "trace");
}

const char* const kMooncake =
    R"({"timestamp": 2000, "input_length": 1300, "output_length": 52, "hash_ids": [0, 1, 2]}
{"timestamp": 5000, "input_length": 1024, "output_length": 1, "hash_ids": [0, 1]}

{"timestamp": 5000, "input_length": 513, "output_length": 8, "hash_ids": [0, 7]}
)";

}  // namespace

TEST_CASE("every rung has the gaps that theory says") {
  testing::judge_all(testing::registry_of<workloads::register_rungs>(), "arrivals");
}

TEST_CASE("the oracle of gamma gaps") {
  for (const double x : {0.01, 0.3, 1.0, 2.5, 9.0}) {
    CHECK(workloads::gamma_gap_share(x, 1) == Approx(1 - std::exp(-x)).epsilon(1e-12));  // exponential
    const double y = 4 * x;  // shape 4 is a sum of four exponential ones
    CHECK(workloads::gamma_gap_share(x, 0.5) ==
          Approx(1 - std::exp(-y) * (1 + y + y * y / 2 + y * y * y / 6)).epsilon(1e-10).margin(1e-14));
    CHECK(workloads::gamma_gap_share(x, std::sqrt(2)) == Approx(std::erf(std::sqrt(x / 2))).epsilon(1e-12));
  }
}

TEST_CASE("arrivals depend on their seed alone, and impossible ones are refused") {
  const auto& ladder = registry().ladder<Arrivals>();
  ArrivalsConfig config;
  config.cv = 2;
  const auto a = ladder.make("gamma", config), b = ladder.make("gamma", config);
  config.seed = 2;
  const auto c = ladder.make("gamma", config);
  const double first = a->gap();
  CHECK(first == b->gap());
  CHECK(first != c->gap());
  CHECK_THROWS_AS(ladder.make("poisson", config), Error);  // its gaps have a coefficient of 1
  config.cv = -1;
  CHECK_THROWS_AS(ladder.make("gamma", config), Error);
  config = {};
  config.rate = 0;
  CHECK_THROWS_AS(ladder.make("poisson", config), UsageError);
}

TEST_CASE("tide: more requests come in the first half of the period than in the second") {
  ArrivalsConfig config;
  config.rate = 100;
  config.period_s = 10;
  const auto tide = registry().ladder<Arrivals>().make("tide", config);
  int first = 0, second = 0;
  for (double now = tide->gap(); now < 200; now += tide->gap()) ++(std::fmod(now, 10) < 5 ? first : second);
  CHECK(first > 2.5 * second);  // (1 + 1.6 / pi) / (1 - 1.6 / pi) is 3.1
  CHECK(first + second == Approx(20000).epsilon(0.03));
}

TEST_CASE("a segment's tokens depend on its number; a shorter one is the beginning of a longer one") {
  std::vector<std::int32_t> a, b, c, d;
  append_segment({7, 50}, 1, 300, a);
  append_segment({7, 20}, 1, 300, b);
  append_segment({8, 50}, 1, 300, c);
  append_segment({7, 50}, 2, 300, d);
  CHECK(common(a, b) == 20);
  CHECK(common(a, c) < 5);
  CHECK(common(a, d) < 5);
  CHECK(*std::max_element(a.begin(), a.end()) < 300);
}

TEST_CASE("sharegpt: means as published, spread as stated") {
  WorkloadConfig config;
  config.requests = 40000;
  const Workload workload = make("sharegpt", config);
  double prompt = 0, output = 0, logs = 0, squares = 0;
  for (std::size_t i = 0; i < workload.requests.size(); ++i) {
    const double tokens = workload.prompt_tokens(i);
    prompt += tokens;
    output += workload.requests[i].output;
    logs += std::log(tokens);
    squares += std::log(tokens) * std::log(tokens);
  }
  const double n = config.requests;
  CHECK(prompt / n == Approx(161.31).epsilon(0.03));
  CHECK(output / n == Approx(337.99).epsilon(0.03));
  CHECK(std::sqrt(squares / n - logs / n * logs / n) == Approx(0.985).epsilon(0.02));
  config.longest = 300;
  config.requests = 500;
  for (const WorkloadRequest& r : make("sharegpt", config).requests)
    CHECK(r.prompt[0].tokens + r.output <= 300);
  config.longest = 1;
  CHECK_THROWS_AS(make("sharegpt", config), UsageError);
}

TEST_CASE("random lengths stay in their ranges, and begin with the shared prefix") {
  WorkloadConfig config;
  config.shared_prefix = 30;
  config.users = 3;
  const Workload workload = make("random_lengths", config);
  REQUIRE(workload.requests.size() == 64);
  for (std::size_t i = 0; i < 64; ++i) {
    CHECK(workload.prompt_tokens(i) >= 38);
    CHECK(workload.prompt_tokens(i) <= 94);
    CHECK(workload.requests[i].user == static_cast<int>(i % 3));
    CHECK(common(text(workload, i), text(workload, 0)) >= 30);
  }
  CHECK(common(text(workload, 1), text(workload, 0)) < 33);
}

TEST_CASE("chat: a turn begins with all that was said before") {
  WorkloadConfig config;
  config.requests = 10;
  config.turns = 4;
  config.shared_prefix = 20;
  config.think_s = 2;
  const Workload workload = make("chat", config);
  REQUIRE(workload.requests.size() == 10);
  for (std::size_t i = 0; i < 10; ++i) {
    const WorkloadRequest& r = workload.requests[i];
    CHECK(r.after == (i % 4 == 0 ? -1 : static_cast<int>(i) - 1));
    CHECK(static_cast<int>(text(workload, i).size()) == workload.prompt_tokens(i));
    if (r.after < 0) continue;
    const auto before = text(workload, i - 1);
    CHECK(common(before, text(workload, i)) == before.size());
    CHECK(workload.prompt_tokens(i) > static_cast<int>(before.size()) + workload.requests[i - 1].output);
    CHECK(r.think_s > 0);
    CHECK(r.user == workload.requests[i - 1].user);
  }
  CHECK(common(text(workload, 0), text(workload, 4)) >= 20);
}

TEST_CASE("agents: a tree whose siblings share all but their last tokens") {
  WorkloadConfig config;
  config.requests = 14;
  config.turns = 3;
  config.branches = 2;
  const Workload workload = make("agents", config);
  REQUIRE(workload.requests.size() == 14);  // two trees of 1 + 2 + 4
  std::map<int, int> children;
  for (std::size_t i = 0; i < 14; ++i) {
    const WorkloadRequest& r = workload.requests[i];
    CHECK((r.after < 0) == (i % 7 == 0));
    if (r.after < 0) continue;
    CHECK(r.after < static_cast<int>(i));
    ++children[r.after];
    const auto parent = text(workload, static_cast<std::size_t>(r.after));
    CHECK(common(parent, text(workload, i)) == parent.size());
  }
  CHECK(children == std::map<int, int>{{0, 2}, {1, 2}, {2, 2}, {7, 2}, {8, 2}, {9, 2}});
  const auto a = text(workload, 3), b = text(workload, 4);
  CHECK(common(a, b) >= text(workload, 1).size() + static_cast<std::size_t>(workload.requests[1].output));
  CHECK(common(a, b) < a.size());
}

TEST_CASE("traces are read for what they are") {
  const RequestTrace azure = read(
      "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 23:59:59.5000000,374,44\r\n\r\n"
      "2023-11-17 00:00:01.25,396, 109 \r\n");
  REQUIRE(azure.requests.size() == 2);
  CHECK(azure.has_arrivals);
  CHECK(azure.block_tokens == 0);
  CHECK(azure.requests[1].arrival_s == Approx(1.75));
  CHECK((azure.requests[1].prompt == 396 && azure.requests[1].output == 109));
  CHECK(read("t,p,o\n3.5,1,2\n7,1,2").requests[1].arrival_s == 3.5);
  CHECK_FALSE(read("a,b,c\nx,10,3\n").has_arrivals);
  const RequestTrace mooncake = read(kMooncake);
  REQUIRE(mooncake.requests.size() == 3);
  CHECK(mooncake.block_tokens == 512);
  CHECK(mooncake.requests[2].arrival_s == 3);
  CHECK(mooncake.requests[2].blocks == std::vector<std::int64_t>{0, 7});
}

TEST_CASE("a trace may say whose its requests are") {
  const RequestTrace trace = read("time,user,prompt,output\n0,3,10,2\n1, 0 ,10,2\n");
  CHECK(trace.requests[0].user == 3);
  CHECK(trace.requests[1].user == 0);
  CHECK(read("time,prompt,output\n0,10,2\n").requests[0].user == -1);
  for (const char* whose : {"x", "-1", "1.5", "99999999", ""}) {
    CHECK_THROWS_WITH(read(fmt::format("time,user,prompt,output\n0,{},10,2\n", whose)),
                      testing::contains("is not a user"));
  }
  WorkloadConfig config;
  config.requests = 2;
  config.users = 5;
  config.trace = written("users_test.csv", "time,user,prompt,output\n0,3,10,2\n1,0,10,2\n");
  const Workload workload = make("trace", config);
  CHECK(workload.requests[0].user == 3);
  CHECK(workload.requests[1].user == 0);
}

TEST_CASE("traces that are none are refused in a sentence with the line") {
  const auto refused = [](const std::string& content, const std::string& part) {
    CHECK_THROWS_WITH(read(content), testing::contains(part));
  };
  refused("", "has no requests");
  refused("t,p,o\n", "has no requests");
  refused("t,p,o\n1,2\n", "line 2: '1,2' does not end in two counts");
  refused("t,p,o\n1,2,3\n4,x,6\n", "line 3");
  refused("t,p,o\n1,2,3x\n", "does not end in two counts");
  refused("t,p,o\n1,-2,3\n", "the number of prompt tokens is -2");
  refused("t,p,o\n1,99999999999,3\n", "the number of prompt tokens");
  refused("t,p,o\n2,1,1\n1,1,1\n", "sort the trace");
  refused("{\"timestamp\": 1}\n", "'input_length' is missing");
  refused("{\"timestamp\": 0, \"input_length\": 600, \"output_length\": 1, \"hash_ids\": [1]}\n",
          "2 hash_ids");
  refused("{\"timestamp\": 0, \"input_length\": 5, \"output_length\": 1, \"hash_ids\": [\"a\"]}\n",
          "whole numbers");
  refused(std::string(kMooncake) + "nonsense\n", "line 5");
  CHECK_THROWS_WITH(read_request_trace("absent.csv"), testing::contains("cannot read the trace"));
  CHECK_THROWS_AS(make("trace", {}), UsageError);
}

TEST_CASE("a Mooncake trace shares blocks here as it did there") {
  WorkloadConfig config;
  config.trace = written("mooncake_test.jsonl", kMooncake);
  config.length_scale = 8.0 / 512;
  config.time_scale = 0.5;
  Workload workload = make("trace", config);
  REQUIRE(workload.requests.size() == 3);
  CHECK(workload.has_arrivals);
  CHECK(workload.requests[2].arrival_s == 1.5);
  CHECK(workload.prompt_tokens(0) == 8 + 8 + 4);  // 276 tokens of the third block are left: 4.3
  CHECK(workload.requests[0].output == 1);
  CHECK(common(text(workload, 0), text(workload, 1)) == 16);
  CHECK(common(text(workload, 0), text(workload, 2)) == 8);
  config.longest = 17;
  workload = make("trace", config);
  CHECK(workload.requests.size() == 2);
  CHECK(workload.left_out == 1);
  config.longest = 2;
  CHECK_THROWS_AS(make("trace", config), UsageError);
}

// The counts were made with ten lines of Python from the file itself: for each request in order, how many of
// its first blocks had been seen before.
TEST_CASE("the whole Mooncake trace has the prefixes that were counted without this reader") {
  const std::string packed = testing::shared_file("data/traces/mooncake_conversation_trace.jsonl.gz");
  if (packed.empty()) return;
  WorkloadConfig config;
  config.trace = packed;
  config.requests = 20000;
  const Workload workload = make("trace", config);
  CHECK(workload.requests.size() == 12031);
  std::set<std::uint64_t> seen;
  std::size_t blocks = 0, hits = 0;
  for (const WorkloadRequest& r : workload.requests) {
    bool known = true;
    for (const Segment& s : r.prompt) hits += known = known && seen.count(s.id) > 0;
    for (const Segment& s : r.prompt) seen.insert(s.id);
    blocks += r.prompt.size();
  }
  CHECK(blocks == 288500);
  CHECK(seen.size() == 182790);
  CHECK(hits == 105710);
}

TEST_CASE("one conversation in four is kept as a whole") {
  std::string lines;
  for (int i = 0; i < 4000; ++i) {
    lines += "{\"timestamp\": " + std::to_string(i) +
             ", \"input_length\": 1024, \"output_length\": 5, \"hash_ids\": [0, " +
             std::to_string(1 + i % 1000) + "]}\n";
  }
  WorkloadConfig config;
  config.trace = written("sampled_test.jsonl", lines);
  config.requests = 4000;
  config.keep_one_in = 4;
  const Workload workload = make("trace", config);
  std::map<std::uint64_t, int> turns;
  for (const WorkloadRequest& r : workload.requests) ++turns[r.prompt[1].id];
  CHECK(turns.size() > 180);
  CHECK(turns.size() < 320);
  for (const auto& turn : turns) CHECK(turn.second == 4);
}
