#include "actors/block_pool.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <span>
#include <utility>

#include "base/mutex.hpp"

namespace troupe::actors::block_pool {

namespace {

/// In a slab.
struct FreeBlock {
  FreeBlock* next = nullptr;
};

/// Blocks of one size in one piece of memory, which goes back to the system when all its blocks are
/// back. After Bonwick's slabs (USENIX 1994). A block finds its slab by the slab's alignment.
struct Slab {
  FreeBlock* free = nullptr;     ///< came back
  std::uint32_t free_count = 0;  ///< of them
  std::uint32_t given_once = 0;  ///< the blocks behind these were never used
  Slab* previous = nullptr;      ///< in its depot, if it has free blocks
  Slab* next = nullptr;

  [[nodiscard]] bool is_used_up(std::size_t size_class) const;
};

constexpr std::size_t slab_alignment = std::size_t{64} << 10U;
/// The rest is the system's, so that one slab can follow another without a gap.
constexpr std::size_t slab_bytes = slab_alignment - class_bytes;
static_assert(sizeof(Slab) <= class_bytes);
/// About what a thread takes from slabs at once.
constexpr std::size_t batch_bytes = class_bytes * magazine_blocks;

constexpr std::size_t bytes_of(std::size_t size_class) {
  return (size_class + 1) * class_bytes;
}

constexpr std::uint32_t slab_blocks(std::size_t size_class) {
  return static_cast<std::uint32_t>((slab_bytes - class_bytes) / bytes_of(size_class));
}

constexpr std::size_t magazine_bytes(std::size_t size_class) {
  return bytes_of(size_class) * magazine_blocks;
}

bool Slab::is_used_up(std::size_t size_class) const {
  return free == nullptr && given_once == slab_blocks(size_class);
}

/// What of one size no thread keeps.
struct alignas(class_bytes) Depot {
  base::Mutex mutex;
  Magazine* full TROUPE_GUARDED_BY(mutex) = nullptr;
  std::uint32_t full_count TROUPE_GUARDED_BY(mutex) = 0;
  Slab* slabs TROUPE_GUARDED_BY(mutex) = nullptr;  ///< those with free blocks
};

/// Kept in all depots as magazines; one that is being given is counted before.
constinit std::atomic<std::size_t> depot_bytes{0};
constinit std::atomic<std::size_t> slabs_held{0};

/// Full magazines of one size that the depot takes however much it has of others.
constexpr std::uint32_t full_count_min = 16;

/// Empty magazines, for blocks of all sizes; as many as were in use at once.
struct Empties {
  base::Mutex mutex;
  Magazine* first TROUPE_GUARDED_BY(mutex) = nullptr;
};

/// Never destroyed: threads may end after static objects.
Depot& depot_of(std::size_t size_class) {
  static auto* depots = new std::array<Depot, classes>;
  return (*depots)[size_class];
}

void push_slab(Depot& depot, Slab* slab) TROUPE_REQUIRES(depot.mutex) {
  slab->previous = nullptr;
  slab->next = depot.slabs;
  if (slab->next != nullptr) {
    slab->next->previous = slab;
  }
  depot.slabs = slab;
}

void remove_slab(Depot& depot, Slab* slab) TROUPE_REQUIRES(depot.mutex) {
  (slab->previous != nullptr ? slab->previous->next : depot.slabs) = slab->next;
  if (slab->next != nullptr) {
    slab->next->previous = slab->previous;
  }
}

/// False: there is no memory.
bool add_slab(Depot& depot) TROUPE_REQUIRES(depot.mutex) {
  void* memory = nullptr;
  if (::posix_memalign(&memory, slab_alignment, slab_bytes) != 0) {
    return false;
  }
  slabs_held.fetch_add(1, std::memory_order_relaxed);
  push_slab(depot, new (memory) Slab);
  return true;
}

void free_slab(Slab* slab) {
  slabs_held.fetch_sub(1, std::memory_order_relaxed);
  std::free(slab);
}

/// Precondition: the slab has a free block.
void* take_from(Slab& slab, std::size_t size_class) {
  if (slab.free != nullptr) {
    --slab.free_count;
    return std::exchange(slab.free, slab.free->next);
  }
  auto* const first = reinterpret_cast<std::byte*>(&slab) + class_bytes;
  return first + bytes_of(size_class) * slab.given_once++;
}

/// Puts blocks into an empty magazine: how many, which is none only if there is no memory.
std::uint32_t fill_from_slabs(std::size_t size_class, Magazine& magazine) {
  const auto wanted = static_cast<std::uint32_t>((batch_bytes - 1) / bytes_of(size_class) + 1);
  std::uint32_t count = 0;
  Depot& depot = depot_of(size_class);
  base::MutexLock lock{depot.mutex};
  while (count < wanted && (depot.slabs != nullptr || add_slab(depot))) {
    Slab& slab = *depot.slabs;
    magazine.blocks[count++] = take_from(slab, size_class);
    if (slab.is_used_up(size_class)) {
      remove_slab(depot, &slab);
    }
  }
  // A thread takes the last one first, and memory is best used in its order.
  std::reverse(magazine.blocks.begin(), magazine.blocks.begin() + count);
  return count;
}

void give_to_slabs(std::size_t size_class, void** blocks, std::uint32_t count) {
  Depot& depot = depot_of(size_class);
  base::MutexLock lock{depot.mutex};
  for (void* memory : std::span{blocks, count}) {
    auto* const slab = reinterpret_cast<Slab*>(reinterpret_cast<std::uintptr_t>(memory) &
                                               ~std::uintptr_t{slab_alignment - 1});
    if (slab->is_used_up(size_class)) {
      push_slab(depot, slab);
    }
    slab->free = new (memory) FreeBlock{slab->free};
    if (++slab->free_count == slab->given_once) {
      remove_slab(depot, slab);
      free_slab(slab);
    }
  }
}

Empties& empties() {
  static auto* const all = new Empties;  // as the depots
  return *all;
}

/// Null if there is no memory.
Magazine* take_empty() {
  {
    Empties& all = empties();
    base::MutexLock lock{all.mutex};
    if (Magazine* const magazine = all.first) {
      all.first = magazine->next;
      return magazine;
    }
  }
  return new (std::nothrow) Magazine;
}

void give_empty(Magazine* magazine) {
  Empties& all = empties();
  base::MutexLock lock{all.mutex};
  magazine->next = std::exchange(all.first, magazine);
}

Magazine* take_full(std::size_t size_class) {
  Depot& depot = depot_of(size_class);
  base::MutexLock lock{depot.mutex};
  Magazine* const magazine = depot.full;
  if (magazine != nullptr) {
    depot.full = magazine->next;
    --depot.full_count;
    depot_bytes.fetch_sub(magazine_bytes(size_class), std::memory_order_relaxed);
  }
  return magazine;
}

void give_full(std::size_t size_class, Magazine* magazine) {
  const std::size_t bytes = magazine_bytes(size_class);
  const bool is_much =
      depot_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes > depot_bytes_max;
  {
    Depot& depot = depot_of(size_class);
    base::MutexLock lock{depot.mutex};
    if (!is_much || depot.full_count < full_count_min) {
      magazine->next = std::exchange(depot.full, magazine);
      ++depot.full_count;
      return;
    }
  }
  depot_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  give_to_slabs(size_class, magazine->blocks.data(), magazine_blocks);
  give_empty(magazine);
}

/// `magazine` may be null.
void keep_empty(Bin& bin, Magazine* magazine) {
  if (bin.empty == nullptr) {
    bin.empty = magazine;
  } else if (magazine != nullptr) {
    give_empty(magazine);
  }
}

void use(Bin& bin, Magazine* magazine, std::uint32_t count) {
  bin.in_use = magazine;
  bin.blocks = magazine->blocks.data();
  bin.count = count;
  bin.room = magazine_blocks;
}

/// Of this thread, whose last destructors run: it keeps nothing any more.
constinit thread_local bool is_over = false;

/// Empties the thread's bins when it ends.
struct Reaper {
  ~Reaper() {
    empty_thread_bins();
    is_over = true;
  }
  bool is_armed = false;
};
thread_local Reaper reaper;

/// For a thread that is over.
void* take_one(std::size_t size_class) {
  Magazine magazine;
  const std::uint32_t count = fill_from_slabs(size_class, magazine);
  if (count == 0) {
    throw std::bad_alloc{};
  }
  give_to_slabs(size_class, magazine.blocks.data(), count - 1);
  return magazine.blocks[count - 1];
}

}  // namespace

void* refill(std::size_t size_class) {
  if (is_over) {
    return take_one(size_class);
  }
  reaper.is_armed = true;  // makes it, so that it is destroyed
  Bin& bin = thread_bins[size_class];
  Magazine* full = std::exchange(bin.full, nullptr);
  if (full == nullptr) {
    full = take_full(size_class);
  }
  if (full != nullptr) {
    keep_empty(bin, bin.in_use);
    use(bin, full, magazine_blocks);
    return bin.blocks[--bin.count];
  }
  if (bin.in_use == nullptr) {
    Magazine* const empty = take_empty();
    if (empty == nullptr) {
      throw std::bad_alloc{};
    }
    use(bin, empty, 0);
  }
  bin.count = fill_from_slabs(size_class, *bin.in_use);
  if (bin.count == 0) {
    throw std::bad_alloc{};
  }
  return bin.blocks[--bin.count];
}

void give_to_full(void* memory, std::size_t size_class) {
  Bin& bin = thread_bins[size_class];
  Magazine* empty = nullptr;
  if (!is_over) {
    reaper.is_armed = true;
    empty = std::exchange(bin.empty, nullptr);
    if (empty == nullptr) {
      empty = take_empty();
    }
  }
  if (empty == nullptr) {
    give_to_slabs(size_class, &memory, 1);
    return;
  }
  if (bin.full != nullptr) {
    give_full(size_class, bin.full);
  }
  bin.full = bin.in_use;
  use(bin, empty, 0);
  bin.blocks[bin.count++] = memory;
}

std::size_t held_bytes() {
  return slabs_held.load(std::memory_order_relaxed) * slab_alignment;
}

void empty_thread_bins() {
  for (std::size_t size_class = 0; size_class < classes; ++size_class) {
    Bin& bin = thread_bins[size_class];
    if (bin.full != nullptr) {
      give_full(size_class, bin.full);
    }
    if (bin.in_use != nullptr) {
      give_to_slabs(size_class, bin.blocks, bin.count);
      give_empty(bin.in_use);
    }
    if (bin.empty != nullptr) {
      give_empty(bin.empty);
    }
    bin = {};
  }
}

}  // namespace troupe::actors::block_pool
