#pragma once
// The keys of a GGUF file for special tokens and chat templates. The reader and `rung convert` use them.
//
// tokenizer.ggml.* and tokenizer.chat_template* are defined by GGUF's specification and llama.cpp's
// converter. tokenizer.rung.* are Rung's own keys, for information that the others cannot express. Other
// readers do not know them.

#include <array>
#include <string_view>
#include <utility>

namespace rung::gguf_keys {

/// The roles of tokens, as chat templates name them, and the keys of their ids.
inline constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kRoles = {
    {{"bos_token", "tokenizer.ggml.bos_token_id"},
     {"eos_token", "tokenizer.ggml.eos_token_id"},
     {"unk_token", "tokenizer.ggml.unknown_token_id"},
     {"sep_token", "tokenizer.ggml.seperator_token_id"},  // spelled like this in the specification
     {"pad_token", "tokenizer.ggml.padding_token_id"},
     {"cls_token", "tokenizer.ggml.cls_token_id"},
     {"mask_token", "tokenizer.ggml.mask_token_id"}}};
/// Further tokens that end generation, in addition to that of "eos_token": end of turn, end of message.
inline constexpr std::array<std::string_view, 2> kFurtherEnds = {"tokenizer.ggml.eot_token_id",
                                                                 "tokenizer.ggml.eom_token_id"};
/// Roles without such a key, or whose text differs from the token of the key (empty: none):
/// tokenizer.rung.token.image_token = "<image>".
inline constexpr std::string_view kNamePrefix = "tokenizer.rung.token.";
/// The ids of all tokens that end generation, if there are more than the keys of the specification can
/// express.
inline constexpr std::string_view kEnds = "tokenizer.rung.eos_token_ids";

inline constexpr std::string_view kChatTemplate = "tokenizer.chat_template";
/// The names of further templates. The template X is under tokenizer.chat_template.X.
inline constexpr std::string_view kChatTemplateNames = "tokenizer.chat_templates";

}  // namespace rung::gguf_keys
