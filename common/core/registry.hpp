#pragma once
// Ladders: the rungs of every seam, by name.
//
// A seam is an interface class with two members that this file needs:
//   static constexpr std::string_view kSeam;      // "attention"
//   struct Config;                                 // what a rung is built from
// A rung is a factory for that interface under a name. Rungs are added bottom first, so the last one
// that is not the learner's, not one to be asked for by name, and that supports a configuration is the
// fastest: that is what `auto` is. `float32` is the last of these that computes in float32, `in_place` the
// last of those that keeps no copy of its weights.
//
// Registration is by plain function calls from one list (catalog/variants.cpp): static libraries drop
// objects that only register themselves. Not thread-safe while rungs are added; read-only afterwards.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/exercise_steps.hpp"
#include "core/goal.hpp"
#include "core/trial.hpp"

namespace rung {

/// Which of the machine's rates of arithmetic is a rung's limit.
enum class Arithmetic : std::uint8_t {
  float32,  // multiply-adds of float32
  bf16,     // products of bfloat16, where the processor has an instruction for them
  int8,     // products of bytes
};

/// What can be said of a rung without its seam's type.
struct RungInfo {
  std::string name;             // "flash"
  std::string source;           // "03_techniques/attention/flash.cpp"
  std::string summary;          // one line: what changes against the rung below
  bool exercise = false;        // the learner's rung: never chosen by `auto`, judged only when started
  bool automatic = true;        // false: chosen by name only; the lesson of its topic says why
  bool batch_invariant = true;  // false: the bits of a token depend on its batch; for comparison only
  Arithmetic arithmetic = Arithmetic::float32;
  bool copies = false;  // keeps a copy of its weights in another layout
};

/// Words that stand for the highest rung of a kind.
inline constexpr std::string_view kAuto = "auto", kFloat32 = "float32", kInPlace = "in_place";

template <class Seam>
struct Rung {
  RungInfo info;
  std::function<std::unique_ptr<Seam>(const typename Seam::Config&)> make;
  /// Whether make() may be called with this configuration; empty means always.
  std::function<bool(const typename Seam::Config&)> supports;
};

/// A ladder without its seam's type: enough for lists, trials and error sentences.
class LadderBase {
 public:
  explicit LadderBase(std::string seam) : seam_(std::move(seam)) {}
  virtual ~LadderBase() = default;
  LadderBase(const LadderBase&) = delete;
  LadderBase& operator=(const LadderBase&) = delete;

  const std::string& seam() const { return seam_; }
  const std::vector<RungInfo>& rungs() const { return infos_; }
  /// The rung called `name`; UsageError that lists the known ones otherwise.
  const RungInfo& info(std::string_view name) const { return infos_[index_of(name)]; }
  /// Throws UsageError when `choice` is no rung, no word for a kind of rung, and not several of these,
  /// separated by commas.
  void check(std::string_view choice) const {
    for (const std::string_view name : names_in(choice)) {
      if (!is_kind(name)) index_of(name);
    }
  }

  /// The workloads that judge and time the rungs; made on demand because their inputs are large.
  std::vector<Trial> trials() const { return make_trials ? make_trials() : std::vector<Trial>{}; }
  std::function<std::vector<Trial>()> make_trials;

  /// What makes a correct exercise of this ladder a good one; usually nothing does.
  std::vector<Goal> goals() const { return make_goals ? make_goals() : std::vector<Goal>{}; }
  std::function<std::vector<Goal>()> make_goals;

  /// The graded steps of the exercise, at least one.
  std::vector<ExerciseStep> steps() const {
    if (make_steps) return make_steps();
    return {{.title = "the whole exercise", .task = "Write mine.cpp.", .ladder = true}};
  }
  std::function<std::vector<ExerciseStep>()> make_steps;

  /// What this build or machine leaves out, as a sentence; usually empty.
  std::string note;

 protected:
  static bool is_kind(std::string_view name) { return name == kAuto || name == kFloat32 || name == kInPlace; }
  /// Whether a rung is of the kind that a word stands for.
  static bool is_of_kind(const RungInfo& rung, std::string_view kind) {
    if (!rung.automatic || rung.exercise) return false;
    return kind == kAuto || (rung.arithmetic == Arithmetic::float32 && (kind == kFloat32 || !rung.copies));
  }

  static std::vector<std::string_view> names_in(std::string_view choice) {
    std::vector<std::string_view> names;
    for (std::size_t begin = 0; begin <= choice.size();) {
      const std::size_t end = std::min(choice.find(',', begin), choice.size());
      names.push_back(choice.substr(begin, end - begin));
      begin = end + 1;
    }
    return names;
  }

  std::size_t index_of(std::string_view name) const {
    std::string known = "auto, float32, in_place";
    for (std::size_t i = 0; i < infos_.size(); ++i) {
      if (infos_[i].name == name) return i;
      known += ", " + infos_[i].name;
    }
    fail_usage("seam {} has no rung '{}'; known: {}", seam_, name, known);
  }

  std::string seam_;
  std::vector<RungInfo> infos_;  // bottom rung first
};

template <class Seam>
class Ladder : public LadderBase {
 public:
  Ladder() : LadderBase(std::string(Seam::kSeam)) {}

  void add(Rung<Seam> rung) {
    infos_.push_back(rung.info);
    rungs_.push_back(std::move(rung));
  }

  /// Resolves a choice for a configuration: `auto` becomes the highest rung that supports it, `float32` and
  /// `in_place` the highest of their kind, "packed,panels,auto" the first of these that does. Throws
  /// UsageError for an unknown name, Error when no named rung supports the configuration.
  const Rung<Seam>& choose(std::string_view choice, const typename Seam::Config& config) const {
    check(choice);
    for (const std::string_view name : names_in(choice)) {
      const Rung<Seam>* rung = is_kind(name) ? highest(name, config) : &rungs_[index_of(name)];
      if (rung != nullptr && (!rung->supports || rung->supports(config))) return *rung;
    }
    if (is_kind(choice)) fail("no rung of seam {} supports {}", seam_, config.describe());
    fail("rung '{}' of seam {} does not support {}; 'auto' chooses one that does", choice, seam_,
         config.describe());
  }

  /// Whether the rung called `name` can be made for this configuration; UsageError for an unknown name.
  bool supports(std::string_view name, const typename Seam::Config& config) const {
    const Rung<Seam>& rung = rungs_[index_of(name)];
    return !rung.supports || rung.supports(config);
  }

  std::unique_ptr<Seam> make(std::string_view name, const typename Seam::Config& config) const {
    return choose(name, config).make(config);
  }

 private:
  const Rung<Seam>* highest(std::string_view kind, const typename Seam::Config& config) const {
    for (auto rung = rungs_.rbegin(); rung != rungs_.rend(); ++rung) {
      if (is_of_kind(rung->info, kind) && (!rung->supports || rung->supports(config))) return &*rung;
    }
    return nullptr;
  }

  std::vector<Rung<Seam>> rungs_;
};

class Registry {
 public:
  /// The ladder of a seam; created empty on first use.
  template <class Seam>
  Ladder<Seam>& ladder() {
    auto& slot = ladders_[std::string(Seam::kSeam)];
    if (!slot) slot = std::make_unique<Ladder<Seam>>();
    return static_cast<Ladder<Seam>&>(*slot);
  }
  template <class Seam>
  const Ladder<Seam>& ladder() const {
    return static_cast<const Ladder<Seam>&>(find(Seam::kSeam));
  }

  /// The ladder called `seam`; UsageError that lists the known seams otherwise.
  const LadderBase& find(std::string_view seam) const {
    std::string known;
    for (const auto& [name, ladder] : ladders_) {
      if (name == seam) return *ladder;
      known += (known.empty() ? "" : ", ") + name;
    }
    fail_usage("unknown seam '{}'; known: {}", seam, known);
  }

  /// Every ladder, in alphabetical order of its seam.
  std::vector<const LadderBase*> all() const {
    std::vector<const LadderBase*> result;
    for (const auto& [name, ladder] : ladders_) result.push_back(ladder.get());
    return result;
  }

 private:
  std::map<std::string, std::unique_ptr<LadderBase>> ladders_;
};

}  // namespace rung
