#pragma once
// Decodes Base64 (RFC 4648), which tokenizer.json uses for binary tables.

#include <string>
#include <string_view>

namespace rung {

/// Returns the bytes that `text` encodes. Throws Error, which names `what`, for characters outside the
/// alphabet.
std::string from_base64(std::string_view text, const std::string& what);

}  // namespace rung
