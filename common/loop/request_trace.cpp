#include "loop/request_trace.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <sstream>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/ascii.hpp"
#include "core/error.hpp"
#include "core/input_text.hpp"
#include "core/numbers.hpp"

namespace rung {
namespace {

constexpr int kMooncakeBlock = 512;
constexpr std::int64_t kMostTokens = 1 << 28;  // more are an error of the file, and sums must fit
constexpr std::size_t kQuoted = 80;            // of a line, in an error

/// Where an error is: the file and the line.
struct Place {
  const std::string& name;
  std::size_t line = 0;
};

template <class Number>
bool parse(std::string_view text, Number& value) {
  return read_number(text, value).empty();
}

/// Digits alone, of a number from `least` to `most`.
bool parse_digits(std::string_view text, int least, int most, int& value) {
  return std::all_of(text.begin(), text.end(), is_ascii_digit) &&
         read_number(text, value, {least, most}).empty();
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

int tokens(std::int64_t count, const char* what, const Place& place) {
  if (count < 0 || count > kMostTokens) {
    fail("{}, line {}: the number of {} tokens is {}; it must be from 0 to {}", place.name, place.line, what,
         count, kMostTokens);
  }
  return static_cast<int>(count);
}

/// Days from 1970-01-01 in the Gregorian calendar (Howard Hinnant's days_from_civil).
std::int64_t days(int year, int month, int day) {
  year -= month <= 2;
  const int era = (year >= 0 ? year : year - 399) / 400;
  const int of_era = year - era * 400;
  const int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return std::int64_t{era} * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/// "2023-11-16 18:17:03.9799600", also with "Z" or "+01:00" behind it, in seconds since 1970.
bool parse_date(std::string_view text, double& seconds) {
  constexpr std::string_view kForm = "....-..-.. ..:..:..";
  if (text.size() < kForm.size()) return false;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool good =
        kForm[i] == '.' ? is_ascii_digit(text[i]) : text[i] == kForm[i] || (i == 10 && text[i] == 'T');
    if (!good) return false;
  }
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const auto number = [&](std::size_t at, std::size_t digits, int least, int most, int& value) {
    return parse_digits(text.substr(at, digits), least, most, value);
  };
  if (!number(0, 4, 0, 9999, year) || !number(5, 2, 1, 12, month) || !number(11, 2, 0, 23, hour) ||
      !number(14, 2, 0, 59, minute) || !number(17, 2, 0, 60, second)) {  // 60: a leap second
    return false;
  }
  const std::int64_t first = days(year, month, 1),
                     next = month == 12 ? days(year + 1, 1, 1) : days(year, month + 1, 1);
  if (!number(8, 2, 1, static_cast<int>(next - first), day)) return false;
  seconds = static_cast<double>(first + day - 1) * 86400 + hour * 3600 + minute * 60 + second;

  std::string_view rest = text.substr(kForm.size());
  if (rest.starts_with('.')) {
    const std::size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    double fraction = 0;
    if (end == 1 || !parse(rest.substr(0, end), fraction)) return false;
    seconds += fraction;
    rest.remove_prefix(end);
  }
  if (rest.empty() || rest == "Z") return true;
  int hours = 0, minutes = 0;
  if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':' ||
      !parse_digits(rest.substr(1, 2), 0, 23, hours) || !parse_digits(rest.substr(4, 2), 0, 59, minutes)) {
    return false;
  }
  seconds -= (rest[0] == '-' ? -60.0 : 60.0) * (hours * 60 + minutes);
  return true;
}

constexpr int kMostUsers = 1 << 20;

/// Field i of a line; empty where it has fewer.
std::string_view field(std::string_view line, std::size_t i) {
  for (; i > 0; --i) {
    const std::size_t comma = line.find(',');
    if (comma == std::string_view::npos) return {};
    line.remove_prefix(comma + 1);
  }
  return trimmed(line.substr(0, line.find(',')));
}

/// Which field the header calls "user"; npos: none.
std::size_t user_field(std::string_view header) {
  const auto fields = static_cast<std::size_t>(std::count(header.begin(), header.end(), ',')) + 1;
  for (std::size_t i = 0; i < fields; ++i) {
    if (field(header, i) == "user") return i;
  }
  return std::string_view::npos;
}

/// The two counts at the end of a line; false where it has none.
bool parse_counts(std::string_view line, std::int64_t& prompt, std::int64_t& output) {
  const std::size_t last = line.rfind(',');
  const std::size_t before = last == 0 || last == std::string_view::npos ? last : line.rfind(',', last - 1);
  return last != std::string_view::npos && before != std::string_view::npos && before != last &&
         parse(trimmed(line.substr(before + 1, last - before - 1)), prompt) &&
         parse(trimmed(line.substr(last + 1)), output);
}

/// `has_arrivals`: whether the first field is a time, which the first request decides for all.
TracedRequest from_csv(std::string_view line, std::size_t user, std::optional<bool>& has_arrivals,
                       const Place& place) {
  TracedRequest request;
  std::int64_t prompt = 0, output = 0;
  if (!parse_counts(line, prompt, output)) {
    fail("{}, line {}: '{}' does not end in two counts of tokens, as in 2023-11-16 18:17:03,374,44",
         place.name, place.line, line.substr(0, kQuoted));
  }
  request.prompt = tokens(prompt, "prompt", place);
  request.output = tokens(output, "output", place);
  if (user != std::string_view::npos) {
    const std::string_view whose = field(line, user);
    if (!read_number(whose, request.user, {0, kMostUsers - 1}).empty()) {
      fail("{}, line {}: '{}' is not a user; users are numbers from 0 to {}", place.name, place.line,
           whose.substr(0, kQuoted), kMostUsers - 1);
    }
  }
  const std::string_view time = field(line, 0);
  const bool is_time = parse_date(time, request.arrival_s) || parse(time, request.arrival_s);
  const bool meant =
      !time.empty() && (is_ascii_digit(time[0]) || time[0] == '-' || time[0] == '+' || time[0] == '.');
  if (!is_time && (meant || has_arrivals.value_or(false))) {
    fail(
        "{}, line {}: '{}' is not a time; write seconds, or a date as in 2023-11-16 18:17:03.97 or "
        "2024-05-10T00:00:00.5+00:00",
        place.name, place.line, time.substr(0, kQuoted));
  }
  if (!has_arrivals) has_arrivals = is_time;
  return request;
}

std::int64_t member(const nlohmann::json& object, const char* key, const Place& place) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) {
    fail(
        "{}, line {}: '{}' is missing or not a number; a line has timestamp, input_length, output_length and "
        "hash_ids",
        place.name, place.line, key);
  }
  const double value = found->get<double>();
  if (!(std::abs(value) < 0x1p53))
    fail("{}, line {}: '{}' is {}; its magnitude must be below 2^53", place.name, place.line, key, value);
  return static_cast<std::int64_t>(value);
}

TracedRequest from_json(std::string_view line, const Place& place) {
  const nlohmann::json object =
      nlohmann::json::parse(line.begin(), line.end(), nullptr, /*exceptions=*/false);
  if (!object.is_object()) {
    fail("{}, line {}: '{}' is not a JSON object, but the file began with one", place.name, place.line,
         line.substr(0, kQuoted));
  }
  TracedRequest request;
  request.arrival_s = static_cast<double>(member(object, "timestamp", place)) * 1e-3;
  request.prompt = tokens(member(object, "input_length", place), "prompt", place);
  request.output = tokens(member(object, "output_length", place), "output", place);
  const auto ids = object.find("hash_ids");
  const auto expected = static_cast<std::size_t>((request.prompt + kMooncakeBlock - 1) / kMooncakeBlock);
  if (ids == object.end() || !ids->is_array() || ids->size() != expected) {
    fail("{}, line {}: a prompt of {} tokens needs {} hash_ids, one for every {} tokens; the line has {}",
         place.name, place.line, request.prompt, expected, kMooncakeBlock,
         ids == object.end() || !ids->is_array() ? 0 : ids->size());
  }
  for (const nlohmann::json& id : *ids) {
    if (!id.is_number_integer())
      fail("{}, line {}: a hash_id is {}; hash_ids must be whole numbers", place.name, place.line, id.dump());
    request.blocks.push_back(id.get<std::int64_t>());
  }
  return request;
}

}  // namespace

RequestTrace read_request_trace(std::istream& in, const std::string& name, std::size_t limit) {
  RequestTrace trace;
  Place place{name};
  std::string text;
  bool json = false;
  std::size_t user = std::string_view::npos;
  std::optional<bool> has_arrivals;
  for (bool first = true; trace.requests.size() < limit && std::getline(in, text);) {
    ++place.line;
    const std::string_view line = trimmed(text);
    if (line.empty()) continue;
    if (first) {
      first = false;
      json = line.front() == '{';
      if (!json) {
        std::int64_t prompt = 0, output = 0;
        user = user_field(line);
        if (!parse_counts(line, prompt, output)) continue;  // a header
      }
    }
    trace.requests.push_back(json ? from_json(line, place) : from_csv(line, user, has_arrivals, place));
  }
  trace.has_arrivals = json || has_arrivals.value_or(false);
  if (in.bad()) fail("{} cannot be read to its end", name);
  if (trace.requests.empty()) fail("{} has no requests; a trace has one request per line", name);
  trace.block_tokens = json ? kMooncakeBlock : 0;
  const double start = trace.requests.front().arrival_s;
  for (TracedRequest& request : trace.requests) request.arrival_s -= start;
  for (std::size_t i = 1; trace.has_arrivals && i < trace.requests.size(); ++i) {
    if (trace.requests[i].arrival_s < trace.requests[i - 1].arrival_s) {
      fail("{}: request {} arrived before request {}; sort the trace by time", name, i + 1, i);
    }
  }
  return trace;
}

RequestTrace read_request_trace(const std::string& path, std::size_t limit) {
  std::istringstream text(read_input(path, "the trace"));
  return read_request_trace(text, path == "-" ? "the trace on stdin" : path, limit);
}

}  // namespace rung
