#include "measure/step_samples.hpp"

#include <algorithm>
#include <map>

#include "core/rng.hpp"
#include "core/timer.hpp"

namespace rung {
namespace {

double bytes_of_weights(const LayerWeights& w) {
  double bytes = 0;
  for (const Weight* each :
       {&w.attn_norm, &w.q, &w.k, &w.v, &w.attn_out, &w.ffn_norm, &w.router, &w.gate, &w.up, &w.down}) {
    if (!each->empty()) bytes += static_cast<double>(each->weight.bytes());
  }
  return bytes;
}

/// Sequences that start one after the other, one per step, and decode together; then `decode` steps more.
struct Script {
  int sequences = 1;
  int prompt = 1;
  int decode = 0;
};

constexpr int kDecodeSteps = 4;  // after the last prompt; the median of them counts

std::vector<Script> scripts_of(const EngineConfig& config, const StepTiming& timing) {
  const int room = config.context - kDecodeSteps - 1;  // longest prompt that leaves room to decode
  std::vector<Script> scripts;
  for (int n = 1; n <= std::min(config.max_step_tokens, room); n *= 2)
    scripts.push_back({1, n, kDecodeSteps});
  const int batch = std::min(timing.batch, config.max_sequences);
  for (int b = 1; b <= batch; b *= 2) {
    const int prompt = std::min({8, room - b, config.max_step_tokens - b});
    if (prompt >= 1) scripts.push_back({b, prompt, kDecodeSteps});
  }
  const int longer = std::min({256, room - 4, config.max_step_tokens - 4});
  if (longer > 16 && batch >= 4) scripts.push_back({4, longer, kDecodeSteps});
  const int far = std::min(timing.context, config.context);
  for (const int context : {far / 4, far / 2, far}) {
    const int prompt = context - kDecodeSteps - 1;
    if (prompt > config.max_step_tokens) scripts.push_back({1, prompt, kDecodeSteps});
  }
  return scripts;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Runs one script; appends a sample per step, the decode steps as one.
void run_script(Engine& engine, const Script& script, std::vector<StepSample>& samples) {
  const EngineConfig& config = engine.config();
  engine.forget_prefixes();  // every repetition has the same prompts, which the prefix cache would answer
  Rng rng(static_cast<std::uint64_t>(script.sequences * 100003 + script.prompt));
  std::vector<int> ids;
  std::vector<StepSequence> running;  // what each will be in the next step
  const auto step = [&](std::span<const StepSequence> batch) {
    std::int64_t rows = engine.stats().computed_tokens;
    for (const StepSequence& s : batch) rows += s.query_count;
    const Timer timer;
    engine.step();
    const double seconds = timer.seconds();
    if (const std::int64_t computed = engine.stats().computed_tokens; computed != rows) {
      fail(
          "the engine did not run the step that was to be timed: it has computed {} tokens instead of {}; "
          "use "
          "the default rungs of the scheduler and the prefix cache",
          computed, rows);
    }
    return StepSample{{batch.begin(), batch.end()}, seconds};
  };
  for (int i = 0; i < script.sequences; ++i) {
    Request request;
    const auto vocab = static_cast<std::uint64_t>(engine.model().config.vocab_size);
    for (int t = 0; t < script.prompt; ++t)
      request.prompt.push_back(static_cast<std::int32_t>(rng.below(vocab)));
    request.max_tokens = script.sequences - i + script.decode;  // all end with the last step
    request.sampling.temperature = 0;
    request.ignore_end = true;
    ids.push_back(engine.submit(std::move(request)));
    for (int done = 0; done < script.prompt;) {
      const int chunk =
          std::min(script.prompt - done, config.max_step_tokens - static_cast<int>(running.size()));
      done += chunk;
      running.push_back({chunk, done, done == script.prompt});
      samples.push_back(step(running));
      running.pop_back();
      for (StepSequence& s : running) ++s.context_length;
    }
    running.push_back({1, script.prompt + 1, true});
  }
  std::vector<double> seconds;
  for (int i = 0; i < script.decode; ++i) {
    const StepSample sample = step(running);
    if (i == script.decode / 2) samples.push_back(sample);
    seconds.push_back(sample.seconds);
    for (StepSequence& s : running) ++s.context_length;
  }
  if (!seconds.empty()) samples.back().seconds = median(seconds);
  for (const int id : ids) {
    if (!engine.finished(id)) {
      fail(
          "the engine did not run the steps that were to be timed: request {} of {} sequences with prompts "
          "of {} "
          "tokens is not finished; use the scheduler's default rung",
          id, script.sequences, script.prompt);
    }
    engine.take(id);
  }
}

}  // namespace

StepModel step_model(const Model& model, DType kv_type) {
  const ModelConfig& m = model.config;
  StepModel s;
  s.name = m.name.empty() ? m.architecture : m.name;
  const double ffn = m.experts == 0 ? (m.gated_ffn ? 3.0 : 2.0) * m.ffn_dim
                                    : 3.0 * m.ffn_dim * m.experts_per_token + m.experts;
  s.layer_weights = static_cast<double>(m.layers) * m.dim *
                    (2.0 * m.heads * m.head_dim + 2.0 * m.kv_heads * m.head_dim + ffn);
  s.output_weights = static_cast<double>(m.dim) * m.vocab_size;
  s.output_bytes = static_cast<double>(model.weights.output.bytes());
  for (const LayerWeights& layer : model.weights.layers) {
    s.layer_bytes += bytes_of_weights(layer);
    for (const ExpertWeights& e : layer.experts) {
      s.expert_bytes += static_cast<double>(e.gate.bytes() + e.up.bytes() + e.down.bytes());
    }
  }
  if (m.experts > 0) s.expert_share = static_cast<double>(m.experts_per_token) / m.experts;
  std::map<int, int> windows;  // window -> layers
  for (int layer = 0; layer < m.layers; ++layer) {
    const auto i = static_cast<std::size_t>(layer);
    ++windows[i < m.layer_attention.size() ? m.layer_attention[i].window : 0];
  }
  for (const auto& [window, layers] : windows) {
    s.attention.push_back(
        {window,
         static_cast<double>(layers) *
             static_cast<double>(bytes_of(kv_type, std::int64_t{2} * m.kv_heads * m.head_dim)),
         4.0 * layers * m.heads * m.head_dim});
  }
  return s;
}

StepModel step_model(const KvShape& shape, DType kv_type) {
  if (shape.weight_bytes == 0 || shape.heads == 0 || shape.output_weights == 0) {
    fail(
        "{} says nothing about the size of its weights, of its output matrix or its heads, so its time "
        "cannot be planned; name a model with weights (-m) or a published shape (--shape)",
        shape.name);
  }
  // A step copies single rows of the input embedding, so it does not count, unless it is the output matrix
  // too.
  const auto output_weights = static_cast<double>(shape.output_weights);
  StepModel s;
  s.name = shape.name;
  s.output_weights = output_weights;
  s.output_bytes = kNamedShapeBytesPerWeight * output_weights;
  s.expert_bytes = kNamedShapeBytesPerWeight * shape.expert_weights;
  s.expert_share = shape.expert_share;
  s.layer_bytes = static_cast<double>(shape.weight_bytes) - s.output_bytes * (shape.tied_embeddings ? 1 : 2) -
                  s.expert_bytes;
  s.layer_weights = s.layer_bytes / kNamedShapeBytesPerWeight + shape.expert_weights * shape.expert_share;
  for (const KvLayer& layer : shape.layers) {
    if (layer.elements() == 0) continue;
    // A latent is read as it is; every head multiplies with all of it (the "absorbed" form of MLA).
    const double per_head =
        layer.latent > 0 ? 2.0 * layer.latent + layer.rotary_key : layer.key_dim + layer.value_dim;
    const StepAttention one{layer.window, static_cast<double>(bytes_of(kv_type, layer.elements())),
                            2.0 * shape.heads * per_head};
    const auto same = std::ranges::find(s.attention, layer.window, &StepAttention::window);
    if (same == s.attention.end()) {
      s.attention.push_back(one);
    } else {
      same->kv_bytes += one.kv_bytes;
      same->flops_per_pair += one.flops_per_pair;
    }
  }
  return s;
}

std::vector<StepSample> measure_steps(Engine& engine, const StepTiming& timing,
                                      const std::function<void(double)>& progress) {
  const std::vector<Script> scripts = scripts_of(engine.config(), timing);
  std::vector<std::vector<StepSample>> runs;
  double done = 0;
  for (int repeat = -1; repeat < timing.repeats; ++repeat) {  // the first one only warms up
    std::vector<StepSample>& samples = runs.emplace_back();
    for (const Script& script : scripts) {
      run_script(engine, script, samples);
      done += 1.0 / static_cast<double>(scripts.size());
      if (progress) progress(done / (timing.repeats + 1));
    }
  }
  std::vector<StepSample> result = runs.front();
  for (std::size_t i = 0; i < result.size(); ++i) {
    std::vector<double> seconds;
    for (std::size_t r = 1; r < runs.size(); ++r) seconds.push_back(runs[r][i].seconds);
    result[i].seconds = median(std::move(seconds));
  }
  return result;
}

}  // namespace rung
