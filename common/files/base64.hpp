#pragma once
// Base64 (RFC 4648), in which tokenizer.json carries binary tables.

#include <string>
#include <string_view>

namespace rung {

/// The bytes that `text` stands for. Throws Error naming `what` for characters that are not of the alphabet.
std::string from_base64(std::string_view text, const std::string& what);

}  // namespace rung
