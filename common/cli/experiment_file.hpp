#pragma once
// The file of an experiment, in TOML: which variants are measured under which workloads.
//
//   title = "Number formats of the weights"
//   question = "How much speed does each format give, and what does it cost in quality?"
//   models = ["tiny"]               every part is measured with each of these models (default: ["tiny"])
//
//   [variants]                      options with several values: every combination is a variant
//   type = ["f16", "q8_0", "q4_0"]  the model's weights in these formats; any other key is an option of
//                                   `rung compare` without its dashes, or a seam
//   [options]                       options with one value, which all variants share
//   threads = 2
//
//   [[part]]
//   workload = "decode"             or measure = "quality"
//   sizes = [1, 4]                  prompt lengths, batch sizes, contexts or rates (default: those of rung
//   compare)
//
// A part can also have: name, tokens, text, chunks, slo_ttft, slo_tpot, slo_e2e, and tables `variants` and
// `options` of its own, which are added to those of the file. The file can also have: confidence, precision,
// rounds and max_rounds, as `rung compare` has them.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/compare.hpp"

namespace rung::cli {

/// A key of the tables `variants` and `options`, with its values.
using ExperimentOptions = std::vector<std::pair<std::string, std::vector<std::string>>>;

struct ExperimentPart {
  std::string name;
  PartPlan plan;
  ExperimentOptions options;  // the file's and the part's own
};

struct ExperimentFile {
  std::string text;  // of the file
  std::string title, question;
  std::vector<std::string> models;
  std::optional<double> confidence, precision;
  std::optional<int> rounds, most;
  std::vector<ExperimentPart> parts;
};

/// Reads and checks an experiment. Throws Error, with the line, if the file is not TOML, or if a key is
/// unknown or has the wrong type.
ExperimentFile read_experiment(const std::string& path);

}  // namespace rung::cli
