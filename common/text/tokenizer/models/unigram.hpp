#pragma once
// Unigram (Kudo 2018, arXiv 1804.10959): every token has a score, the logarithm of its probability, and a
// word is divided so that the sum of the scores is as large as possible. The best division is found from left
// to right (Viterbi): the best division up to a place is the best division up to some earlier place, plus one
// token.
//
// A character that no token contains is the unknown token, with a score of 10 below the lowest. A run of such
// characters is one unknown token.

#include <array>

#include "text/tokenizer/models/trie.hpp"
#include "text/tokenizer/models/word_model.hpp"
#include "text/tokenizer/vocab.hpp"

namespace rung {

struct UnigramOptions {
  /// If true, works like the sentencepiece library: sums are float, user-defined tokens win, and only text
  /// tokens count. If false, works like `tokenizers`: sums are double, and all tokens with a score are
  /// treated alike.
  bool sentencepiece = false;
  bool byte_fallback = false;  // a run of unknown characters becomes its bytes, if all of them have tokens
};

class UnigramModel final : public WordModel {
 public:
  /// `scores` belong to the first tokens. The model has no tokens without a score. Throws Error for an
  /// unusable vocabulary.
  UnigramModel(const Vocab& vocab, const std::vector<double>& scores, UnigramOptions options);
  /// Throws Error for an unknown character if the vocabulary has neither its bytes nor an unknown token.
  void encode(std::string_view word, WordScratch& scratch, std::vector<std::int32_t>& ids) const override;
  std::string name() const override { return "unigram"; }

 private:
  double add(double a, double b) const {
    return options_.sentencepiece ? static_cast<double>(static_cast<float>(a + b)) : a + b;
  }
  void append_unknown(std::string_view text, bool specials, std::vector<std::int32_t>& ids) const;
  bool may_make(std::int32_t id, bool specials) const {
    return specials || special_.empty() || !special_[static_cast<std::size_t>(id)];
  }

  std::string source_;
  UnigramOptions options_;
  Trie trie_;
  std::vector<double> scores_;
  double unknown_score_ = 0;
  std::int32_t unknown_ = -1;
  std::vector<bool> special_;            // Vocab::special_words()
  std::array<std::int32_t, 256> bytes_;  // -1: has no token
};

}  // namespace rung
