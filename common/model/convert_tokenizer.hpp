#pragma once
// The tokenizer of a model in the form of the other kind of file.

#include <string>
#include <vector>

#include "model/gguf.hpp"
#include "model/gguf_writer.hpp"
#include "model/tokenizer.hpp"

namespace rung {

/// Writes tokenizer.ggml.* from the tokenizer.json, tokenizer_config.json and generation_config.json of
/// `folder`, padded with unused tokens to `vocab_size`. `tokenizer` is the same one, loaded. Where these keys
/// cannot say all of it (a normalizer, a pre-tokenizer without a name) the whole tokenizer.json goes into
/// tokenizer.huggingface.json as well, a key of GGUF's specification that tokenizer_from_gguf() reads first.
/// Adds to `notes` what other readers of the file will miss.
void write_tokenizer_gguf(const std::string& folder, const Tokenizer& tokenizer, int vocab_size,
                          GgufWriter& writer, std::vector<std::string>& notes);

/// Writes tokenizer.json, tokenizer_config.json and generation_config.json into `folder` from
/// tokenizer.ggml.*.
void write_tokenizer_hf(const Gguf& gguf, const Tokenizer& tokenizer, const std::string& folder);

}  // namespace rung
