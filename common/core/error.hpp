#pragma once
// The exceptions of Rung. Their messages are sentences that name the problem, the value, the limit and the
// remedy.
//
// A problem with a file, a flag or a request is thrown as one of these exceptions, and main() prints it once.
// A broken invariant of Rung's own code is an assert, not an Error.

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <utility>

#include "core/printable.hpp"

namespace rung {

/// Thrown if the job fails. The program prints the message and exits with status 1. Messages quote untrusted
/// files, so control characters are replaced by escape sequences.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& sentence) : std::runtime_error(printable(sentence, true)) {}
};

/// Thrown if the user passed an invalid flag, name or value. The program exits with status 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// Thrown if a learner's rung is run that has no code yet. This is not a failure of Rung. The program exits
/// with status 1.
class NotStarted : public Error {
 public:
  using Error::Error;
};

/// Throws Error with a formatted sentence.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> sentence, Args&&... args) {
  throw Error(fmt::format(sentence, std::forward<Args>(args)...));
}

/// Throws UsageError with a formatted sentence.
template <class... Args>
[[noreturn]] void fail_usage(fmt::format_string<Args...> sentence, Args&&... args) {
  throw UsageError(fmt::format(sentence, std::forward<Args>(args)...));
}

}  // namespace rung
