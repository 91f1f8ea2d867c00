#include "actors/block_pool.hpp"

#include <utility>

#include "base/mutex.hpp"

namespace troupe::actors::block_pool {

namespace {

struct Depot {
  base::Mutex mutex;
  FreeBlock* magazines TROUPE_GUARDED_BY(mutex) = nullptr;
  std::size_t count TROUPE_GUARDED_BY(mutex) = 0;
};

constexpr std::size_t bytes_of(std::size_t size_class) { return (size_class + 1) * class_bytes; }

constexpr std::size_t magazines_max(std::size_t size_class) {
  return depot_bytes_max / (bytes_of(size_class) * magazine_blocks);
}

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
  Depot& depot = depot_of(size_class);
  {
    base::MutexLock lock{depot.mutex};
    if (depot.count < magazines_max(size_class)) {
      magazine->next_magazine = depot.magazines;
      depot.magazines = magazine;
      ++depot.count;
      return;
    }
  }
  free_all(magazine);
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
      --depot.count;
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
