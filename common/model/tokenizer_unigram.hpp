#pragma once
// Unigram (Kudo 2018, arXiv 1804.10959): every token has a score, the logarithm of its probability, and a
// word is cut in the way whose scores have the largest sum. The best way is found from left to right
// (Viterbi): the best way to each place is the best way to some place before it plus one token.
//
// A character that no token spells is the unknown token with a score 10 below the lowest.

#include "model/tokenizer_trie.hpp"
#include "model/tokenizer_vocab.hpp"
#include "model/tokenizer_word_model.hpp"

namespace rung {

struct UnigramOptions {
  bool single_precision = false;  // sums are float, as in the sentencepiece library; else double
  bool fuse_unknown = true;       // a run of unknown characters is one unknown token
  bool byte_fallback = false;     // or becomes its bytes, where the vocabulary has them
  bool all_scores_count = false;  // the lowest score is that of all tokens; else of normal ones
};

class UnigramModel final : public WordModel {
 public:
  /// scores: of the first tokens; those without one are not the model's. Throws Error with one sentence for a
  /// vocabulary that cannot be used.
  UnigramModel(const Vocab& vocab, const std::vector<double>& scores, UnigramOptions options);
  void encode(std::string_view word, WordScratch& scratch, std::vector<std::int32_t>& ids) const override;
  std::string name() const override { return "unigram"; }

 private:
  double add(double a, double b) const {
    return options_.single_precision ? static_cast<double>(static_cast<float>(a + b)) : a + b;
  }
  void append_unknown(std::string_view text, bool& after_unknown, std::vector<std::int32_t>& ids) const;

  UnigramOptions options_;
  Trie trie_;
  std::vector<double> scores_;
  double unknown_score_ = 0;
  std::int32_t unknown_ = -1;
  std::vector<std::int32_t> byte_ids_;  // 256, or none
};

}  // namespace rung
