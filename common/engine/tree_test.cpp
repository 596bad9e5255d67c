// A tree of draft tokens in one forward pass: every node has the logits of its path, decoded as a chain.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catalog/variants.hpp"
#include "convert/synth.hpp"
#include "core/rng.hpp"
#include "devices/cpu_device.hpp"
#include "engine/batch_builder.hpp"
#include "engine/resolve.hpp"
#include "engine/transformer.hpp"
#include "testing/catch.hpp"

using namespace rung;
using Ids = std::vector<std::int32_t>;

namespace {

/// A text and a tree of drafts behind it.
struct Draft {
  Ids text;
  Ids nodes;
  std::vector<std::int32_t> parents;

  /// The text and the path to a node.
  Ids path_to(std::size_t node) const {
    Ids path;
    for (auto i = static_cast<std::int32_t>(node); i >= 0; i = parents[static_cast<std::size_t>(i)]) {
      path.insert(path.begin(), nodes[static_cast<std::size_t>(i)]);
    }
    path.insert(path.begin(), text.begin(), text.end());
    return path;
  }
};

Ids random_ids(Rng& rng, int n, int vocab) {
  Ids ids;
  for (int i = 0; i < n; ++i)
    ids.push_back(static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(vocab))));
  return ids;
}

/// A forward pass and its cache, for a few short sequences.
struct Runner {
  Runner(const Model& loaded, EngineConfig c)
      : config(limits(std::move(c))),
        transformer(loaded, variants(), config, cpu_device()),
        kv(variants().ladder<KvCache>().make(config.rung("kv"),
                                             kv_config(config, loaded.config, cpu_device()))) {}

  static EngineConfig limits(EngineConfig c) {
    c.context = 96;
    c.max_sequences = 3;
    c.max_step_tokens = c.max_step_outputs = 3 * c.context;
    c.kv_block_size = 4;
    return c;
  }

  EngineConfig config;
  Transformer transformer;
  std::unique_ptr<KvCache> kv;
};

/// The logits behind the last token, which is decoded behind all others one by one.
std::vector<float> decoded(Runner& runner, const Ids& ids, int prompt) {
  const int seq = runner.kv->open();
  std::vector<float> last;
  for (int done = 0; done < static_cast<int>(ids.size());) {
    const int count = done == 0 ? prompt : 1;
    REQUIRE(runner.kv->grow(seq, done + count));
    Batch batch;
    append_rows(batch, *runner.kv, seq, done, count, 1,
                [&](int p) { return ids[static_cast<std::size_t>(p)]; });
    const Tensor logits = runner.transformer.forward(batch, *runner.kv);
    last.assign(logits.ptr<float>(), logits.ptr<float>() + logits.size());
    done += count;
  }
  runner.kv->close(seq);
  return last;
}

/// Verifies all trees in one step, behind texts that are in the cache but for their last token, and beside
/// the prompt of another sequence. Returns the logits of the nodes, tree by tree.
std::vector<std::vector<float>> verified(Runner& runner, const std::vector<Draft>& drafts, const Ids& other) {
  std::vector<int> seqs;
  for (const Draft& draft : drafts) {
    seqs.push_back(runner.kv->open());
    const int known = static_cast<int>(draft.text.size()) - 1;
    REQUIRE(runner.kv->grow(seqs.back(), known));
    Batch batch;
    append_rows(batch, *runner.kv, seqs.back(), 0, known, 0,
                [&](int p) { return draft.text[static_cast<std::size_t>(p)]; });
    runner.transformer.forward(batch, *runner.kv);
  }
  Batch batch;
  std::vector<std::vector<float>> result;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    const Draft& draft = drafts[i];
    Ids ids = draft.text;
    ids.insert(ids.end(), draft.nodes.begin(), draft.nodes.end());
    const int begin = static_cast<int>(draft.text.size()) - 1, count = static_cast<int>(ids.size()) - begin;
    REQUIRE(runner.kv->grow(seqs[i], static_cast<int>(ids.size())));
    append_tree_rows(batch, *runner.kv, seqs[i], begin, count, static_cast<int>(draft.nodes.size()),
                     draft.parents, [&](int p) { return ids[static_cast<std::size_t>(p)]; });
  }
  seqs.push_back(runner.kv->open());
  const int more = static_cast<int>(other.size());
  REQUIRE(runner.kv->grow(seqs.back(), more));
  append_rows(batch, *runner.kv, seqs.back(), 0, more, 1,
              [&](int p) { return other[static_cast<std::size_t>(p)]; });
  const Tensor logits = runner.transformer.forward(batch, *runner.kv);
  for (std::int64_t row = 0; row + 1 < logits.rows; ++row) {
    result.emplace_back(logits.ptr<float>(row), logits.ptr<float>(row) + logits.cols);
  }
  for (const int seq : seqs) runner.kv->close(seq);
  return result;
}

void compare(const Model& model, const std::map<std::string, std::string>& rungs, DType kv_type) {
  EngineConfig config;
  config.threads = 2;
  config.kv_type = kv_type;
  config.rungs = rungs;
  Rng rng(11);
  const int vocab = model.config.vocab_size;
  const std::vector<Draft> drafts = {
      {random_ids(rng, 13, vocab), random_ids(rng, 9, vocab), {-1, 0, 0, 1, -1, 4, 2, 6, 1}},
      {random_ids(rng, 62, vocab), random_ids(rng, 7, vocab), {-1, 0, 0, 2, 1, 3, 3}}};
  Runner runner(model, config);
  const auto nodes = verified(runner, drafts, random_ids(rng, 20, vocab));
  std::size_t row = 0;
  int wrong = 0;
  for (const Draft& draft : drafts) {
    for (std::size_t node = 0; node < draft.nodes.size(); ++node, ++row) {
      wrong += nodes[row] != decoded(runner, draft.path_to(node), static_cast<int>(draft.text.size()));
    }
  }
  CHECK(row == nodes.size());
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("every node of a tree has the logits of its path: the embedded model") {
  const Model model = load_model(testing::source_file("models/tiny.gguf"));
  for (const char* attention : {"naive", "online_softmax", "flash", "split_kv"}) {
    for (const auto& [kv, type] :
         {std::pair{"contiguous", DType::f32}, {"paged", DType::f16}, {"copy_on_write", DType::q8_0}}) {
      INFO(attention << ", " << kv << ", " << traits(type).name);
      compare(model, {{"attention", attention}, {"kv", kv}}, type);
    }
  }
}

TEST_CASE(
    "every node of a tree has the logits of its path: windows, local RoPE, learned positions, experts") {
  for (const char* name : {"gemma3", "gemma2", "gpt2", "mixtral"}) {
    INFO(name);
    const Model model = load_model(testing::source_file(std::string("common/model/parity/models/") + name));
    compare(model, {}, DType::f16);
  }
}

TEST_CASE("every node of a tree has the logits of its path: quantized weights") {
  const std::string path = testing::scratch_file("tree_test.gguf");
  synth(path, "test-tiny", DType::q8_0, 7, 2);
  compare(load_model(path), {}, DType::f16);
  compare(load_model(path), {{"fusion", "none"}, {"linear", "naive"}}, DType::f32);
}
