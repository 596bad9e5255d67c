#pragma once
// Host memory for the keys and values of preempted sequences, allocated once. Each sequence has one piece of
// it.
//
// Thread safety: none.

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "core/error.hpp"
#include "core/printable.hpp"

namespace rung {

class SwapArea {
 public:
  /// Throws Error if the machine does not have `bytes`.
  explicit SwapArea(std::size_t bytes)
      : bytes_(bytes), memory_(bytes > 0 ? new (std::nothrow) std::byte[bytes] : nullptr) {
    if (bytes > 0 && memory_ == nullptr)
      fail("{} of host memory for preempted sequences cannot be allocated; use a smaller --swap",
           size_text(bytes));
  }

  std::size_t bytes() const { return bytes_; }
  /// Returns the bytes that belong to no sequence.
  std::size_t room() const { return bytes_ - used_; }

  struct Piece {
    std::byte* data = nullptr;
    std::size_t bytes = 0;
  };

  /// Returns a new piece for sequence `id`. It may move the pieces of other sequences. REQUIRES: 0 < bytes <=
  /// room(); the sequence has no piece.
  Piece take(int id, std::size_t bytes) {
    assert(bytes > 0 && bytes <= room());
    if (bytes_ - end_ < bytes) close_gaps();
    places_.push_back({id, end_, bytes});
    end_ += bytes;
    used_ += bytes;
    return {memory_.get() + places_.back().begin, bytes};
  }

  /// Returns the piece of a sequence, until the next take(). Its data is null if the sequence has none.
  Piece find(int id) const {
    for (const Place& place : places_) {
      if (place.id == id) return {memory_.get() + place.begin, place.bytes};
    }
    return {};
  }

  /// Frees the piece of a sequence, if it has one.
  void give_back(int id) {
    std::erase_if(places_, [&](const Place& place) {
      if (place.id == id) used_ -= place.bytes;
      return place.id == id;
    });
    if (places_.empty()) end_ = 0;
  }

 private:
  struct Place {
    int id = 0;
    std::size_t begin = 0, bytes = 0;
  };

  void close_gaps() {
    end_ = 0;
    for (Place& place : places_) {
      std::memmove(memory_.get() + end_, memory_.get() + place.begin, place.bytes);
      place.begin = end_;
      end_ += place.bytes;
    }
  }

  std::size_t bytes_, used_ = 0, end_ = 0;  // end_: of the last piece
  std::unique_ptr<std::byte[]> memory_;
  std::vector<Place> places_;  // in order of `begin`
};

}  // namespace rung
