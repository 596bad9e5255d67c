// The forward pass of every model. It computes prefill, prompt chunks, decode and several sequences at once,
// on any device.
//
// Read forward() from top to bottom. It contains the mathematics of a transformer in order, with one line per
// operation. The comment on each line has the shape of the result. Everything that forward() calls is behind
// a seam, and transformer_build.cpp chooses the mixers, the feed-forward blocks and the device. Model
// families differ only in data: which norms a layer has, and which factors are not 1 (model/families.cpp,
// model_config.hpp). forward() allocates nothing and never reads the content of a tensor. Its input is
// described in seams/batch.hpp.

#include "engine/transformer.hpp"

#include <cassert>

#include "core/error.hpp"
#include "ops/apply_norm.hpp"

namespace rung {

Tensor Transformer::forward(const Batch& batch, const Caches& caches, const Tensor& from, Leave to,
                            const Tap& tap) {
  check_ends(batch, from, to);
  const auto n_tokens = static_cast<std::int64_t>(batch.tokens.size());
  const auto show = [&](std::string_view name, int layer, const Tensor& t) {
    if (tap) tap(name, layer, t);
  };
  const DeviceBatch rows = work_.upload(device_, batch);
  const Tensor x = work_.x.row_slice(0, n_tokens);
  const Tensor norm = work_.norm.row_slice(0, n_tokens);
  const Tensor out = work_.out.row_slice(0, n_tokens);
  for (const Layer& layer : layers_) {
    layer.mixer->plan(batch);
    layer.ffn->plan(batch);
  }

  enter(rows, from, x);  // x [tokens, dim], the residual stream
  show("embedding", -1, x);

  Tensor n = apply_norm(ops_, layers_.front().attn_norm, x, norm);  // n [tokens, dim], what a block reads
  for (const Layer& layer : layers_) {
    layer.mixer->run(n, rows, caches, out);                                    // out [tokens, dim]
    const Tensor mixed = apply_norm(ops_, layer.attn_post_norm, out, out);     // mixed [tokens, dim]
    n = ops_.add_norm(mixed, model_.residual_scale, x, layer.ffn_norm, norm);  // x += mixed; n [tokens, dim]
    show("attention", layer.index, x);

    layer.ffn->run(n, out);  // out [tokens, dim]
    layer.ffn->show(tap, layer.index);
    const Tensor fed = apply_norm(ops_, layer.ffn_post_norm, out, out);       // fed [tokens, dim]
    n = ops_.add_norm(fed, model_.residual_scale, x, layer.next_norm, norm);  // x += fed; n [tokens, dim]
    show("layer", layer.index, x);
  }

  if (to == Leave::hidden) return x;
  const Tensor logits = logits_of(x, rows.output_rows);  // logits [outputs, vocab]
  show("logits", -1, logits);
  return logits;
}

/// Writes the input of the first layer of the pass to x [tokens, dim].
void Transformer::enter(const DeviceBatch& batch, const Tensor& from, const Tensor& x) {
  if (!from.empty()) return device_.copy(x.data, from.data, x.bytes());
  ops_.embed(embedding_, batch.tokens, x);
  if (model_.embedding_scale != 1) ops_.scale(model_.embedding_scale, x);
  if (!model_.learned_positions) return;
  const Tensor positions = work_.out.row_slice(0, x.rows);
  ops_.embed(position_embedding_, batch.positions, positions);  // positions [tokens, dim]
  ops_.add(positions, 1, x);
}

/// Computes the logits of the requested rows only, because the output matrix is the largest matrix of the
/// model.
Tensor Transformer::logits_of(const Tensor& x, const Tensor& output_rows) {
  const Tensor last = work_.last.row_slice(0, output_rows.cols);
  const Tensor last_norm = work_.last_norm.row_slice(0, output_rows.cols);
  const Tensor logits = work_.logits.row_slice(0, output_rows.cols);
  ops_.gather(x, output_rows, last);                                        // last [outputs, dim]
  output_->apply(apply_norm(ops_, output_norm_, last, last_norm), logits);  // logits [outputs, vocab]
  if (model_.logit_scale != 1) ops_.scale(model_.logit_scale, logits);
  if (model_.logit_softcap != 0) ops_.softcap(model_.logit_softcap, logits);
  return logits;
}

void Transformer::check_ends(const Batch& batch, const Tensor& from, Leave to) const {
  const auto n_tokens = static_cast<std::int64_t>(batch.tokens.size());
  assert(n_tokens <= work_.x.rows);
  if (from.empty() && !begins()) {
    fail("a forward pass that begins at layer {} was given token ids; give it the hidden states of layer {}",
         range_.begin, range_.begin - 1);
  }
  if (!from.empty() && (from.rows != n_tokens || from.cols != model_.dim || from.stride != from.cols)) {
    fail(
        "hidden states [{}, {}] with {} numbers from row to row enter a step of {} tokens; it takes [{}, {}] "
        "without gaps",
        from.rows, from.cols, from.stride, n_tokens, n_tokens, model_.dim);
  }
  if (to == Leave::logits && !ends()) {
    fail("a forward pass that ends at layer {} of {} was asked for logits; ask it for hidden states",
         range_.end - 1, model_.layers);
  }
}

}  // namespace rung
