// The published shapes, one row each, with the values of their config.json.

#include <algorithm>
#include <array>
#include <string_view>

#include "core/error.hpp"
#include "model/kv_shape.hpp"
#include "model/synth_shape.hpp"

namespace rung {
namespace {

struct PublishedShape {
  std::string_view name;
  int layers, heads, kv_heads, head_dim;
  int latent, rotary_key;     // for MLA, in which kv_heads and head_dim do not affect the cache
  int window, window_period;  // every window_period-th layer sees the whole text; 1: no layer does
  int context_length;
  int dim, vocab_size;
  bool tied_embeddings;
  double parameters;            // rounded to three digits
  double active_parameters;     // that one token uses, with its experts and both embeddings; 0: all of them
  int experts_chosen, experts;  // of those from which a token chooses; 0 and 0: no mixture
  std::string_view source;      // source of the numbers; dim and vocab_size are from the model's config.json
};

// name, layers, heads, KV heads, head_dim, latent, rotary key, window, period, context, dim, vocabulary,
// tied, parameters, active parameters, chosen experts, experts, source
constexpr std::array<PublishedShape, 14> kPublished = {{
    {"opt-13b", 40, 40, 40, 128, 0, 0, 0, 1, 2048, 5120, 50272, true, 12.9e9, 0, 0, 0,
     "arXiv 2205.01068, 2309.06180"},
    {"llama-2-7b", 32, 32, 32, 128, 0, 0, 0, 1, 4096, 4096, 32000, false, 6.74e9, 0, 0, 0,
     "arXiv 2307.09288"},
    {"llama-2-70b", 80, 64, 8, 128, 0, 0, 0, 1, 4096, 8192, 32000, false, 69.0e9, 0, 0, 0,
     "arXiv 2307.09288"},
    {"llama-3-8b", 32, 32, 8, 128, 0, 0, 0, 1, 8192, 4096, 128256, false, 8.03e9, 0, 0, 0,
     "arXiv 2407.21783"},
    {"llama-3.1-405b", 126, 128, 8, 128, 0, 0, 0, 1, 131072, 16384, 128256, false, 406e9, 0, 0, 0,
     "arXiv 2407.21783"},
    {"qwen2.5-72b", 80, 64, 8, 128, 0, 0, 0, 1, 131072, 8192, 152064, false, 72.7e9, 0, 0, 0,
     "arXiv 2412.15115"},
    {"qwen3-8b", 36, 32, 8, 128, 0, 0, 0, 1, 40960, 4096, 151936, false, 8.19e9, 0, 0, 0, "arXiv 2505.09388"},
    {"falcon-7b", 32, 71, 1, 64, 0, 0, 0, 1, 2048, 4544, 65024, false, 7.22e9, 0, 0, 0, "arXiv 2311.16867"},
    {"mistral-7b-v0.1", 32, 32, 8, 128, 0, 0, 4096, 1, 32768, 4096, 32000, false, 7.24e9, 0, 0, 0,
     "arXiv 2310.06825"},
    {"gemma-2-9b", 42, 16, 8, 256, 0, 0, 4096, 2, 8192, 3584, 256000, true, 9.24e9, 0, 0, 0,
     "arXiv 2408.00118"},
    {"gemma-3-27b", 62, 32, 16, 128, 0, 0, 1024, 6, 131072, 5376, 262208, true, 27.0e9, 0, 0, 0,
     "arXiv 2503.19786"},
    {"deepseek-v2-lite", 27, 16, 16, 128, 512, 64, 0, 1, 32768, 2048, 102400, false, 15.7e9, 2.4e9, 6, 64,
     "arXiv 2405.04434"},
    {"deepseek-v2", 60, 128, 128, 128, 512, 64, 0, 1, 131072, 5120, 102400, false, 236e9, 21e9, 6, 160,
     "arXiv 2405.04434"},
    {"deepseek-v3", 61, 128, 128, 128, 512, 64, 0, 1, 131072, 7168, 129280, false, 671e9, 37e9, 8, 256,
     "arXiv 2412.19437"},
}};

/// The weights of all experts, from the published sums: all parameters are the others plus all experts, and
/// the active ones are the others plus a share of the experts.
double expert_weights(const PublishedShape& row, double share) {
  return row.experts == 0 ? 0 : (row.parameters - row.active_parameters) / (1 - share);
}

/// The weights of the output matrix, or of the input embedding.
std::uint64_t table_weights(int dim, int vocab_size) {
  return static_cast<std::uint64_t>(dim) * static_cast<std::uint64_t>(vocab_size);
}

KvShape shape_of(const PublishedShape& row) {
  KvShape shape;
  shape.name = row.name;
  shape.heads = row.heads;
  shape.context_length = row.context_length;
  shape.weight_bytes = static_cast<std::uint64_t>(row.parameters * kNamedShapeBytesPerWeight);
  shape.output_weights = table_weights(row.dim, row.vocab_size);
  shape.tied_embeddings = row.tied_embeddings;
  if (row.experts > 0) shape.expert_share = 1.0 * row.experts_chosen / row.experts;
  shape.expert_weights = expert_weights(row, shape.expert_share);
  for (int i = 0; i < row.layers; ++i) {
    KvLayer layer;
    if (row.latent > 0) {
      layer.latent = row.latent;
      layer.rotary_key = row.rotary_key;
    } else {
      layer.kv_heads = row.kv_heads;
      layer.key_dim = layer.value_dim = row.head_dim;
    }
    const bool sees_everything = row.window_period > 1 && i % row.window_period == row.window_period - 1;
    layer.window = sees_everything ? 0 : row.window;
    shape.layers.push_back(layer);
  }
  return shape;
}

KvShape shape_of(const SynthShape& row) {
  KvShape shape;
  shape.name = row.name;
  shape.architecture = "llama";
  shape.heads = row.heads;
  shape.context_length = row.context_length;
  KvLayer layer;
  layer.kv_heads = row.kv_heads;
  layer.key_dim = layer.value_dim = row.dim / row.heads;
  shape.layers.assign(static_cast<std::size_t>(row.layers), layer);
  const double kv_dim = 1.0 * layer.key_dim * row.kv_heads;
  const double matrices =
      3.0 * row.dim * row.ffn_dim * std::max(row.experts, 1);  // of the feed-forward block
  const double router = 1.0 * row.dim * row.experts, norms = 2.0 * row.dim;
  const double per_layer = 2.0 * row.dim * (row.dim + kv_dim) + matrices + router + norms;
  shape.output_weights = table_weights(row.dim, row.vocab_size);
  shape.tied_embeddings = row.tied_embeddings;
  if (row.experts > 0) {
    shape.expert_weights = matrices * row.layers;
    shape.expert_share = 1.0 * row.experts_per_token / row.experts;
  }
  const double tables =
      (row.tied_embeddings ? 1.0 : 2.0) * static_cast<double>(shape.output_weights) + row.dim;
  shape.weight_bytes =
      static_cast<std::uint64_t>(kNamedShapeBytesPerWeight * (row.layers * per_layer + tables));
  return shape;
}

}  // namespace

KvShape named_kv_shape(std::string_view name) {
  std::string known;
  for (const PublishedShape& row : kPublished) {
    if (row.name == name) return shape_of(row);
    known += fmt::format("{}{}", known.empty() ? "" : ", ", row.name);
  }
  for (const SynthShape& row : synth_shapes()) {
    if (row.name == name) return shape_of(row);
    if (known.find(row.name) == std::string::npos) known += fmt::format(", {}", row.name);
  }
  fail_usage("unknown shape '{}'; choose one of: {}", name, known);
}

}  // namespace rung
