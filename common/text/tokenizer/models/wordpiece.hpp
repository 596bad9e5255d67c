#pragma once
// WordPiece (Schuster, Nakajima 2012; Devlin et al. 2018 for BERT): a word is cut from the left, each time
// with the longest token that fits; a word that cannot be cut to its end is the unknown token as a whole.
// And word-level: a word is a token or it is unknown.

#include "text/tokenizer/models/trie.hpp"
#include "text/tokenizer/models/word_model.hpp"
#include "text/tokenizer/vocab.hpp"

namespace rung {

struct WordPieceOptions {
  std::string continuing_prefix = "##";  // what a token inside a word is written with
  std::size_t max_characters = 100;      // longer words are unknown
  bool whole_words = false;              // word-level: no cutting
  std::string absent_unknown;            // the unknown token that the file names and the model does not have
};

class WordPieceModel final : public WordModel {
 public:
  /// Throws Error when the vocabulary has no unknown token, unless `absent_unknown` names one.
  WordPieceModel(const Vocab& vocab, WordPieceOptions options);
  /// Throws Error for an unknown word when there is no unknown token.
  void encode(std::string_view word, WordScratch& scratch, std::vector<std::int32_t>& ids) const override;
  std::string name() const override { return options_.whole_words ? "whole words" : "WordPiece"; }

 private:
  void append_unknown(std::string_view word, std::vector<std::int32_t>& ids) const;

  std::string source_;
  WordPieceOptions options_;
  Trie trie_;
  std::uint32_t continuing_ = Trie::kRoot;  // where the walk through the trie starts inside a word
  std::int32_t unknown_ = -1;
  std::vector<bool> special_;  // Vocab::special_words()
};

}  // namespace rung
