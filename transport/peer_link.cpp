#include "transport/peer_link.hpp"

namespace troupe::transport {

void Doorbell::post(Command command) {
  {
    const base::MutexLock lock{mutex_};
    if (closed_) {
      return;
    }
    commands_.push_back(std::move(command));
    if (!std::exchange(armed_, false)) {
      return;
    }
  }
  ring_();
}

void Doorbell::take(std::vector<Command>& into) {
  into.clear();
  const base::MutexLock lock{mutex_};
  commands_.swap(into);
}

bool Doorbell::arm() {
  const base::MutexLock lock{mutex_};
  armed_ = commands_.empty();
  return armed_;
}

void Doorbell::close() {
  const base::MutexLock lock{mutex_};
  closed_ = true;
  commands_.clear();
}

}  // namespace troupe::transport
