#include "actors/thread_number.hpp"

#include <bit>

#include "base/mutex.hpp"

namespace troupe::actors::detail {

namespace {

constexpr std::uint32_t no_number = thread_numbers_max + 1;

struct Numbers {
  base::Mutex mutex;
  /// A bit each, from bit 0 for number 1; those beyond thread_numbers_max are never free.
  std::uint32_t taken TROUPE_GUARDED_BY(mutex) = ~std::uint32_t{0} << thread_numbers_max;
};

/// Never destroyed: threads may end after the static objects.
Numbers& numbers() {
  static auto* all = new Numbers;
  return *all;
}

/// What destroys it at the thread's end hands the number back.
struct Owner {
  Owner() = default;
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() {
    // Other objects of the thread, destroyed after this, are not to use it any more.
    const std::uint32_t number = own_thread_number;
    own_thread_number = no_number;
    if (number != no_number) {
      base::MutexLock lock{numbers().mutex};
      numbers().taken &= ~(std::uint32_t{1} << (number - 1));
    }
  }
};

}  // namespace

std::uint32_t take_thread_number() {
  static_assert(thread_numbers_max < 32);
  {
    base::MutexLock lock{numbers().mutex};
    const auto free = static_cast<std::uint32_t>(std::countr_one(numbers().taken));
    own_thread_number = free < thread_numbers_max ? free + 1 : no_number;
    numbers().taken |= free < thread_numbers_max ? std::uint32_t{1} << free : 0;
  }
  static thread_local const Owner owner;
  return own_thread_number;
}

}  // namespace troupe::actors::detail
