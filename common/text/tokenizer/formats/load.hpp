#pragma once
// Where tokenizers come from: the metadata of a GGUF file, or a Hugging Face folder.
//
// Vocabulary data is untrusted. Whatever is wrong with it (arrays missing or of unequal length, ids out
// of range, tokens twice) is thrown as an Error with one sentence that starts with the path.

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

/// The tokenizer of the model at `path`: a GGUF file, which may hold nothing but a vocabulary, or a Hugging
/// Face folder, which needs no config.json for it.
std::shared_ptr<const Tokenizer> load_tokenizer(const std::string& path);

/// From tokenizer.huggingface.json, where a file has this key, which holds a whole tokenizer.json; else from
/// tokenizer.ggml.*: model "llama" (SentencePiece-style BPE by scores), "gpt2" (byte-level BPE),
/// "gemma4" (BPE over characters), "t5" (unigram) or "bert" (WordPiece). Without any of it, or for model
/// "none": no_tokenizer().
std::shared_ptr<const Tokenizer> tokenizer_from_gguf(const Gguf& gguf);

/// How the words of a byte-level vocabulary are cut: what tokenizer.ggml.pre names. Files made before April
/// 2024 do not have the key; where all models of their architecture have the same pre-tokenizer it is that
/// one, else an Error.
const PreTokenizerRow& pre_tokenizer_of(const Gguf& gguf);

/// From a Hugging Face folder: its tokenizer.json or, where there is none, its tokenizer.model, with the
/// special tokens that the files beside them name (special_tokens.hpp). A folder with neither gets
/// no_tokenizer().
std::shared_ptr<const Tokenizer> tokenizer_from_folder(const std::string& folder);

/// What stands in for a tokenizer that a model comes without: it has no tokens, and texts are refused with a
/// sentence that names `source`.
std::shared_ptr<const Tokenizer> no_tokenizer(std::string source);

/// From tokenizer.json in `folder`: BPE, unigram, WordPiece or whole words, with the steps around them.
std::shared_ptr<const Tokenizer> tokenizer_from_json(const std::string& folder);

/// Which tokens start and end a text, where something other than the files of a folder says it.
struct TokenizerRoles {
  std::int32_t bos = -1;
  std::int32_t eos = -1;
  std::vector<std::int32_t> ends;
  std::optional<bool> add_bos;  // absent: as the post-processor has it
  TokenRoles names;
};

/// From the text of a tokenizer.json that stands elsewhere; `source` names it in sentences.
std::shared_ptr<const Tokenizer> tokenizer_from_json_text(std::string_view text, const std::string& source,
                                                          const TokenizerRoles& roles);

/// From tokenizer.model in `folder`, a SentencePiece model: BPE or unigram.
std::shared_ptr<const Tokenizer> tokenizer_from_sentencepiece(const std::string& folder);

}  // namespace rung
