#pragma once
// Errors are sentences: what is wrong, the limit, the remedy.
//
// Everything that can go wrong because of a file, a flag or a request is thrown as one of these and
// printed once, by main(). A broken invariant of our own code is an assert, not an Error.

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <utility>

#include "core/printable.hpp"

namespace rung {

/// The job failed: the program prints the sentence and exits with status 1. Sentences quote files of
/// strangers: control characters are written out.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& sentence) : std::runtime_error(printable(sentence, true)) {}
};

/// The job was asked for wrongly (flag, name, value): exit status 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// A learner's rung that has no code yet was run. Not a failure of the house; exit status 1.
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
