#pragma once
// WordPiece (Schuster, Nakajima 2012; Devlin et al. 2018 for BERT) splits a word from left to right, each
// time at the end of the longest token that matches. If it cannot split a word completely, the unknown token
// replaces the whole word. The word-level variant does not split words: a word is either a token or unknown.

#include "text/tokenizer/models/trie.hpp"
#include "text/tokenizer/models/word_model.hpp"
#include "text/tokenizer/vocab.hpp"

namespace rung {

struct WordPieceOptions {
  std::string continuing_prefix = "##";  // the prefix of tokens that are not at the beginning of a word
  std::size_t max_characters = 100;      // longer words are unknown
  bool whole_words = false;              // word-level: words are not split
  std::string absent_unknown;  // name of the unknown token in the file, if the model lacks that token
};

class WordPieceModel final : public WordModel {
 public:
  /// Throws Error if the vocabulary has no unknown token, unless `absent_unknown` names one.
  WordPieceModel(const Vocab& vocab, WordPieceOptions options);
  /// Throws Error for an unknown word if there is no unknown token.
  void encode(std::string_view word, WordScratch& scratch, std::vector<std::int32_t>& ids) const override;
  std::string name() const override { return options_.whole_words ? "whole words" : "WordPiece"; }

 private:
  void append_unknown(std::string_view word, std::vector<std::int32_t>& ids) const;

  std::string source_;
  WordPieceOptions options_;
  Trie trie_;
  std::uint32_t continuing_ = Trie::kRoot;  // where the search in the trie starts inside a word
  std::int32_t unknown_ = -1;
  std::vector<bool> special_;  // Vocab::special_words()
};

}  // namespace rung
