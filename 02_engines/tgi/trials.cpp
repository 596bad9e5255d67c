// What judges and times the rungs of `safetensors_index`: headers with their answers, and large ones.

#include <fmt/ranges.h>

#include <algorithm>
#include <exception>
#include <memory>

#include "tgi.hpp"

namespace rung::tgi {
namespace {

std::string describe(const SafetensorsEntry& e) {
  return fmt::format("'{}' {} [{}] in bytes {} to {}", e.name, e.dtype, fmt::join(e.shape, ", "), e.begin,
                     e.end);
}

Verdict failed(const Case& c, const std::string& index, const std::string& expected, const std::string& got) {
  return Verdict().fail(
      mismatch(c.name, fmt::format("a header of {} bytes", c.header.size()), index, expected, got));
}

Verdict judge(const Ladder<SafetensorsIndex>& ladder, const std::string& rung, const Case& c) {
  const auto reader = ladder.make(rung, {});
  Entries got;
  try {
    got = reader->read(c.header, "header");
  } catch (const NotStarted&) {
    throw;
  } catch (const Error& error) {
    if (c.refused) return {};
    return failed(c, "the whole", fmt::format("{} tensors", c.expected.size()),
                  fmt::format("the error '{}'", error.what()));
  } catch (const std::exception& error) {  // of the JSON library
    return failed(c, "the whole", c.refused ? "an Error" : fmt::format("{} tensors", c.expected.size()),
                  fmt::format("an exception that is not an Error: '{}'", error.what()));
  }
  if (c.refused) return failed(c, "the whole", "an Error", fmt::format("{} tensors", got.size()));
  if (got.size() != c.expected.size()) {
    return failed(c, "the number of tensors", std::to_string(c.expected.size()), std::to_string(got.size()));
  }
  const auto by_name = [](const SafetensorsEntry& a, const SafetensorsEntry& b) { return a.name < b.name; };
  Entries expected = c.expected;
  std::sort(expected.begin(), expected.end(), by_name);
  std::sort(got.begin(), got.end(), by_name);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!(got[i] == expected[i])) {
      return failed(c, fmt::format("tensor {} by name", i), describe(expected[i]), describe(got[i]));
    }
  }
  return {};
}

}  // namespace

std::vector<Trial> trials(const Ladder<SafetensorsIndex>& ladder) {
  std::vector<Case> list = cases();
  for (const int count : {291, 30'000}) {
    MadeHeader made = make_header(count);
    list.push_back({fmt::format("{} tensors, {:.1f} kB", count, static_cast<double>(made.text.size()) * 1e-3),
                    std::move(made.text), std::move(made.entries), false});
  }
  const auto judge_one = [&ladder](const std::string& rung, int /*threads*/, const Case& c) {
    return judge(ladder, rung, c);
  };
  return trials_of(std::move(list), judge_one, [&ladder](Trial& trial, std::shared_ptr<const Case> c) {
    trial.timed = c->expected.size() > 100;
    trial.work.bytes = static_cast<double>(c->header.size());
    trial.prepare = [c, &ladder](const std::string& rung, int) -> std::function<void()> {
      const std::shared_ptr<SafetensorsIndex> reader = ladder.make(rung, {});
      return [c, reader] { reader->read(c->header, "header"); };
    };
  });
}

}  // namespace rung::tgi
