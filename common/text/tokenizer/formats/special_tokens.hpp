#pragma once
// Determines the special tokens of a Hugging Face folder. The tokenizer, the end tokens, the chat template
// and `rung convert` all use this function, so that they agree.
//
// The files are read in the same way as by AutoTokenizer of transformers 5.24 (tokenization_utils_base.py and
// tokenization_utils_tokenizers.py): tokenizer_config.json with its added_tokens_decoder,
// special_tokens_map.json, added_tokens.json, and the defaults of the tokenizer's class.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/tokenizer/vocab.hpp"

namespace rung {

/// An added token that has no id yet: flags.id is -1.
struct TokenText {
  std::string text;
  AddedToken flags;
  bool operator==(const TokenText&) const = default;
};

/// One of "added_tokens" in tokenizer.json, or a token of tokenizer.model that is found in text.
struct OwnToken {
  std::int64_t id = -1;  // the id in the file
  TokenText token;
};

struct SpecialTokens {
  /// {"bos_token", "<s>"} and so on, followed by those that only this model has ({"image_token", "<image>"}).
  /// Chat templates use these names.
  TokenRoles roles;
  /// The tokens that the folder adds to the tokenizer's own tokens, in this order. If a text is a token
  /// already, it keeps its id and gets these flags. Others get the next ids.
  std::vector<TokenText> added;
  /// Tokens that the folder places at given ids, where a tokenizer.model has other, reserved texts.
  std::vector<OwnToken> placed;
  /// Tokens that end generation: "eos_token_id" of generation_config.json or, where that file or the key is
  /// missing, of config.json.
  std::vector<std::int64_t> ends;
  std::string ends_source;    // the path of that file, for error messages
  bool ends_are_own = false;  // from generation_config.json, which was written for this tokenizer

  /// Returns the text of a role, or an empty text if the folder has none.
  std::string_view role(std::string_view name) const;
};

/// Reads the files next to the tokenizer in `folder`, all of which can be missing. `own` are the tokenizer's
/// own added tokens. `byte_level` says whether the tokenizer works on bytes, which changes the class of some
/// folders. Throws Error for invalid files.
SpecialTokens special_tokens_of(const std::string& folder, const std::vector<OwnToken>& own, bool byte_level);

}  // namespace rung
