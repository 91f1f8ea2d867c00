#include "actors/block_pool.hpp"

#include <atomic>
#include <utility>

#include "base/mutex.hpp"

namespace troupe::actors::block_pool {

namespace {

struct Depot {
  base::Mutex mutex;
  FreeBlock* magazines TROUPE_GUARDED_BY(mutex) = nullptr;
};

constexpr std::size_t bytes_of(std::size_t size_class) { return (size_class + 1) * class_bytes; }

constexpr std::size_t magazine_bytes(std::size_t size_class) {
  return bytes_of(size_class) * magazine_blocks;
}

/// Kept in all depots; a magazine that is being given is counted before.
constinit std::atomic<std::size_t> depot_bytes{0};

/// Never destroyed: threads may end after static objects.
Depot& depot_of(std::size_t size_class) {
  static auto* depots = new std::array<Depot, classes>;
  return (*depots)[size_class];
}

void free_all(FreeBlock* first) {
  while (first != nullptr) {
    FreeBlock* next = first->next;
    ::operator delete(first);
    first = next;
  }
}

void give_to_depot(std::size_t size_class, FreeBlock* magazine) {
  const std::size_t bytes = magazine_bytes(size_class);
  if (depot_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes > depot_bytes_max) {
    depot_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    free_all(magazine);
    return;
  }
  Depot& depot = depot_of(size_class);
  base::MutexLock lock{depot.mutex};
  magazine->next_magazine = depot.magazines;
  depot.magazines = magazine;
}

/// Empties the thread's lists when it ends.
struct Reaper {
  ~Reaper() { empty_thread_bins(); }
  bool is_armed = false;
};
thread_local Reaper reaper;

}  // namespace

void* refill(std::size_t size_class) {
  reaper.is_armed = true;  // makes it, so that it is destroyed
  Bin& bin = thread_bins[size_class];
  FreeBlock* magazine = std::exchange(bin.full, nullptr);
  if (magazine == nullptr) {
    Depot& depot = depot_of(size_class);
    base::MutexLock lock{depot.mutex};
    magazine = depot.magazines;
    if (magazine != nullptr) {
      depot.magazines = magazine->next_magazine;
      depot_bytes.fetch_sub(magazine_bytes(size_class), std::memory_order_relaxed);
    }
  }
  if (magazine == nullptr) {
    bin.count = 0;
    return ::operator new(bytes_of(size_class));
  }
  bin.first = magazine->next;
  bin.count = magazine_blocks - 1;
  return magazine;
}

void give_full_magazine(std::size_t size_class) {
  reaper.is_armed = true;
  Bin& bin = thread_bins[size_class];
  bin.count = 0;
  if (bin.first == nullptr) {
    return;  // the list's first use by this thread
  }
  if (bin.full != nullptr) {
    give_to_depot(size_class, bin.full);
  }
  bin.full = std::exchange(bin.first, nullptr);
}

void empty_thread_bins() {
  for (std::size_t size_class = 0; size_class < classes; ++size_class) {
    Bin& bin = thread_bins[size_class];
    if (FreeBlock* full = std::exchange(bin.full, nullptr)) {
      give_to_depot(size_class, full);
    }
    free_all(std::exchange(bin.first, nullptr));
    bin.count = magazine_blocks;
  }
}

}  // namespace troupe::actors::block_pool
