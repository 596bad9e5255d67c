#pragma once
// What the rungs of this ladder share. A rung is a plain function. register.cpp wraps it in a Quantizer,
// which checks the numbers first.

#include "core/registry.hpp"
#include "seams/quantizer.hpp"

namespace rung::quantization {

/// Quantizes x [n] to [bytes_of(type, n)]. The importance weights [n] may be null.
using Function = void (*)(DType type, const float* x, const float* weights, void* to, std::int64_t n);

void absmax(DType type, const float* x, const float* weights, void* to, std::int64_t n);
void search(DType type, const float* x, const float* weights, void* to, std::int64_t n);
void weighted(DType type, const float* x, const float* weights, void* to, std::int64_t n);
void exact(DType type, const float* x, const float* weights, void* to, std::int64_t n);
void mine(DType type, const float* x, const float* weights, void* to, std::int64_t n);

bool absmax_supports(const QuantizerConfig& config);
bool search_supports(const QuantizerConfig& config);
bool weighted_supports(const QuantizerConfig& config);
bool exact_supports(const QuantizerConfig& config);
bool mine_supports(const QuantizerConfig& config);

std::vector<Trial> trials(const Ladder<Quantizer>& ladder);
std::vector<Goal> goals(const Ladder<Quantizer>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::quantization
