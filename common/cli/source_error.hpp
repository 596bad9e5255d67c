#pragma once
// Errors of the server from which a model is fetched.

#include "core/error.hpp"

namespace rung::cli {

/// Thrown if the server cannot be reached, does not have the file, or sends a wrong file. A caller that knows
/// another server can try that one. Problems of this machine (a full disk, another process that fetches the
/// same file, Ctrl-C) are a plain Error.
class SourceError : public Error {
 public:
  using Error::Error;
};

/// Throws SourceError with a formatted message.
template <class... Args>
[[noreturn]] void fail_source(fmt::format_string<Args...> sentence, Args&&... args) {
  throw SourceError(fmt::format(sentence, std::forward<Args>(args)...));
}

}  // namespace rung::cli
