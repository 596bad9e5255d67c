#pragma once
// Seam `request_check`: whether the JSON body of a request has the fields, types and ranges that an endpoint
// accepts.
//
// An endpoint describes its fields in one table. The checks, the OpenAPI document and the page in docs/ are
// made from this table, so they cannot contradict each other. A check does not look at values that only a
// model can judge, such as the length of a prompt.
//
// Rules that hold for every table: a field that the table does not name is accepted and ignored. `null` means
// the same as an absent field. A number that is written as 3.0 is an integer.
//
// Thread safety: any thread may call a check, which does not change.

#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

/// The JSON types of a field. Several can be allowed, so they are bits.
enum FieldTypes : unsigned {
  kBoolean = 1U << 0,
  kInteger = 1U << 1,
  kNumber = 1U << 2,
  kString = 1U << 3,
  kStrings = 1U << 4,       // array of strings
  kTokens = 1U << 5,        // array of integers from 0: token ids
  kTokenLists = 1U << 6,    // array of arrays of token ids
  kObject = 1U << 7,        // any members, or those of `members`
  kObjects = 1U << 8,       // array of objects with `members`
  kNumberMap = 1U << 9,     // object whose values are numbers within the range
  kNotSupported = 1U << 10  // the field is known, and any value but null, false, [] or {} is refused by name
};

/// One field of a request.
struct Field {
  std::string name;
  unsigned types = 0;         // FieldTypes
  std::string meaning;        // one sentence; for kNotSupported: what the engine lacks
  std::string fallback = {};  // what an absent field means, as the documents show it: "16", "none"
  // Range of a number, of the elements of a list of numbers, and of the values of a kNumberMap.
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool above_least = false;  // `least` itself is not allowed
  // Range of the number of elements of an array, or of bytes of a string.
  std::size_t shortest = 0, longest = std::numeric_limits<std::size_t>::max();
  std::vector<std::string> choices = {};  // allowed strings; empty: all
  bool required = false;
  std::vector<Field> members = {};  // of an object, or of each object in an array
};

/// The fields of one endpoint.
struct EndpointTable {
  std::string method, path;  // "POST", "/v1/completions"
  std::string summary;       // one sentence
  std::vector<Field> fields;
};

/// Why a body is refused.
struct FieldError {
  std::string field;  // path to the field: "messages[2].role"; empty: the body itself
  std::string
      message;  // a sentence without a dot at its end: "top_p is 1.5; it must be above 0 and at most 1"
};

struct RequestCheckConfig {
  const EndpointTable* table = nullptr;  // not owned; outlives the check

  std::string describe() const { return table == nullptr ? "no endpoint" : table->path; }
};

class RequestCheck {
 public:
  static constexpr std::string_view kSeam = "request_check";
  using Config = RequestCheckConfig;

  virtual ~RequestCheck() = default;
  /// Returns the first error, or nothing if the body is accepted. Fields are checked in the order of the
  /// table, and the elements of an array in their order.
  virtual std::optional<FieldError> check(const nlohmann::ordered_json& body) const = 0;
};

}  // namespace rung
