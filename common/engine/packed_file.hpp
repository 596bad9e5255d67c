#pragma once
// Copies of weights in another layout, kept in a file beside the model: `--cache-packed`.
//
//   MODEL.packed-RUNGS
//     "RUNGPACK", version u32, length of the header u32, its checksum u64      24 bytes, little-endian
//     header: JSON {"source": [{"file", "bytes", "modified_ns"}], "sections": [{"file", "offset", "dtype",
//             "rows", "cols", "layout", "at", "bytes", "checksum"}]}
//     the sections, each at a multiple of 64, as a rung reads them
//
// A section belongs to the weight that begins at `offset` of the model's file number `file`. The file is used
// only as a whole: when the model's files are no longer those of "source", when its length or a checksum is
// wrong, it is not used, the reason is said, and save() writes it anew. It gets its name when it is complete,
// so a reader never meets half of one, and a process that has the old one mapped keeps it.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/output_file.hpp"
#include "files/mapped_file.hpp"
#include "model/model.hpp"
#include "seams/packed_store.hpp"

namespace rung {

class PackedFile final : public PackedStore {
 public:
  using Notice = std::function<void(const std::string& sentence)>;

  /// Maps and checks the file of this model and these rungs, if there is one. `model` outlives this. `notice`
  /// (may be empty) hears what a person should know: that a file was refused, written, or could not be.
  PackedFile(const Model& model, const std::string& rungs, int threads, Notice notice);

  std::span<const std::byte> find(const Tensor& weight, std::string_view layout, std::size_t bytes) override;
  void add(const Tensor& weight, std::string_view layout, std::span<const std::byte> copy) override;

  /// Writes the file when something was added. A disk that is full or a folder that may not be written to is
  /// no error: the copies are in memory, and the notice says so.
  void save();

  const std::string& path() const { return path_; }
  /// How many bytes find() has given out.
  std::size_t found_bytes() const { return found_bytes_; }

  /// What detects damage, not malice: a changed word always changes it.
  static std::uint64_t checksum(std::span<const std::byte> bytes);

 private:
  /// A file that holds weights, as it was when it was loaded.
  struct Source {
    std::string file;
    std::uint64_t bytes = 0;
    std::int64_t modified_ns = 0;
    bool operator==(const Source&) const = default;
  };
  /// Which weight, and in which layout.
  struct Key {
    int file = -1;  // of the model's; -1: the weight is in none of them
    std::uint64_t offset = 0;
    std::string dtype;
    std::int64_t rows = 0, cols = 0;
    std::string layout;
    bool operator==(const Key&) const = default;
  };
  struct Section {
    Key key;
    std::span<const std::byte> bytes;
  };

  Key key_of(const Tensor& weight, std::string_view layout) const;
  void read(int threads);
  void write(OutputFile& out) const;
  void say(const std::string& sentence) const;

  const Model& model_;
  std::string path_;
  int threads_;
  Notice notice_;
  std::vector<Source> sources_;
  std::unique_ptr<MappedFile> mapped_;
  std::vector<Section> sections_;  // of the mapped file, then those that were added
  std::size_t found_bytes_ = 0;
  bool added_ = false;
};

}  // namespace rung
