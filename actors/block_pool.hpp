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
/// magazines (Bonwick and Adams, USENIX 2001): a thread keeps at most two magazines of blocks a
/// size; full and empty ones go through a depot, so that a producer on one core and a consumer on
/// another take locks once a magazine. What the depot has no room for goes back to its slab, and a
/// slab whose blocks are all back to the system. Sanitizers see each block as its own allocation
/// instead.
namespace block_pool {

inline constexpr std::size_t class_bytes = 64;
inline constexpr std::size_t classes = 16;
/// Larger blocks come from the system.
inline constexpr std::size_t pooled_bytes_max = class_bytes * classes;
inline constexpr std::uint32_t magazine_blocks = 63;
/// What the depot keeps as magazines, of all sizes together.
inline constexpr std::size_t depot_bytes_max = std::size_t{32} << 20U;

/// Full or empty; the blocks are not touched while they are in one.
struct Magazine {
  Magazine* next = nullptr;
  std::array<void*, magazine_blocks> blocks;
};

/// One or two magazines: one in use, and perhaps a full one.
struct Bin {
  void** blocks = nullptr;  ///< of the one in use
  std::uint32_t count = 0;
  std::uint32_t room = 0;  ///< none before a thread's first use
  Magazine* in_use = nullptr;
  Magazine* full = nullptr;
  Magazine* empty = nullptr;  ///< a spare one
};

/// The thread's, also of a plugin that hides its own names.
[[gnu::visibility("default")]] inline constinit thread_local std::array<Bin, classes> thread_bins{};

[[nodiscard]] void* refill(std::size_t size_class);
void give_to_full(void* memory, std::size_t size_class);
/// Returns what this thread keeps; happens by itself at the thread's end.
void empty_thread_bins();
/// Memory of all slabs, in bytes: what is used, what threads and the depot keep, and gaps.
[[nodiscard]] std::size_t held_bytes();

/// Which list serves so many bytes; `classes` or more: none.
[[nodiscard]] constexpr std::size_t class_of(std::size_t bytes) {
  return bytes == 0 ? 0 : (bytes - 1) / class_bytes;
}

[[nodiscard]] inline void* take(std::size_t size_class) {
  Bin& bin = thread_bins[size_class];
  if (bin.count == 0) [[unlikely]] {
    return refill(size_class);
  }
  void* const block = bin.blocks[--bin.count];
  // The next one is often in the cache of the core that freed it.
  __builtin_prefetch(bin.blocks[bin.count == 0 ? 0 : bin.count - 1], 1);
  return block;
}

inline void give(void* memory, std::size_t size_class) {
  Bin& bin = thread_bins[size_class];
  if (bin.count == bin.room) [[unlikely]] {
    give_to_full(memory, size_class);
    return;
  }
  bin.blocks[bin.count++] = memory;
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
