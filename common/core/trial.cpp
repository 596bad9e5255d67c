#include "core/trial.hpp"

#include <cassert>
#include <cmath>
#include <filesystem>

#include "core/error.hpp"
#include "core/printable.hpp"

namespace rung {
namespace {

// "token 1 of 3, head 0 of 4, dim 7 of 16, counted from 0"
std::string place(std::initializer_list<Dimension> shape, std::int64_t index) {
  std::string text;
  std::int64_t below = 1;
  for (const Dimension& d : shape) below *= d.size;
  for (const Dimension& d : shape) {
    below /= d.size;
    text += fmt::format("{}{} {} of {}", text.empty() ? "" : ", ", d.name, (index / below) % d.size, d.size);
  }
  return text + ", counted from 0";
}

/// NaN without its sign, which says nothing to a reader.
std::string number_text(double x) { return std::isnan(x) ? "nan" : fmt::format("{:.9g}", x); }

std::string actual_text(double got, const Verdict& verdict) {
  if (std::isnan(verdict.error)) return number_text(got);
  return fmt::format("{}, difference {:.3g}, allowed {:.3g}", number_text(got), verdict.error,
                     verdict.tolerance);
}

}  // namespace

Verdict& Verdict::fail(std::string sentence) {
  status = Status::failed;
  message = std::move(sentence);
  return *this;
}

Verdict Verdict::unsupported(std::string reason) { return {Status::unsupported, 0, 0, std::move(reason)}; }

std::string mismatch(const std::string& what, const std::string& shape, const std::string& index,
                     const std::string& expected, const std::string& got) {
  return mismatch_line(kTrialLine, fmt::format("{}, shape [{}]", what, shape)) +
         mismatch_line(kIndexLine, index) + mismatch_line(kExpectedLine, expected) +
         mismatch_line(kActualLine, got);
}

std::string mismatch_line(std::string_view word, const std::string& text) {
  return fmt::format("{:<10} {}\n", word, text);
}

Verdict compare(const std::string& what, std::initializer_list<Dimension> shape, std::span<const float> got,
                std::span<const double> expected, std::span<const double> tolerance) {
  assert(got.size() == expected.size());
  assert(tolerance.size() == 1 || tolerance.size() == got.size());
  Verdict verdict;
  double worst = -1.0;  // error as a share of its tolerance
  std::size_t where = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double allowed = tolerance[tolerance.size() == 1 ? 0 : i];
    const double error = std::fabs(static_cast<double>(got[i]) - expected[i]);
    // An infinite or NaN difference is worse than any finite one; the first of them is reported.
    const double share = std::isfinite(error) ? error / (allowed > 0 ? allowed : 1e-300) : HUGE_VAL;
    if (share > worst) {
      worst = share;
      where = i;
      verdict.error = error;
      verdict.tolerance = allowed;
    }
  }
  if (got.empty() || verdict.error <= verdict.tolerance) return verdict;
  std::string sizes;
  for (const Dimension& d : shape) {
    sizes += (sizes.empty() ? "" : ", ") + counted(d.size, d.name);
  }
  return verdict.fail(mismatch(what, sizes, place(shape, static_cast<std::int64_t>(where)),
                               number_text(expected[where]), actual_text(got[where], verdict)));
}

bool newer_than_program(const std::string& path) {
  std::error_code unknown;
  const auto written = std::filesystem::last_write_time(path, unknown);
  if (unknown) return false;
  const auto built = std::filesystem::last_write_time("/proc/self/exe", unknown);
  return !unknown && written > built;
}

Verdict judged(const std::function<Verdict()>& body) {
  Verdict verdict;
  try {
    return body();
  } catch (const NotStarted& error) {
    verdict.status = Verdict::Status::not_started;
    verdict.message = error.what();
  } catch (const Error& error) {
    verdict.fail(error.what());
  }
  return verdict;
}

std::function<Verdict(const std::string&, int)> judging(
    std::function<Verdict(const std::string&, int)> judge) {
  return [judge = std::move(judge)](const std::string& rung, int threads) {
    return judged([&] { return judge(rung, threads); });
  };
}

}  // namespace rung
