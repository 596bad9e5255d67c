#pragma once
// The variants of `rung compare` and `rung experiment`: which options they have, and how they are named.

#include <string>
#include <utility>
#include <vector>

#include "cli/cli.hpp"
#include "cli/serve_load.hpp"
#include "measure/stored_runs.hpp"

namespace rung::cli {

/// All options of one variant.
struct VariantOptions {
  RunOptions run;
  ServeLoadOptions load;
  int sequences = 16, step_tokens = 256;  // of a serving workload

  void add_to(Command& command);
  /// Adds only those that a serving workload has.
  void add_load_to(Command& command);
};

/// Returns the names of all options of a variant ("--threads").
std::vector<std::string> variant_option_names();

/// Returns the name of a model without its folder and ending.
std::string model_label(const std::string& model);

/// Returns the parts of "a,b": at least one, and an empty one after a comma at the end.
std::vector<std::string> split_at_commas(const std::string& text);

/// Collects options that may have several values: the values of `--attention naive,flash`, or those of an
/// option that is given more than once, which are then not divided at commas.
class Alternatives {
 public:
  /// Adds all options of VariantOptions to a command, except those that `leave_out` names.
  void add_to(Command& command, const std::vector<std::string>& leave_out);
  /// Adds a value as if it had been given on the command line. `name` is "--attention" or "--set".
  void add(const std::string& name, const std::string& value);

  struct Axis {
    std::string option;               // "--attention", or "--set" for a seam without an option of its own
    std::string name;                 // "attention": without dashes, and the seam of --set
    std::vector<std::string> values;  // at least one; of a flag: ""
    std::vector<std::string> names;   // how the values are shown, if not as they are; otherwise empty
  };
  /// Returns the options in the order in which they were first given. Throws UsageError for a --set without
  /// "=".
  std::vector<Axis> axes() const;

 private:
  std::vector<std::pair<std::string, std::string>> given_;
};

/// A variant before its model is loaded.
struct VariantSpec {
  std::string name;                // "naive", or "naive, q8_0": the values in which the variants differ
  NamedOptions options;            // the same as names and values
  std::vector<std::string> words;  // all its options, as a command line

  /// Parses the words. Throws UsageError if they are wrong.
  void parse_into(VariantOptions& options) const;
};

/// Returns every combination of the values. The first one has the first value of each option. Names that
/// occur twice get a number. Throws UsageError if there are more than `most`.
std::vector<VariantSpec> variants_of(const std::vector<Alternatives::Axis>& axes, std::size_t most = 64);

/// Throws UsageError if one of the options belongs to serving workloads only. `workload` is for the message.
void refuse_load_options(const std::vector<Alternatives::Axis>& axes, const std::string& workload);

/// Returns the options that have one value, which all variants share.
NamedOptions settings_of(const std::vector<Alternatives::Axis>& axes);

}  // namespace rung::cli
