#pragma once
// Writes the tokenizer of a model in the form of the other kind of file.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "files/gguf.hpp"
#include "files/gguf_writer.hpp"
#include "text/tokenizer/tokenizer.hpp"
#include "text/tokenizer/vocab.hpp"

namespace rung {

/// Writes tokenizer.ggml.* and the chat templates from the tokenizer.json of `folder` and the files next to
/// it. The vocabulary is padded with unused tokens to `vocab_size`. `tokenizer` is the same tokenizer,
/// already loaded. If these keys may not describe it completely (a normalizer, a pre-tokenizer without a
/// name, merges without bytes), the whole tokenizer.json is also written to tokenizer.huggingface.json, a key
/// of GGUF's specification that tokenizer_from_gguf() reads first. Adds to `notes` what other readers of the
/// file will miss.
void write_tokenizer_gguf(const std::string& folder, const Tokenizer& tokenizer, int vocab_size,
                          GgufWriter& writer, std::vector<std::string>& notes);

/// Writes tokenizer.json, tokenizer_config.json (with the chat templates) and generation_config.json into
/// `folder` from a GGUF file.
void write_tokenizer_hf(const Gguf& gguf, const Tokenizer& tokenizer, const std::string& folder);

/// Returns the list "added_tokens" of a tokenizer.json.
nlohmann::ordered_json added_tokens_json(const Vocab& vocab);

/// Returns the first difference between a tokenizer that was written and read back and its source, as the end
/// of a sentence, or an empty string if none was found. Compares the tokens below `rows`, special tokens, end
/// tokens, and the ids of some hundred texts made of the source's own tokens.
std::string tokenizer_difference(const Tokenizer& written, const Tokenizer& source, int rows);

}  // namespace rung
