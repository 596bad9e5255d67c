#pragma once
// Host memory for the keys and values of preempted sequences, taken once. Each sequence gets one piece.
//
// Thread safety: none.

#include <cstddef>
#include <map>
#include <memory>
#include <new>

#include "core/error.hpp"
#include "core/printable.hpp"

namespace rung {

class SwapArea {
 public:
  /// Throws Error if the machine does not have `bytes`.
  explicit SwapArea(std::size_t bytes)
      : bytes_(bytes), memory_(bytes > 0 ? new (std::nothrow) std::byte[bytes] : nullptr) {
    if (bytes > 0 && memory_ == nullptr)
      fail("{} of host memory for preempted sequences cannot be taken; use a smaller --swap",
           size_text(bytes));
  }

  std::size_t bytes() const { return bytes_; }
  /// The largest piece that is free.
  std::size_t room() const {
    std::size_t largest = 0, begin = 0;
    for (const auto& [at, piece] : pieces_) {
      largest = at - begin > largest ? at - begin : largest;
      begin = at + piece.bytes;
    }
    return bytes_ - begin > largest ? bytes_ - begin : largest;
  }

  struct Piece {
    std::byte* data = nullptr;
    std::size_t bytes = 0;
  };
  /// A piece for sequence `id`, at the first place where it fits. REQUIRES: bytes <= room(); it has none.
  Piece take(int id, std::size_t bytes) {
    std::size_t begin = 0;
    for (const auto& [at, piece] : pieces_) {
      if (at - begin >= bytes) break;
      begin = at + piece.bytes;
    }
    const Piece piece{memory_.get() + begin, bytes};
    pieces_[begin] = piece;
    begins_[id] = begin;
    return piece;
  }
  /// The piece of a sequence; its data is null if it has none.
  Piece find(int id) const {
    const auto found = begins_.find(id);
    return found == begins_.end() ? Piece{} : pieces_.at(found->second);
  }
  /// Frees a sequence's piece, if it has one.
  void give_back(int id) {
    const auto found = begins_.find(id);
    if (found == begins_.end()) return;
    pieces_.erase(found->second);
    begins_.erase(found);
  }

 private:
  std::size_t bytes_;
  std::unique_ptr<std::byte[]> memory_;
  std::map<std::size_t, Piece> pieces_;  // by where they begin
  std::map<int, std::size_t> begins_;    // of each sequence that has one
};

}  // namespace rung
