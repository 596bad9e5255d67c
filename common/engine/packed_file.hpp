#pragma once
// Packed copies of weights, kept in a file next to the model (`--cache-packed`).
//
//   MODEL.packed-RUNGS
//     "RUNGPACK", version u32, length of the header u32, its checksum u64      24 bytes, little-endian
//     header: JSON {"source": [{"file", "bytes", "modified_ns"}], "sections": [{"file", "offset", "dtype",
//             "rows", "cols", "layout", "at", "bytes", "checksum"}]}
//     the sections, each at a multiple of 64, as a rung reads them
//
// A section belongs to the weight that begins at `offset` in the model's file number `file`. The file is only
// used as a whole. If the model's files no longer match "source", or if the length or a checksum of the file
// is wrong, the file is not used, `notice` receives the reason, and save() writes a new file. A file gets its
// name only when it is complete, so no reader sees an incomplete one. A process that has mapped the old file
// keeps it.

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

  /// Maps and checks the file of this model and these rungs, if it exists. `model` must outlive this object.
  /// `notice`, which can be empty, receives messages for the user: that a file was rejected, was written, or
  /// could not be written.
  PackedFile(const Model& model, const std::string& rungs, int threads, Notice notice);

  std::span<const std::byte> find(const Tensor& weight, std::string_view layout, std::size_t bytes) override;
  void add(const Tensor& weight, std::string_view layout, std::span<const std::byte> copy) override;

  /// Writes the file if add() added something. A full disk or a folder without write permission is no error,
  /// because the copies are in memory; `notice` reports it.
  void save();

  const std::string& path() const { return path_; }
  /// Returns the number of bytes that find() has returned so far.
  std::size_t found_bytes() const { return found_bytes_; }

  /// A checksum that detects damage but not manipulation: a changed word always changes it.
  static std::uint64_t checksum(std::span<const std::byte> bytes);

 private:
  /// A file with weights, in the state in which it was loaded.
  struct Source {
    std::string file;
    std::uint64_t bytes = 0;
    std::int64_t modified_ns = 0;
    bool operator==(const Source&) const = default;
  };
  /// Identifies a weight and a layout.
  struct Key {
    int file = -1;  // number of the file in the model; -1: the weight is in no file
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
  std::vector<Section> sections_;  // first those of the mapped file, then the added ones
  std::size_t found_bytes_ = 0;
  bool added_ = false;
};

}  // namespace rung
