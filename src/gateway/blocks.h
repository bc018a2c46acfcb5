// Read buffers: a thread's stock of equal blocks, so that a connection holds one only while bytes
// are on their way. Owned by the Gateway; blocks must be gone before it. One thread.
#pragma once

#include <boost/asio/buffer.hpp>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "gateway/limits.h"

namespace granary::gateway {

class Blocks;

// One block, given back when this ends.
class Block final {
 public:
  Block() = default;
  ~Block() { release(); }
  Block(Block&& other) noexcept
      : stock_(other.stock_), bytes_(std::exchange(other.bytes_, nullptr)) {}
  Block& operator=(Block&& other) noexcept {
    if (this != &other) {
      release();
      stock_ = other.stock_;
      bytes_ = std::exchange(other.bytes_, nullptr);
    }
    return *this;
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  explicit operator bool() const { return bytes_ != nullptr; }
  char* data() const { return bytes_; }
  inline void release();

 private:
  friend class Blocks;
  Block(Blocks& stock, char* bytes) : stock_(&stock), bytes_(bytes) {}
  Blocks* stock_ = nullptr;
  char* bytes_ = nullptr;
};

class Blocks final {
 public:
  Block take() {
    if (spare_.empty()) return {*this, new char[kBlockBytes]};
    char* bytes = spare_.back().release();
    spare_.pop_back();
    return {*this, bytes};
  }

 private:
  friend class Block;
  void give_back(char* bytes) {
    std::unique_ptr<char[]> owned(bytes);
    if (spare_.size() < kSpareBlocks) spare_.push_back(std::move(owned));
  }
  std::vector<std::unique_ptr<char[]>> spare_;
};

inline void Block::release() {
  if (bytes_ != nullptr) stock_->give_back(std::exchange(bytes_, nullptr));
}

// Bytes that arrived and are not used yet, in one piece: a small buffer of its own, or a block once
// that is too small.
class Inbox final {
 public:
  explicit Inbox(Blocks& blocks) : blocks_(blocks) {}

  std::string_view bytes() const { return {base() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  // Not a byte more fits: what must be seen whole is too long.
  bool full() const { return end_ - begin_ == kBlockBytes; }
  void consume(std::size_t count) {
    begin_ += count;
    INVARIANT(begin_ <= end_);
    if (begin_ == end_) begin_ = end_ = 0;
  }

  // Where to read to; not for a full one. What bytes() showed moves.
  boost::asio::mutable_buffer room() {
    INVARIANT(!full());
    if (end_ == capacity()) make_room();
    return {base() + end_, capacity() - end_};
  }
  void filled(std::size_t count) { end_ += count; }
  // A block from now on: for what is going to be long.
  void widen() {
    if (block_) return;
    Block block = blocks_.take();
    std::memcpy(block.data(), base() + begin_, end_ - begin_);
    block_ = std::move(block);
    end_ -= std::exchange(begin_, 0);
  }
  // The block goes back when nothing needs it.
  void rest() {
    if (!block_ || end_ - begin_ > sizeof(small_)) return;
    std::memcpy(small_, block_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    block_.release();
  }

 private:
  char* base() { return block_ ? block_.data() : small_; }
  const char* base() const { return block_ ? block_.data() : small_; }
  std::size_t capacity() const { return block_ ? kBlockBytes : sizeof(small_); }
  void make_room() {
    if (begin_ == 0) return widen();
    std::memmove(base(), base() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }

  Blocks& blocks_;
  Block block_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  char small_[kSmallInbox];
};

}  // namespace granary::gateway
