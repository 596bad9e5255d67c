#include "model/model_config.hpp"

#include <array>
#include <cmath>

#include "core/error.hpp"
#include "model/families.hpp"

namespace rung {
namespace {

constexpr std::array<Family, 1> kFamilies = {{
    {"llama", "llama", RopePairs::interleaved, RopePairs::half},
}};

const Family& find_family(const std::string& path, std::string_view name, std::string_view Family::*which) {
  std::string known;
  for (const Family& family : kFamilies) {
    if (family.*which == name) return family;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", family.*which);
  }
  fail("{}: the model architecture '{}' is not supported; supported: {}", path, name, known);
}

void check_size(const char* field, int value, int most) {
  if (value < 1 || value > most) {
    fail("the model's configuration cannot be: {} is {}; 1 to {} are allowed", field, value, most);
  }
}

void check_number(const char* field, float value, float least, float most) {
  if (!(value >= least && value <= most)) {  // refuses NaN too
    fail("the model's configuration cannot be: {} is {}; {} to {} are allowed", field, value, least, most);
  }
}

}  // namespace

std::span<const Family> families() { return kFamilies; }

const Family& family_of_gguf(const std::string& path, std::string_view name) {
  return find_family(path, name, &Family::gguf_name);
}
const Family& family_of_hf(const std::string& path, std::string_view name) {
  return find_family(path, name, &Family::hf_name);
}

// The limits are some ten times what the largest published models have, and small enough that no product of
// two of them leaves the range of a 64-bit integer.
void ModelConfig::validate() const {
  check_size("vocab_size", vocab_size, 1 << 22);
  check_size("dim (the embedding length)", dim, 1 << 18);
  check_size("layers (the block count)", layers, 2048);
  check_size("heads", heads, 4096);
  check_size("kv_heads", kv_heads, heads);
  if (heads % kv_heads != 0) {
    fail("the model's configuration cannot be: {} heads do not divide into {} KV heads", heads, kv_heads);
  }
  check_size("head_dim", head_dim, 4096);
  check_size("ffn_dim (the feed-forward length)", ffn_dim, 1 << 21);
  check_size("context_length", context_length, 1 << 26);
  check_size("rotary_dim", rotary_dim, head_dim);
  if (rotary_dim % 2 != 0) {
    fail("the model's configuration cannot be: rotary_dim is {}, but elements are rotated in pairs",
         rotary_dim);
  }
  check_number("norm_eps", norm_eps, 1e-12f, 1.0f);
  check_number("rope_theta", rope_theta, 1.0f, 1e12f);
  check_number("attention_scale", attention_scale, 1e-6f, 1e3f);
}

}  // namespace rung
