#pragma once
// The tokenizer of a model in the form of the other kind of file.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "files/gguf.hpp"
#include "files/gguf_writer.hpp"
#include "text/tokenizer/tokenizer.hpp"
#include "text/tokenizer/vocab.hpp"

namespace rung {

/// Writes tokenizer.ggml.* from the tokenizer.json of `folder` and the files beside it, padded with unused
/// tokens to `vocab_size`, and its chat templates. `tokenizer` is the same one, loaded. Where these keys are
/// not known to say all of it (a normalizer, a pre-tokenizer without a name, merges without bytes) the whole
/// tokenizer.json goes into tokenizer.huggingface.json as well, a key of GGUF's specification that
/// tokenizer_from_gguf() reads first. Adds to `notes` what other readers of the file will miss.
void write_tokenizer_gguf(const std::string& folder, const Tokenizer& tokenizer, int vocab_size,
                          GgufWriter& writer, std::vector<std::string>& notes);

/// Writes tokenizer.json, tokenizer_config.json (with the chat templates) and generation_config.json into
/// `folder` from a GGUF file.
void write_tokenizer_hf(const Gguf& gguf, const Tokenizer& tokenizer, const std::string& folder);

/// The list "added_tokens" of a tokenizer.json.
nlohmann::ordered_json added_tokens_json(const Vocab& vocab);

/// What a tokenizer that was written and read back does otherwise than its source, as the end of a sentence;
/// empty when nothing was found. Compares the tokens below `rows`, special tokens, end tokens, and the ids of
/// some hundred texts made of the source's own tokens.
std::string tokenizer_difference(const Tokenizer& written, const Tokenizer& source, int rows);

}  // namespace rung
