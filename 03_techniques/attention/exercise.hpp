#pragma once
// The exercise, mine.cpp: one function per step. The last step is mine(), which attention.hpp declares.

#include <vector>

#include "attention.hpp"

namespace rung::attention {

/// Step 1. scores[p] = row.score(row.q . row.key(p)) for p = 0 .. row.visible - 1.
void my_scores(const HeadRow& row, float* scores);
/// Step 2. Replaces n scores by their softmax; n >= 1.
void my_softmax(float* scores, int n);
/// Step 3. row.out[d] = sum over p of weights[p] * row.value(p)[d], for d = 0 .. row.head_dim - 1.
void my_weighted_sum(const HeadRow& row, const float* weights);

std::vector<ExerciseStep> steps();

}  // namespace rung::attention
