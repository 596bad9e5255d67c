#pragma once
// Errors of the server that a model comes from.

#include "core/error.hpp"

namespace rung::cli {

/// The server cannot be reached, does not have the file, or sends another file than it should. Another server
/// may do better, so a caller that knows one may go on there. What goes wrong on this machine (a full disk,
/// another process at the same file, Ctrl-C) is a plain Error.
class SourceError : public Error {
 public:
  using Error::Error;
};

/// Throws SourceError with a formatted sentence.
template <class... Args>
[[noreturn]] void fail_source(fmt::format_string<Args...> sentence, Args&&... args) {
  throw SourceError(fmt::format(sentence, std::forward<Args>(args)...));
}

}  // namespace rung::cli
