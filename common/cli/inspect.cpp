// rung inspect: reports the metadata of a model, its sizes by type, the formula of its KV cache, and its
// tensors.

#include "cli/inspect.hpp"

#include <algorithm>

#include "core/printable.hpp"
#include "text/utf8.hpp"

namespace rung::cli {
namespace {

/// One line of the table. Tensors that differ only in the number of their layer share a line.
struct Line {
  std::string name, type, shape;
  std::size_t count = 0, bytes = 0;
  double share = 0;
};

/// Replaces the first number between dots with {}: blk.{}.attn_q.weight.
std::string pattern_of(const std::string& name) {
  for (std::size_t begin = name.find('.'); begin != std::string::npos; begin = name.find('.', begin + 1)) {
    const std::size_t end = name.find_first_not_of("0123456789", begin + 1);
    if (end != std::string::npos && end > begin + 1 && name[end] == '.') {
      return name.substr(0, begin + 1) + "{}" + name.substr(end);
    }
  }
  return name;
}

std::vector<Line> lines_of(const std::vector<InspectedTensor>& tensors, bool all) {
  std::vector<Line> lines;
  for (const InspectedTensor& t : tensors) {
    const std::string name = printable(t.name);
    Line line{all ? name : pattern_of(name), t.type, Json(t.shape).dump(), 1, t.bytes, t.share};
    const auto same = std::find_if(lines.begin(), lines.end(), [&](const Line& other) {
      return other.name == line.name && other.type == line.type && other.shape == line.shape;
    });
    if (same == lines.end()) {
      lines.push_back(std::move(line));
    } else {
      ++same->count;
      same->bytes += line.bytes;
      same->share += line.share;
    }
  }
  return lines;
}

void print_tensors(const InspectReport& r, bool all) {
  fmt::print("\nTensors ({})\n", r.tensors.size());
  if (r.tensors.empty()) return;
  const std::vector<Line> lines = lines_of(r.tensors, all);
  std::size_t width = 4;
  for (const Line& line : lines) width = std::max(width, line.name.size());
  fmt::print("  {:<{}}  {:>5}  {:<8} {:>16} {:>15} {:>7}\n", "name", width, "count", "type", "shape", "bytes",
             "share");
  for (const Line& line : lines) {
    fmt::print("  {:<{}}  {:>5}  {:<8} {:>16} {:>15} {:>5.1f} %\n", line.name, width, line.count, line.type,
               line.shape, line.bytes, 100 * line.share);
  }
  fmt::print("\n  {:<8} {:>7} {:>15} {:>15} {:>7} {:>16}\n", "type", "tensors", "elements", "bytes", "share",
             "bits per weight");
  for (const InspectedType& t : r.types) {
    fmt::print("  {:<8} {:>7} {:>15} {:>15} {:>5.1f} % {:>16.3f}\n", t.type, t.tensors, t.elements, t.bytes,
               100 * t.share, t.bits_per_weight());
  }
}

void print_model(const InspectedModel& model) {
  fmt::print("\nModel\n");
  const Json fields = model_json(model);
  for (const auto& [key, value] : fields.items()) {
    fmt::print("  {:<18} {}\n", key,
               value.is_string() ? printable(value.get<std::string>()) : dump_json(value, -1));
  }
  fmt::print("\nKV cache of one sequence\n  {}\n", model.kv_formula());
  for (const auto& [tokens, bytes] : model.kv_contexts()) {
    fmt::print("  {:>9} tokens {:>12.1f} MB\n", tokens, static_cast<double>(bytes) * 1e-6);
  }
}

}  // namespace

void print(const InspectReport& r, bool all) {
  fmt::print("{} ({}, {:.1f} MB)\n", r.path, r.format, static_cast<double>(r.tensor_bytes) * 1e-6);
  if (r.model) {
    print_model(*r.model);
  } else {
    fmt::print("\nNot a model that runs here: {}\n", printable(r.not_runnable));
  }
  fmt::print("\nMetadata\n");
  for (const auto& [key, text] : r.metadata) {
    // A file may contain a whole tokenizer.json.
    constexpr std::size_t kMaxShown = 2000;
    if (all || text.size() <= kMaxShown) {
      fmt::print("  {:<44} {}\n", printable(key), printable(text));
    } else {
      fmt::print("  {:<44} {} ... ({} bytes; --all shows them)\n", printable(key),
                 printable(text.substr(0, utf8_valid_length(text.substr(0, 200), 0))), text.size());
    }
  }
  print_tensors(r, all);
}

void add_inspect(Command& app, Program& program) {
  Command* command =
      add_command(app, program, "inspect",
                  "show the metadata, the tensors and the sizes of a model, and the formula of its KV cache");
  const auto model = std::make_shared<std::string>();
  const auto all = std::make_shared<bool>(false);
  command->add_flag("--all", *all,
                    "print one line per tensor instead of one line for the same tensor of all layers, and "
                    "print long texts in full");
  command->add_option(
      "model,-m,--model", *model,
      "model to inspect: a GGUF file, a Hugging Face folder, or an embedded model (default: tiny)");
  command->callback([&program, model, all] {
    program.threads = false;
    program.run = [&program, model, all] {
      const InspectReport report = inspect(resolve_model(*model));
      if (program.json) {
        print_json(to_json(report));
      } else {
        print(report, *all);
      }
    };
  });
}

}  // namespace rung::cli
