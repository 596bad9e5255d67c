#include "convert/synth.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "convert/quantize_target.hpp"
#include "core/dtype_legacy.hpp"
#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/rng.hpp"
#include "model/synth_shape.hpp"

namespace rung {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{8} << 20;
constexpr int kByteTokens = 256;
constexpr int kFirstByteToken = 3;  // after <unk>, <s>, </s>

/// One row of random weights of standard deviation `deviation`, mean 0, written in its format.
using FillRow = void (*)(Rng rng, float deviation, std::int64_t cols, DType type, void* row);

/// Any format: uniform numbers, then the format's own conversion.
void fill_by_conversion(Rng rng, float deviation, std::int64_t cols, DType type, void* row) {
  constexpr int kPerDraw = 4;  // 16 random bits are enough for a weight
  const int chunk = std::max(kPerDraw * 16, traits(type).block_elements);
  thread_local std::vector<float> values;
  values.resize(static_cast<std::size_t>(chunk));
  const float unit = deviation * std::sqrt(3.0f) / 32768.0f;  // the uniform range is sqrt(3) deviations
  for (std::int64_t begin = 0; begin < cols; begin += chunk) {
    const std::int64_t count = std::min<std::int64_t>(chunk, cols - begin);
    for (std::int64_t i = 0; i < count; i += kPerDraw) {
      std::uint64_t bits = rng.next();
      for (std::int64_t j = i; j < std::min(i + kPerDraw, count); ++j, bits >>= 16) {
        values[static_cast<std::size_t>(j)] = (static_cast<float>(bits & 0xffffu) - 32767.5f) * unit;
      }
    }
    traits(type).from_float(values.data(), static_cast<std::byte*>(row) + bytes_of(type, begin), count);
  }
}

/// A block's scale: half to one and a half times `middle`.
std::uint16_t random_scale(Rng& rng, float middle) {
  return f32_to_f16(middle * (0.5f + static_cast<float>(rng.uniform())));
}

void fill_q8_0(Rng rng, float deviation, std::int64_t cols, DType, void* row) {
  constexpr float kQuantDeviation = 73.3f;  // of -127..127, uniform
  auto* blocks = static_cast<BlockQ8_0*>(row);
  for (std::int64_t b = 0; b < cols / BlockQ8_0::kElements; ++b) {
    blocks[b].scale = random_scale(rng, deviation / kQuantDeviation);
    for (int i = 0; i < BlockQ8_0::kElements; i += 8) {
      std::uint64_t bits = rng.next();
      for (int j = i; j < i + 8; ++j, bits >>= 8) {
        const auto quant = static_cast<std::int8_t>(bits & 0xffu);
        blocks[b].quants[j] = quant == -128 ? std::int8_t{0} : quant;  // no quantizer writes -128
      }
    }
  }
}

void fill_q4_0(Rng rng, float deviation, std::int64_t cols, DType, void* row) {
  constexpr float kQuantDeviation = 4.64f;  // of -8..7, uniform, around zero
  auto* blocks = static_cast<BlockQ4_0*>(row);
  for (std::int64_t b = 0; b < cols / BlockQ4_0::kElements; ++b) {
    // -8..7 has the mean -0.5: scales of both signs take it out.
    const float sign = (rng.next() & 1u) != 0 ? -1.0f : 1.0f;
    blocks[b].scale = random_scale(rng, sign * deviation / kQuantDeviation);
    for (int i = 0; i < BlockQ4_0::kElements / 2; i += 8) {
      std::uint64_t bits = rng.next();
      for (int j = i; j < i + 8; ++j, bits >>= 8)
        blocks[b].quants[j] = static_cast<std::uint8_t>(bits & 0xffu);
    }
  }
}

/// Formats whose blocks can be drawn directly, which is several times faster than converting.
FillRow fill_row_of(DType type) {
  if (type == DType::q8_0) return fill_q8_0;
  if (type == DType::q4_0) return fill_q4_0;
  return fill_by_conversion;
}

struct Piece {
  std::string name;
  std::int64_t rows;
  std::int64_t cols;
  float deviation;           // 0: a norm
  std::int64_t experts = 0;  // so many [rows, cols] as one tensor [experts, rows, cols]; 0: one matrix
  bool is_router = false;    // stays f32
  std::int64_t all_rows() const { return experts == 0 ? rows : experts * rows; }
};

/// All tensors. The deviation of a matrix keeps what goes through it at its size (1 / sqrt(in)); the two
/// that write to the residual stream are smaller by the number of times that happens, as in GPT-2.
std::vector<Piece> pieces_of(const SynthShape& s) {
  const auto normal = [](std::int64_t in) {
    return static_cast<float>(1.0 / std::sqrt(static_cast<double>(in)));
  };
  const auto residual = static_cast<float>(1.0 / std::sqrt(2.0 * s.layers));
  const std::int64_t kv_dim = std::int64_t{s.dim} / s.heads * s.kv_heads;
  std::vector<Piece> pieces;
  pieces.push_back({"token_embd.weight", s.vocab_size, s.dim, normal(s.dim)});
  for (int i = 0; i < s.layers; ++i) {
    const auto add = [&](const char* name, std::int64_t rows, std::int64_t cols, float deviation,
                         std::int64_t experts = 0) {
      pieces.push_back({fmt::format("blk.{}.{}.weight", i, name), rows, cols, deviation, experts});
    };
    add("attn_norm", 1, s.dim, 0);
    add("attn_q", s.dim, s.dim, normal(s.dim));
    add("attn_k", kv_dim, s.dim, normal(s.dim));
    add("attn_v", kv_dim, s.dim, normal(s.dim));
    add("attn_output", s.dim, s.dim, normal(s.dim) * residual);
    add("ffn_norm", 1, s.dim, 0);
    if (s.experts != 0) {
      add("ffn_gate_inp", s.experts, s.dim, normal(s.dim));
      pieces.back().is_router = true;
      add("ffn_gate_exps", s.ffn_dim, s.dim, normal(s.dim), s.experts);
      add("ffn_up_exps", s.ffn_dim, s.dim, normal(s.dim), s.experts);
      add("ffn_down_exps", s.dim, s.ffn_dim, normal(s.ffn_dim) * residual, s.experts);
      continue;
    }
    add("ffn_gate", s.ffn_dim, s.dim, normal(s.dim));
    add("ffn_up", s.ffn_dim, s.dim, normal(s.dim));
    add("ffn_down", s.dim, s.ffn_dim, normal(s.ffn_dim) * residual);
  }
  pieces.push_back({"output_norm.weight", 1, s.dim, 0});
  if (!s.tied_embeddings) pieces.push_back({"output.weight", s.vocab_size, s.dim, normal(s.dim)});
  return pieces;
}

void add_vocabulary(const SynthShape& s, GgufWriter& writer) {
  constexpr std::int32_t kNormal = 1, kUnknown = 2, kControl = 3, kByte = 6;  // token types of GGUF
  std::vector<std::string> tokens = {"<unk>", "<s>", "</s>"};
  std::vector<std::int32_t> types = {kUnknown, kControl, kControl};
  for (int byte = 0; byte < kByteTokens; ++byte) {
    tokens.push_back(fmt::format("<0x{:02X}>", byte));
    types.push_back(kByte);
  }
  while (static_cast<int>(tokens.size()) < s.vocab_size) {
    tokens.push_back(fmt::format("\u2581w{}", tokens.size()));  // SentencePiece's mark of a space
    types.push_back(kNormal);
  }
  std::vector<float> scores(tokens.size());
  for (std::size_t i = kFirstByteToken + kByteTokens; i < scores.size(); ++i)
    scores[i] = -static_cast<float>(i);
  writer.add_string("tokenizer.ggml.model", "llama");
  writer.add_string_array("tokenizer.ggml.tokens", tokens);
  writer.add_f32_array("tokenizer.ggml.scores", scores);
  writer.add_i32_array("tokenizer.ggml.token_type", types);
  writer.add_u32("tokenizer.ggml.bos_token_id", 1);
  writer.add_u32("tokenizer.ggml.eos_token_id", 2);
  writer.add_u32("tokenizer.ggml.unknown_token_id", 0);
  writer.add_bool("tokenizer.ggml.add_bos_token", true);
}

void add_metadata(const SynthShape& s, DType type, GgufWriter& writer) {
  const auto u32 = [&](const char* key, int value) {
    writer.add_u32(key, static_cast<std::uint32_t>(value));
  };
  writer.add_string("general.architecture", "llama");
  writer.add_string("general.name", fmt::format("{} with random weights", s.name));
  writer.add_u32("general.file_type", ggml_type(type).file_type);
  writer.add_u32("general.quantization_version", 2);
  u32("llama.context_length", s.context_length);
  u32("llama.embedding_length", s.dim);
  u32("llama.block_count", s.layers);
  u32("llama.feed_forward_length", s.ffn_dim);
  if (s.experts != 0) {
    u32("llama.expert_count", s.experts);
    u32("llama.expert_used_count", s.experts_per_token);
  }
  u32("llama.attention.head_count", s.heads);
  u32("llama.attention.head_count_kv", s.kv_heads);
  u32("llama.rope.dimension_count", s.dim / s.heads);
  u32("llama.vocab_size", s.vocab_size);
  writer.add_f32("llama.rope.freq_base", s.rope_theta);
  writer.add_f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  add_vocabulary(s, writer);
}

/// Norm weights vary around 1, so that a forward pass that forgets them gives other logits.
void fill_norm(Rng rng, std::int64_t cols, float* row) {
  for (std::int64_t i = 0; i < cols; ++i) row[i] = 0.8f + 0.4f * static_cast<float>(rng.uniform());
}

}  // namespace

std::uint64_t synth(const std::string& out, std::string_view shape_name, DType type, std::uint64_t seed,
                    int threads, const WriteProgress& progress) {
  const SynthShape& shape = find_synth_shape(shape_name);
  ggml_type(type);  // refuses formats that cannot be written, before anything is done
  GgufWriter writer(out);
  add_metadata(shape, type, writer);
  const std::vector<Piece> pieces = pieces_of(shape);
  const auto type_of = [type](const Piece& piece) {
    return piece.deviation == 0 || piece.is_router ? DType::f32 : storable_type(type, piece.cols);
  };
  for (const Piece& piece : pieces) {
    const std::int64_t dims[3] = {piece.cols, piece.rows, piece.experts};
    const std::size_t n_dims = piece.deviation == 0 ? 1 : piece.experts == 0 ? 2 : 3;
    writer.declare_tensor(piece.name, std::span(dims, n_dims), type_of(piece));
  }

  std::vector<std::byte> buffer;
  std::uint64_t done = 0;
  Rng seeds(seed);
  for (const Piece& piece : pieces) {
    const std::uint64_t tensor_seed = seeds.next();
    const bool norm = piece.deviation == 0;
    const DType stored = type_of(piece);
    const FillRow fill_row = fill_row_of(stored);
    const std::size_t row_bytes = bytes_of(stored, piece.cols);
    const std::int64_t most_rows =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(kBufferBytes / row_bytes));
    for (std::int64_t begin = 0; begin < piece.all_rows(); begin += most_rows) {
      const std::int64_t rows = std::min(most_rows, piece.all_rows() - begin);
      buffer.resize(static_cast<std::size_t>(rows) * row_bytes);
      parallel_for(threads, rows, [&](std::int64_t r) {
        // A row has its own range of the generator's counter: no row draws 2^32 numbers.
        const Rng rng(tensor_seed, static_cast<std::uint64_t>(begin + r) << 32);
        std::byte* row = buffer.data() + static_cast<std::size_t>(r) * row_bytes;
        if (norm) {
          fill_norm(rng, piece.cols, reinterpret_cast<float*>(row));
        } else {
          fill_row(rng, piece.deviation, piece.cols, stored, row);
        }
      });
      writer.append(buffer);
      done += buffer.size();
      if (progress) progress(done, writer.tensor_bytes());
    }
  }
  return writer.finish();
}

}  // namespace rung
