#pragma once
// Which special tokens a Hugging Face folder has. The tokenizer, the end tokens, the chat template and
// `rung convert` all ask here, so that they agree.
//
// The files are read as AutoTokenizer of transformers 5.24 reads them (tokenization_utils_base.py and
// tokenization_utils_tokenizers.py): tokenizer_config.json with its added_tokens_decoder,
// special_tokens_map.json, added_tokens.json, and the defaults of the tokenizer's class.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/tokenizer/vocab.hpp"

namespace rung {

/// An added token before it has an id: flags.id is -1.
struct TokenText {
  std::string text;
  AddedToken flags;
  bool operator==(const TokenText&) const = default;
};

/// One of "added_tokens" in tokenizer.json, or a token of tokenizer.model that is found in text.
struct OwnToken {
  std::int64_t id = -1;  // as the file has it
  TokenText token;
};

struct SpecialTokens {
  /// {"bos_token", "<s>"} and so on, then those that only this model has ({"image_token", "<image>"}). Chat
  /// templates see them under these names.
  TokenRoles roles;
  /// What the folder adds to the tokenizer's own tokens, in this order. A text that is a token already keeps
  /// its id and takes these flags; others get the next ids.
  std::vector<TokenText> added;
  /// Ids at which the folder wants a token: a tokenizer.model has other texts there, which were reserved.
  std::vector<OwnToken> placed;
  /// Tokens that end generation: "eos_token_id" of generation_config.json or, where that file or the key is
  /// missing, of config.json.
  std::vector<std::int64_t> ends;
  std::string ends_source;    // the path of that file, for sentences
  bool ends_are_own = false;  // from generation_config.json, which was written for this tokenizer

  /// The text of a role; empty where the folder has none.
  std::string_view role(std::string_view name) const;
};

/// Reads the files beside the tokenizer in `folder`; all of them may be missing. `own` are the tokenizer's
/// own added tokens, and `byte_level` says whether it works on bytes, which changes the class of some
/// folders. Throws Error for files that cannot be what they claim to be.
SpecialTokens special_tokens_of(const std::string& folder, const std::vector<OwnToken>& own, bool byte_level);

}  // namespace rung
