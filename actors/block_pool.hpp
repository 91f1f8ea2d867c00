#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

namespace troupe::actors {

/// Memory for messages and coroutine frames: free lists a thread, so that what a worker frees it
/// uses again without a lock and while it is still in its cache.
///
/// Thread-safe; memory may be freed on another thread than the one that took it. After Bonwick's
/// magazines (Bonwick and Adams, USENIX 2001): a thread keeps at most two magazines a size; full and
/// empty ones go through a depot, so that a producer on one core and a consumer on another exchange
/// one lock a magazine. What the depot has no room for goes back to the system. Sanitizers see each
/// block as its own allocation instead.
namespace block_pool {

inline constexpr std::size_t class_bytes = 64;
inline constexpr std::size_t classes = 16;
/// Larger blocks come from the system.
inline constexpr std::size_t pooled_bytes_max = class_bytes * classes;
inline constexpr std::uint32_t magazine_blocks = 64;
/// What the depot keeps, of all sizes together.
inline constexpr std::size_t depot_bytes_max = std::size_t{32} << 20U;

/// A free block, a link in its magazine; the first of a full magazine also links to the next one.
struct FreeBlock {
  FreeBlock* next;
  FreeBlock* next_magazine;
};

/// Two magazines: one in use, and perhaps a full one.
struct Bin {
  FreeBlock* first = nullptr;
  FreeBlock* full = nullptr;
  /// Blocks in `first`. Before a thread's first use as if full, to be set up then.
  std::uint32_t count = magazine_blocks;
};

inline constinit thread_local std::array<Bin, classes> thread_bins{};

[[nodiscard]] void* refill(std::size_t size_class);
void give_full_magazine(std::size_t size_class);
/// Returns what this thread keeps; happens by itself at the thread's end.
void empty_thread_bins();

/// Which list serves so many bytes; `classes` or more: none.
[[nodiscard]] constexpr std::size_t class_of(std::size_t bytes) {
  return bytes == 0 ? 0 : (bytes - 1) / class_bytes;
}

[[nodiscard]] inline void* take(std::size_t size_class) {
  Bin& bin = thread_bins[size_class];
  FreeBlock* block = bin.first;
  if (block == nullptr) [[unlikely]] {
    return refill(size_class);
  }
  bin.first = block->next;
  --bin.count;
  return block;
}

inline void give(void* memory, std::size_t size_class) {
  Bin& bin = thread_bins[size_class];
  if (bin.count >= magazine_blocks) [[unlikely]] {
    give_full_magazine(size_class);
  }
  auto* block = static_cast<FreeBlock*>(memory);
  block->next = bin.first;
  bin.first = block;
  ++bin.count;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool is_bypassed = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool is_bypassed = true;
#else
inline constexpr bool is_bypassed = false;
#endif
#else
inline constexpr bool is_bypassed = false;
#endif

}  // namespace block_pool

/// At least so many bytes, aligned to 16. Throws std::bad_alloc.
[[nodiscard]] inline void* allocate_block(std::size_t bytes) {
  const std::size_t size_class = block_pool::class_of(bytes);
  if (block_pool::is_bypassed || size_class >= block_pool::classes) [[unlikely]] {
    return ::operator new(bytes);
  }
  return block_pool::take(size_class);
}

/// `bytes` as in allocate_block().
inline void free_block(void* memory, std::size_t bytes) {
  const std::size_t size_class = block_pool::class_of(bytes);
  if (block_pool::is_bypassed || size_class >= block_pool::classes) [[unlikely]] {
    ::operator delete(memory);
    return;
  }
  block_pool::give(memory, size_class);
}

}  // namespace troupe::actors
