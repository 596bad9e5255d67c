// Perplexity: its windows, its sums against float64 and PyTorch, its error bars, and the reference files.

#include "measure/perplexity.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

#include <sys/stat.h>

#include "catalog/variants.hpp"
#include "convert/quantize.hpp"
#include "convert/synth.hpp"
#include "core/rng.hpp"
#include "files/gguf.hpp"
#include "measure/logit_reference.hpp"
#include "testing/catch.hpp"
#include "testing/damage.hpp"

using namespace rung;
using Ids = std::vector<std::int32_t>;

namespace {

std::shared_ptr<const Model> embedded_model() {
  static const auto model =
      std::make_shared<const Model>(load_model(testing::source_file("models/tiny.gguf")));
  return model;
}

std::shared_ptr<const Model> quantized_model(DType type) {
  const std::string path = testing::scratch_file(fmt::format("perplexity_{}.gguf", traits(type).name));
  quantize(testing::source_file("models/tiny.gguf"), path, type, 2);
  return std::make_shared<const Model>(load_model(path));
}

/// An engine for windows of `ctx`, with awkward step sizes.
Engine engine_for(std::shared_ptr<const Model> model, int ctx, int sequences = 3, int step = 50,
                  int rows = 20) {
  EngineConfig config;
  config.threads = 2;
  config.context = ctx - 1;
  config.max_sequences = sequences;
  config.max_step_tokens = step;
  config.max_step_outputs = rows;
  return {std::move(model), variants(), config};
}

std::string story() {
  return nlohmann::json::parse(
      testing::read_bytes(testing::source_file("models/golden/long.json")))["prompt"];
}

Ids story_ids() { return embedded_model()->tokenizer->encode(story(), true); }

PerplexityOptions options_for(int ctx, int stride = 0) {
  PerplexityOptions options;
  options.ctx = ctx;
  options.stride = stride;
  return options;
}

/// -ln p of every counted token, from the logits of each window alone, in long double.
std::vector<double> oracle_nll(const Ids& ids, int ctx, int stride) {
  std::vector<double> nll;
  Engine engine = engine_for(embedded_model(), ctx, 1, 512, 512);
  std::size_t previous_end = 0;
  for (std::size_t begin = 0; begin < ids.size(); begin += static_cast<std::size_t>(stride)) {
    const std::size_t end = std::min(begin + static_cast<std::size_t>(ctx), ids.size());
    std::size_t at = begin;  // the token whose logits come next predict token at + 1
    if (end - begin >= 2) {
      engine.logits(std::span(ids).subspan(begin, end - begin - 1), [&](const Tensor& rows) {
        for (std::int64_t r = 0; r < rows.rows; ++r, ++at) {
          if (at + 1 < previous_end) continue;  // counted before
          long double sum = 0;
          for (std::int64_t i = 0; i < rows.cols; ++i)
            sum += std::exp(static_cast<long double>(rows.ptr<float>(r)[i]));
          nll.push_back(static_cast<double>(std::log(sum) - rows.ptr<float>(r)[ids[at + 1]]));
        }
      });
    }
    previous_end = end;
    if (end == ids.size()) break;
  }
  return nll;
}

PerplexityResult measure(const std::shared_ptr<const Model>& model, PerplexityOptions options) {
  Engine engine = engine_for(model, options.ctx);
  return measure_perplexity(engine, story_ids(), options);
}

}  // namespace

TEST_CASE("every token but those at the head of a window counts exactly once") {
  for (const std::size_t tokens : {0, 1, 2, 3, 7, 8, 9, 16, 17, 100}) {
    for (const int ctx : {2, 3, 8, 100, 200}) {
      for (const int stride : {1, 2, 3, 7, 8, 99, 100, 200}) {
        if (stride > ctx) continue;
        INFO(tokens << " tokens, ctx " << ctx << ", stride " << stride);
        std::vector<int> counted(tokens);
        const auto windows = perplexity_windows(tokens, ctx, stride);
        for (const PerplexityWindow& w : windows) {
          REQUIRE(w.begin < w.first);
          REQUIRE(w.first < w.end);
          REQUIRE(w.end - w.begin <= static_cast<std::size_t>(ctx));
          REQUIRE(w.begin % static_cast<std::size_t>(stride) == 0);
          // As many tokens before it as the stride leaves, unless the text begins there.
          if (w.begin > 0)
            REQUIRE(w.first - w.begin >= std::max<std::size_t>(1, static_cast<std::size_t>(ctx - stride)));
          for (std::size_t i = w.first; i < w.end; ++i) ++counted[i];
        }
        for (std::size_t i = 0; i < tokens; ++i) {
          const bool head = i == 0 || (stride == ctx && i % static_cast<std::size_t>(ctx) == 0);
          REQUIRE(counted[i] == (head ? 0 : 1));
        }
        const auto two = perplexity_windows(tokens, ctx, stride, 2);
        REQUIRE(two.size() == std::min<std::size_t>(2, windows.size()));
      }
    }
  }
  CHECK_THROWS_WITH(perplexity_windows(10, 1, 1), testing::contains("at least 2 tokens"));
  CHECK_THROWS_WITH(perplexity_windows(10, 8, 9), testing::contains("--stride is 9"));
  CHECK_THROWS_WITH(perplexity_windows(10, 8, 0), testing::contains("--stride is 0"));
}

TEST_CASE("logits of several sequences: the same bits as alone, in order, only where asked for") {
  const std::string path = testing::scratch_file("perplexity_odd.gguf");
  synth(path, "test-tiny", DType::f32, 7, 2);
  const auto model = std::make_shared<const Model>(load_model(path));
  Rng rng(5);
  for (int round = 0; round < 12; ++round) {
    std::vector<Ids> texts(1 + rng.below(9));
    std::vector<LogitsJob> jobs;
    for (Ids& text : texts) {
      for (std::uint64_t i = 0, n = 1 + rng.below(40); i < n; ++i)
        text.push_back(
            static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(model->config.vocab_size))));
      jobs.push_back({text, static_cast<int>(rng.below(text.size()))});
    }
    Engine engine = engine_for(model, 41, 1 + round % 4, 1 + static_cast<int>(rng.below(60)),
                               1 + static_cast<int>(rng.below(30)));
    std::size_t job = 0;
    int position = jobs[0].first;
    std::vector<std::vector<float>> got(jobs.size());
    engine.logits(jobs, [&](std::size_t j, int p, const Tensor& rows) {
      if (j != job) {
        REQUIRE(j == job + 1);
        REQUIRE(position == static_cast<int>(jobs[job].tokens.size()));
        job = j;
        position = jobs[j].first;
      }
      REQUIRE(p == position);
      position += static_cast<int>(rows.rows);
      got[j].insert(got[j].end(), rows.ptr<float>(), rows.ptr<float>() + rows.size());
    });
    REQUIRE(job + 1 == jobs.size());
    for (std::size_t j = 0; j < jobs.size(); ++j) {
      std::vector<float> alone;
      engine.logits(texts[j], [&](const Tensor& rows) {
        alone.insert(alone.end(), rows.ptr<float>(), rows.ptr<float>() + rows.size());
      });
      alone.erase(alone.begin(), alone.begin() + std::int64_t{jobs[j].first} * model->config.vocab_size);
      REQUIRE(alone.size() == got[j].size());
      REQUIRE(std::memcmp(alone.data(), got[j].data(), alone.size() * sizeof(float)) == 0);
    }
  }
  // A refused job stops everything before it starts, and no sequence stays open.
  Engine engine = engine_for(model, 41, 1);
  const Ids good = {1, 2}, bad = {1, -2};
  const std::vector<LogitsJob> jobs = {{good, 0}, {bad, 0}};
  for (int i = 0; i < 3; ++i) {
    CHECK_THROWS_WITH(engine.logits(jobs, [](std::size_t, int, const Tensor&) { FAIL("computed"); }),
                      testing::contains("outside the vocabulary"));
    CHECK_THROWS_WITH(engine.logits(good, [](const Tensor&) { fail("the reader stops here"); }),
                      testing::contains("stops here"));
  }
}

TEST_CASE("nll, perplexity and bits per byte against a long double oracle") {
  const Ids ids = story_ids();
  REQUIRE(ids.size() > 250);
  for (const auto& [ctx, stride] : {std::pair{64, 64}, {64, 16}, {33, 32}, {2, 2}, {513, 512}, {100, 1}}) {
    INFO("ctx " << ctx << ", stride " << stride);
    const auto expected = oracle_nll(ids, ctx, stride);
    const PerplexityResult r = measure(embedded_model(), options_for(ctx, stride));
    REQUIRE(r.predicted == expected.size());
    const double mean =
        std::accumulate(expected.begin(), expected.end(), 0.0) / static_cast<double>(expected.size());
    REQUIRE(mean > 1);
    // Logits are the same bits; what differs is double against long double over 4,096 terms.
    CHECK(std::abs(r.nll - mean) <= 4096 * 2.3e-16 * mean);
    CHECK(r.ppl() == Approx(std::exp(mean)).epsilon(1e-12));
    if (stride < ctx) {
      CHECK(r.predicted == ids.size() - 1);
      CHECK(r.bytes == story().size());  // the start token is no part of the text
      CHECK(r.bits_per_byte() == Approx(mean * static_cast<double>(expected.size()) / std::log(2.0) /
                                        static_cast<double>(story().size()))
                                     .epsilon(1e-12));
    }
  }
}

TEST_CASE("the parts of a window hold every token once, and those of their places") {
  const Ids ids = story_ids();
  for (const auto& [ctx, parts] : {std::pair{64, 1}, {64, 63}, {64, 4}, {33, 5}, {100, 7}}) {
    INFO("ctx " << ctx << ", " << parts << " parts");
    PerplexityOptions options = options_for(ctx);
    options.parts = parts;
    const PerplexityResult r = measure(embedded_model(), options);
    const std::vector<double> nll = oracle_nll(ids, ctx, ctx);
    REQUIRE(r.parts.size() == static_cast<std::size_t>(parts));
    CHECK(r.parts.front().from == 1);
    CHECK(r.parts.back().to == ctx - 1);
    std::uint64_t predicted = 0;
    for (std::size_t p = 0; p < r.parts.size(); ++p) {
      if (p > 0) CHECK(r.parts[p].from == r.parts[p - 1].to + 1);
      predicted += r.parts[p].predicted;
      double sum = 0;
      std::uint64_t count = 0;
      for (std::size_t i = 0; i < nll.size(); ++i) {
        const int place = static_cast<int>(i) % (ctx - 1) + 1;  // every window but the last counts ctx - 1
        if (place < r.parts[p].from || place > r.parts[p].to) continue;
        sum += nll[i];
        ++count;
      }
      REQUIRE(count == r.parts[p].predicted);
      if (count > 0) CHECK(r.parts[p].nll == Approx(sum / static_cast<double>(count)).epsilon(1e-9));
    }
    CHECK(predicted == r.predicted);
  }
}

TEST_CASE("nll against PyTorch on a text that the model was never trained on") {
  // models/train/evaluate.py --windows 5: 3.829914 nats per token, 1.556022 bits per byte; float32 logits.
  const std::string path = testing::shared_file("data/corpus/valid.txt");
  if (path.empty()) return;
  std::string text = testing::read_bytes(path).substr(0, 30000);
  const std::string line = "\n<|endoftext|>\n";
  for (std::size_t at = 0; (at = text.find(line, at)) != std::string::npos;)
    text.replace(at, line.size(), "<|endoftext|>");
  PerplexityOptions options = options_for(1025, 1024);
  options.max_windows = 5;
  Engine engine = engine_for(embedded_model(), options.ctx, 1, 512, 512);
  const PerplexityResult r =
      measure_perplexity(engine, embedded_model()->tokenizer->encode(text, true), options);
  CHECK(r.predicted == 5120);
  CHECK(r.bytes == 18181);
  CHECK(std::abs(r.nll - 3.829914) < 2e-6);
  CHECK(std::abs(r.bits_per_byte() - 1.556022) < 2e-6);
}

TEST_CASE("logits that are not finite are told with their place") {
  const std::string path = testing::scratch_file("perplexity_nan.gguf");
  std::string bytes = testing::read_bytes(testing::source_file("models/tiny.gguf"));
  const auto gguf = Gguf::open(testing::source_file("models/tiny.gguf"));
  bytes.replace(gguf->find_tensor("output_norm.weight")->offset, 4, std::string("\0\0\xc0\x7f", 4));
  testing::write_bytes(path, bytes);
  const auto model = std::make_shared<const Model>(load_model(path));
  CHECK_THROWS_WITH(measure(model, options_for(32)), testing::contains("token 1 of the text are not finite"));
}

TEST_CASE("means over groups and quantiles against numbers worked out by hand") {
  GroupedMean even(3);  // groups of two: sums 3, 7, 11, mean 3.5, deviations -4, 0, 4
  for (int i = 0; i < 6; ++i) even.add(static_cast<std::size_t>(i / 2), i + 1);
  CHECK(even.mean() == Approx(3.5));
  CHECK(even.standard_error().value() == Approx(std::sqrt(1.5 * 32) / 6));
  GroupedMean single(4);  // groups of one: the usual standard error, here sqrt(5/3) / 2
  for (std::size_t i = 0; i < 4; ++i) single.add(i, static_cast<double>(i));
  CHECK(single.standard_error().value() == Approx(std::sqrt(5.0 / 3.0) / 2));
  GroupedMean one(1);
  one.add(0, 5);
  CHECK(one.mean() == 5);
  CHECK_FALSE(one.standard_error().has_value());

  std::vector<float> values = {5, 1, 4, 2, 3};
  CHECK(quantile(values, 0.5) == 3);
  CHECK(quantile(values, 0.9) == Approx(4.6));  // numpy.quantile's default
  CHECK(quantile(values, 0) == 1);
  CHECK(quantile(values, 1) == 5);
}

TEST_CASE("one record of a reference: within half a step, and its probabilities add up to 1") {
  Rng rng(3);
  for (const std::size_t vocab : {1, 2, 517, 2048}) {
    for (const double spread : {0.0, 1.0, 4.0, 1000.0}) {
      INFO("vocabulary " << vocab << ", spread " << spread);
      std::vector<float> logits(vocab);
      for (float& x : logits) x = static_cast<float>(spread * rng.normal());
      double sum = 0;
      const double top = *std::max_element(logits.begin(), logits.end());
      for (const float x : logits) sum += std::exp(x - top);
      const double log_sum = top + std::log(sum);
      std::vector<std::byte> record(16 + 2 * vocab);
      encode_record(logits, log_sum, 0, record);
      const ReferenceRow row(record);
      REQUIRE(row.vocab() == vocab);
      double total = 0;
      for (std::size_t i = 0; i < vocab; ++i) {
        const double exact = logits[i] - log_sum;
        total += std::exp(row.log_p(i));
        // Half a step of at most 32 / 65535, once for the entry and once for the sum that it is divided by.
        if (logits[i] > top - 32) REQUIRE(std::abs(row.log_p(i) - exact) <= 32.0 / 65535 + 1e-6);
        if (logits[i] <= top - 32) REQUIRE(row.log_p(i) < -31);
      }
      CHECK(total == Approx(1).epsilon(1e-12));
      CHECK(row.target_log_p() == Approx(logits[0] - log_sum).margin(1e-6));
      CHECK(logits[row.top_id()] == static_cast<float>(top));
    }
  }
}

TEST_CASE("KL: zero for the model itself, more for q4_0 than for q8_0") {
  PerplexityOptions save = options_for(48, 32);
  save.save = testing::scratch_file("reference.rungref");
  save.model_name = "tiny";
  const PerplexityResult own = measure(embedded_model(), save);

  PerplexityOptions compare = options_for(48, 32);
  compare.reference = save.save;
  const PerplexityResult same = measure(embedded_model(), compare);
  REQUIRE(same.divergence);
  CHECK(same.nll == own.nll);
  CHECK(same.divergence->reference_model == "tiny");
  CHECK(same.divergence->reference_nll == Approx(own.nll).epsilon(1e-6));
  // Entries are off by at most h = half a step, so the divergence of a row is at most h^2 / 2 (Hoeffding).
  const double half_step = 16.0 / 65535;
  CHECK(same.divergence->kl >= -1e-12);
  CHECK(same.divergence->kl_max <= half_step * half_step / 2 + 1e-12);
  CHECK(same.divergence->same_top == 1);
  CHECK(same.divergence->p_rms < 1e-6);

  const DivergenceResult q8 = *measure(quantized_model(DType::q8_0), compare).divergence;
  const DivergenceResult q4 = *measure(quantized_model(DType::q4_0), compare).divergence;
  CHECK(q8.kl > 1e-5);
  CHECK(q4.kl > 20 * q8.kl);
  CHECK(q4.same_top < q8.same_top);
  CHECK(q4.p_rms > q8.p_rms);
  CHECK(q4.kl_error.value() > 0);
  for (const DivergenceResult& d : {q8, q4}) {
    CHECK(d.kl_median <= d.kl_90);
    CHECK(d.kl_90 <= d.kl_99);
    CHECK(d.kl_99 <= d.kl_999);
    CHECK(d.kl_999 <= d.kl_max);
  }
}

TEST_CASE("a reference that does not fit, or is damaged, is refused with a sentence") {
  PerplexityOptions save = options_for(32);
  save.save = testing::scratch_file("refused.rungref");
  save.max_windows = 3;
  measure(embedded_model(), save);
  const auto refusal = [&](int ctx, int stride, std::size_t windows, const std::string& path) {
    PerplexityOptions o = options_for(ctx, stride);
    o.max_windows = windows;
    o.reference = path;
    return testing::sentence_of([&] { measure(embedded_model(), o); });
  };
  CHECK(refusal(32, 32, 3, save.save).empty());
  CHECK_THAT(refusal(33, 32, 3, save.save), testing::contains("use the same --ctx"));
  CHECK_THAT(refusal(32, 31, 3, save.save), testing::contains("use the same --stride"));
  CHECK_THAT(refusal(32, 32, 2, save.save), testing::contains("another --chunks"));
  CHECK_THAT(refusal(32, 32, 3, testing::scratch_file("absent")), testing::contains("cannot read"));
  CHECK_THAT(refusal(32, 32, 3, testing::source_file("models")), testing::contains("folder"));
  CHECK_THAT(refusal(32, 32, 3, testing::source_file("README.md")), testing::contains("no reference"));

  ReferenceHeader other;
  other.vocab = 7;
  const std::string small = testing::scratch_file("small.rungref");
  ReferenceWriter(small, other).finish();
  CHECK_THAT(refusal(32, 32, 3, small), testing::contains("a vocabulary of 7"));
  // A device, such as /dev/null, must not be replaced by a file; a pipe stands for it.
  const std::string pipe = testing::scratch_file("rungref_pipe");
  std::filesystem::remove(pipe);
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_THROWS_WITH(ReferenceWriter(pipe, other), testing::contains("a pipe without a reader"));
  CHECK(std::filesystem::is_fifo(pipe));
  std::filesystem::remove(pipe);

  Engine engine = engine_for(embedded_model(), 32);
  Ids changed = story_ids();
  changed[5] ^= 1;
  PerplexityOptions o = options_for(32);
  o.max_windows = 3;
  o.reference = save.save;
  CHECK_THROWS_WITH(measure_perplexity(engine, changed, o), testing::contains("another text"));
  CHECK_THROWS_WITH(measure_perplexity(engine, Ids{1}, options_for(32)),
                    testing::contains("nothing to predict"));

  const std::string whole = testing::read_bytes(save.save);
  const std::string damaged = testing::scratch_file("damaged.rungref");
  for (const std::size_t size : {0, 7, 30, 55, 60, 1000}) {
    testing::write_bytes(damaged, std::string_view(whole).substr(0, size));
    CHECK(refusal(32, 32, 3, damaged).size() > 20);
  }
  testing::write_bytes(damaged, whole + "x");
  CHECK_THAT(refusal(32, 32, 3, damaged), testing::contains("cut short or damaged"));
  Rng rng(1);
  for (int i = 0; i < 200; ++i) {
    testing::write_bytes(damaged, testing::flip_bits(whole, rng, 60));
    testing::survives([&] { ReferenceReader reader(damaged); });
  }

  // An unfinished file does not stay.
  PerplexityOptions stopped = options_for(32);
  stopped.save = testing::scratch_file("stopped.rungref");
  stopped.progress = [](std::uint64_t, std::uint64_t) { fail("stopped on purpose"); };
  CHECK_THROWS_WITH(measure(embedded_model(), stopped), testing::contains("stopped on purpose"));
  CHECK_FALSE(std::filesystem::exists(stopped.save));
  CHECK_FALSE(std::filesystem::exists(stopped.save + ".incomplete"));
}
