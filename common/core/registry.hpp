#pragma once
// Ladders: the rungs of each seam, by name.
//
// A seam is an interface class with two members that this file needs:
//   static constexpr std::string_view kSeam;      // "attention"
//   struct Config;                                 // the configuration from which a rung is built
// A rung is a named factory for that interface. Rungs are added from the bottom of the ladder to the top, so
// later rungs are faster. `auto` is the highest rung that supports a configuration, without the learner's
// rung and the rungs that are chosen by name only. `float32` is the highest of these rungs that computes in
// float32. `in_place` is the highest rung that computes in float32 and keeps no copy of its weights.
//
// Rungs are registered by plain function calls from one list (catalog/variants.cpp), because the linker drops
// objects of a static library that only register themselves. Not thread-safe while rungs are added; read-only
// afterwards.

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

/// The kind of arithmetic that limits a rung's speed (MachineLimits).
enum class Arithmetic : std::uint8_t {
  float32,     // multiply-adds of float32
  bf16,        // products of bfloat16, if the processor has an instruction for them
  int8,        // products of bytes
  bf16_tiles,  // products of bfloat16 by matrix tiles, if the processor has them
  int8_tiles,  // products of bytes by matrix tiles
};

/// The properties of a rung that do not depend on its seam's type.
struct RungInfo {
  std::string name;             // "flash"
  std::string source;           // "03_techniques/attention/flash.cpp"
  std::string summary;          // one line that describes the difference from the rung below
  bool exercise = false;        // the learner's rung: `auto` never chooses it; judged only if it has code
  bool automatic = true;        // false: chosen by name only; the lesson of its topic explains why
  bool batch_invariant = true;  // false: the bits of a token depend on its batch; for comparison only
  Arithmetic arithmetic = Arithmetic::float32;
  bool copies = false;  // whether it keeps a copy of its weights in another layout
};

/// The names that choose the highest rung of a kind.
inline constexpr std::string_view kAuto = "auto", kFloat32 = "float32", kInPlace = "in_place";

template <class Seam>
struct Rung {
  RungInfo info;
  std::function<std::unique_ptr<Seam>(const typename Seam::Config&)> make;
  /// Returns whether make() may be called with this configuration. Empty: it may always be called.
  std::function<bool(const typename Seam::Config&)> supports;
};

/// A ladder without its seam's type, for lists, trials and error messages.
class LadderBase {
 public:
  explicit LadderBase(std::string seam) : seam_(std::move(seam)) {}
  virtual ~LadderBase() = default;
  LadderBase(const LadderBase&) = delete;
  LadderBase& operator=(const LadderBase&) = delete;

  const std::string& seam() const { return seam_; }
  const std::vector<RungInfo>& rungs() const { return infos_; }
  /// Returns the rung called `name`. Throws UsageError that lists the known rungs if there is none.
  const RungInfo& info(std::string_view name) const { return infos_[index_of(name)]; }
  /// Throws UsageError unless `choice` is a list, separated by commas, of names of rungs and of kinds of
  /// rungs.
  void check(std::string_view choice) const {
    for (const std::string_view name : names_in(choice)) {
      if (!is_kind(name)) index_of(name);
    }
  }

  /// Returns the workloads that judge and time the rungs. They are made on demand, because their inputs are
  /// large.
  std::vector<Trial> trials() const { return make_trials ? make_trials() : std::vector<Trial>{}; }
  std::function<std::vector<Trial>()> make_trials;

  /// Returns the goals of this ladder's exercise (core/goal.hpp). Most ladders have none.
  std::vector<Goal> goals() const { return make_goals ? make_goals() : std::vector<Goal>{}; }
  std::function<std::vector<Goal>()> make_goals;

  /// Returns the graded steps of the exercise, at least one.
  std::vector<ExerciseStep> steps() const {
    if (make_steps) return make_steps();
    return {{.title = "the whole exercise", .task = "Write mine.cpp.", .ladder = true}};
  }
  std::function<std::vector<ExerciseStep>()> make_steps;

  /// A sentence about the rungs that this build or this machine leaves out; usually empty.
  std::string note;

 protected:
  static bool is_kind(std::string_view name) { return name == kAuto || name == kFloat32 || name == kInPlace; }
  /// Returns whether a rung is of the kind called `kind`.
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
    fail_usage("seam {} has no rung '{}'; choose one of: {}", seam_, name, known);
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

  /// Returns the rung that `choice` means for a configuration. A name means this rung. `auto`, `float32` and
  /// `in_place` mean the highest rung of their kind that supports the configuration. A list such as
  /// "packed,panels,auto" means the first of its rungs that supports it. Throws UsageError for an unknown
  /// name, and Error if no named rung supports the configuration.
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

  /// Returns whether the rung called `name` supports this configuration. Throws UsageError for an unknown
  /// name.
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
  /// Returns the ladder of a seam. The first call creates it, without rungs.
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

  /// Returns the ladder of the seam called `seam`. Throws UsageError that lists the known seams if there is
  /// none.
  const LadderBase& find(std::string_view seam) const {
    std::string known;
    for (const auto& [name, ladder] : ladders_) {
      if (name == seam) return *ladder;
      known += (known.empty() ? "" : ", ") + name;
    }
    fail_usage("unknown seam '{}'; choose one of: {}", seam, known);
  }

  /// Returns all ladders in alphabetical order of their seams.
  std::vector<const LadderBase*> all() const {
    std::vector<const LadderBase*> result;
    for (const auto& [name, ladder] : ladders_) result.push_back(ladder.get());
    return result;
  }

 private:
  std::map<std::string, std::unique_ptr<LadderBase>> ladders_;
};

}  // namespace rung
