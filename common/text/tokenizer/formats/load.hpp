#pragma once
// Loads tokenizers from the metadata of a GGUF file or from a Hugging Face folder.
//
// Vocabulary data is not trusted. Invalid data (missing arrays, arrays of different lengths, ids out of
// range, duplicate tokens) throws an Error whose message begins with the path.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/gguf.hpp"
#include "text/tokenizer/split/pretokenize.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace rung {

/// Loads the tokenizer of the model at `path`. This is a GGUF file, which can consist of a vocabulary alone,
/// or a Hugging Face folder, which needs no config.json.
std::shared_ptr<const Tokenizer> load_tokenizer(const std::string& path);

/// Loads the tokenizer from tokenizer.huggingface.json, if the file has this key, which contains a whole
/// tokenizer.json. Otherwise loads it from tokenizer.ggml.*: model "llama" (SentencePiece-style BPE by
/// scores), "gpt2" (byte-level BPE), "gemma4" (BPE over characters), "t5" (unigram) or "bert" (WordPiece).
/// Returns no_tokenizer() if the file has none of these, or for model "none".
std::shared_ptr<const Tokenizer> tokenizer_from_gguf(const Gguf& gguf);

/// Returns the row of tokenizer.ggml.pre, which says how a byte-level vocabulary splits text into words.
/// Files made before April 2024 do not have this key. If all models of their architecture have the same
/// pre-tokenizer, returns that one, and otherwise throws Error.
const PreTokenizerRow& pre_tokenizer_of(const Gguf& gguf);

/// Loads the tokenizer of a Hugging Face folder from its tokenizer.json or, if there is none, from its
/// tokenizer.model, with the special tokens that the files next to them name (special_tokens.hpp). Returns
/// no_tokenizer() for a folder with neither.
std::shared_ptr<const Tokenizer> tokenizer_from_folder(const std::string& folder);

/// Returns the substitute for a missing tokenizer. It has no tokens, and rejects texts with an error that
/// names `source`.
std::shared_ptr<const Tokenizer> no_tokenizer(std::string source);

/// Loads tokenizer.json in `folder`: BPE, unigram, WordPiece or whole words, with the steps around them.
std::shared_ptr<const Tokenizer> tokenizer_from_json(const std::string& folder);

/// The tokens that start and end a text, if they are given by something other than the files of a folder.
struct TokenizerRoles {
  std::int32_t bos = -1;
  std::int32_t eos = -1;
  std::vector<std::int32_t> ends;
  std::optional<bool> add_bos;  // not set: according to the post-processor
  TokenRoles names;
};

/// Loads a tokenizer from the text of a tokenizer.json that is stored elsewhere. `source` is its name in
/// error messages.
std::shared_ptr<const Tokenizer> tokenizer_from_json_text(std::string_view text, const std::string& source,
                                                          const TokenizerRoles& roles);

/// Loads tokenizer.model in `folder`, a SentencePiece model: BPE or unigram.
std::shared_ptr<const Tokenizer> tokenizer_from_sentencepiece(const std::string& folder);

}  // namespace rung
