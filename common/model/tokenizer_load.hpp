#pragma once
// Where tokenizers come from: the metadata of a GGUF file, or a Hugging Face folder.
//
// Vocabulary data is untrusted. Whatever is wrong with it (arrays missing or of unequal length, ids out
// of range, tokens twice) is thrown as an Error with one sentence that starts with the path.

#include <memory>
#include <string>

#include "model/gguf.hpp"
#include "model/tokenizer.hpp"

namespace rung {

/// From tokenizer.ggml.*: model "llama" (SentencePiece-style BPE by scores) or "gpt2" (byte-level BPE).
std::shared_ptr<const Tokenizer> tokenizer_from_gguf(const Gguf& gguf);

/// From tokenizer.json in `folder`, a BPE in byte-level or in SentencePiece style; tokenizer_config.json
/// and generation_config.json beside it are read where they exist.
std::shared_ptr<const Tokenizer> tokenizer_from_json(const std::string& folder);

}  // namespace rung
