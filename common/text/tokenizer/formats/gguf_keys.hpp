#pragma once
// Keys of a GGUF file about special tokens and chat templates, for the reader and for `rung convert`.
//
// tokenizer.ggml.* and tokenizer.chat_template* are those of GGUF's specification and of llama.cpp's
// converter. tokenizer.rung.* are our own, for what those cannot say; other readers do not know them.

#include <array>
#include <string_view>
#include <utility>

namespace rung::gguf_keys {

/// Roles of tokens, as chat templates name them, and the keys of their ids.
inline constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kRoles = {
    {{"bos_token", "tokenizer.ggml.bos_token_id"},
     {"eos_token", "tokenizer.ggml.eos_token_id"},
     {"unk_token", "tokenizer.ggml.unknown_token_id"},
     {"sep_token", "tokenizer.ggml.seperator_token_id"},  // spelled like this in the specification
     {"pad_token", "tokenizer.ggml.padding_token_id"},
     {"cls_token", "tokenizer.ggml.cls_token_id"},
     {"mask_token", "tokenizer.ggml.mask_token_id"}}};
/// Further tokens that end generation, beside that of "eos_token": end of turn, end of message.
inline constexpr std::array<std::string_view, 2> kFurtherEnds = {"tokenizer.ggml.eot_token_id",
                                                                 "tokenizer.ggml.eom_token_id"};
/// Roles that have no such key, or another text than the token of the key (empty: none):
/// tokenizer.rung.token.image_token = "<image>".
inline constexpr std::string_view kNamePrefix = "tokenizer.rung.token.";
/// The ids of all tokens that end generation, where they are more than the specification has keys for.
inline constexpr std::string_view kEnds = "tokenizer.rung.eos_token_ids";

inline constexpr std::string_view kChatTemplate = "tokenizer.chat_template";
/// The names of further templates; that of the name X is under tokenizer.chat_template.X.
inline constexpr std::string_view kChatTemplateNames = "tokenizer.chat_templates";

}  // namespace rung::gguf_keys
