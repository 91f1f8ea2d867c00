#include "actors/circuit_breaker.hpp"

namespace troupe::actors {

std::optional<CircuitBreaker::Permit> CircuitBreaker::admit(base::TimePoint now) {
  if (is_closed_) {
    return Permit{period_};
  }
  if (now < retry_at_) {
    return std::nullopt;
  }
  ++period_;
  is_on_trial_ = true;
  retry_at_ = base::later(now, options_.open_for);  // for a trial that never ends
  return Permit{period_};
}

void CircuitBreaker::succeeded(Permit permit) {
  if (permit.period == period_ && !is_closed_) {
    is_closed_ = true;
    is_on_trial_ = false;
    ++period_;
    failures_.clear();
  }
}

void CircuitBreaker::failed(Permit permit, base::TimePoint now) {
  if (permit.period != period_) {
    return;
  }
  if (!is_closed_) {
    open(now);
    return;
  }
  failures_.push_back(now);
  while (now - failures_.front() > options_.window) {
    failures_.pop_front();
  }
  if (failures_.size() >= options_.failures_max) {
    open(now);
  }
}

void CircuitBreaker::open(base::TimePoint now) {
  is_closed_ = false;
  is_on_trial_ = false;
  ++period_;
  retry_at_ = base::later(now, options_.open_for);
  failures_.clear();
}

CircuitBreaker::State CircuitBreaker::state(base::TimePoint now) const {
  if (is_closed_) {
    return State::closed;
  }
  return is_on_trial_ || now >= retry_at_ ? State::half_open : State::open;
}

}  // namespace troupe::actors
