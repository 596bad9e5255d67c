#pragma once
// Host memory for the keys and values of preempted sequences, allocated once. Each sequence gets one piece.
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
  /// Throws Error if `bytes` of memory cannot be allocated.
  explicit SwapArea(std::size_t bytes)
      : bytes_(bytes), memory_(bytes > 0 ? new (std::nothrow) std::byte[bytes] : nullptr) {
    if (bytes > 0 && memory_ == nullptr)
      fail("{} of host memory for preempted sequences cannot be taken; use a smaller --swap",
           size_text(bytes));
  }

  std::size_t bytes() const { return bytes_; }
  /// Returns the size of the largest free piece.
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
  /// Returns a new piece for sequence `id`, at the first place where it fits. REQUIRES: bytes <= room(); the
  /// sequence has no piece yet.
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
  /// Returns the piece of a sequence. Its data is null if the sequence has no piece.
  Piece find(int id) const {
    const auto found = begins_.find(id);
    return found == begins_.end() ? Piece{} : pieces_.at(found->second);
  }
  /// Frees the piece of a sequence. Does nothing if the sequence has no piece.
  void give_back(int id) {
    const auto found = begins_.find(id);
    if (found == begins_.end()) return;
    pieces_.erase(found->second);
    begins_.erase(found);
  }

 private:
  std::size_t bytes_;
  std::unique_ptr<std::byte[]> memory_;
  std::map<std::size_t, Piece> pieces_;  // by the offset at which they begin
  std::map<int, std::size_t> begins_;    // sequence -> offset of its piece
};

}  // namespace rung
