#pragma once

#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/suspension.hpp"
#include "base/mutex.hpp"

namespace troupe::actors {

/// The bounded channel of CSP (Hoare 1978), for use inside one process: values go in at one end and
/// come out at the other in the same order, each at exactly one receiver.
///
/// Thread-safe: any number of senders and receivers, from actors and plain threads. A handle:
/// copies are the same channel, which lives as long as its last copy or operation. It holds
/// `capacity` values; with 0, each send waits for its receiver. Whoever finds it full, or empty,
/// waits in the order of coming; the value of a waiting sender stays in its awaiter. close() ends
/// all waiting: sends fail, receives get what is left and then nothing.
///
/// An actor that is stopped while it waits leaves the queue: its value was not sent. If a value was
/// already given to it, that value goes back to the front, where it may exceed the capacity.
///
/// `Wake` is how a waiting coroutine is woken; only tests have another than Suspension.
template <class T, class Wake = Suspension>
class Channel {
  struct State;
  struct Waiter;

 public:
  class SendAwaiter;
  class ReceiveAwaiter;

  explicit Channel(std::size_t capacity) : state_(std::make_shared<State>(capacity)) {}

  /// co_await: true once the value is in the channel or at a receiver; false if it is closed.
  [[nodiscard]] SendAwaiter send(T value) const { return SendAwaiter{*state_, std::move(value)}; }
  /// co_await: std::optional<T>, empty once the channel is closed and drained.
  [[nodiscard]] ReceiveAwaiter receive() const { return ReceiveAwaiter{*state_}; }

  /// False if it is full or closed; the value is then left untouched.
  [[nodiscard]] bool try_send(T&& value) const;
  [[nodiscard]] bool try_send(const T& value) const { return try_send(T{value}); }
  /// Empty if no value is there now.
  [[nodiscard]] std::optional<T> try_receive() const;

  /// As send() and receive(), for plain threads, which they block. In an actor that shares the
  /// system's workers they throw std::logic_error where they would block.
  [[nodiscard]] bool send_blocking(T value) const;
  [[nodiscard]] std::optional<T> receive_blocking() const;

  /// Only the first call has an effect.
  void close() const;

  [[nodiscard]] bool is_closed() const;
  /// Values in the channel, without those of waiting senders.
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t capacity() const { return state_->capacity; }

 private:
  /// Whether a coroutine that need not wait is to let others run first.
  static bool pauses(std::coroutine_handle<> coroutine) {
    if constexpr (requires { Wake::pause_if_due(coroutine); }) {
      return Wake::pause_if_due(coroutine);
    } else {
      return false;
    }
  }

  static void check_may_block(std::string_view what) {
    if constexpr (requires { Wake::check_may_block(what); }) {
      Wake::check_may_block(what);
    }
  }

  std::shared_ptr<State> state_;
};

/// One who waits: lives in its awaiter or on its thread's stack, and leaves the queue before that
/// dies. Everything in it is guarded by the state's mutex while it is queued.
template <class T, class Wake>
struct Channel<T, Wake>::Waiter {
  std::optional<T> value;  ///< of a sender: what it sends; of a receiver: what it got
  bool is_queued = false;
  bool is_done = false;
  bool is_sent = false;
  Wake coroutine;
  std::condition_variable_any* thread = nullptr;
  Waiter* previous = nullptr;
  Waiter* next = nullptr;
};

template <class T, class Wake>
struct Channel<T, Wake>::State : std::enable_shared_from_this<State> {
  /// First come, first served.
  struct Queue {
    Waiter* first = nullptr;
    Waiter* last = nullptr;

    void push(Waiter& waiter) {
      waiter.is_queued = true;
      waiter.previous = last;
      waiter.next = nullptr;
      (last != nullptr ? last->next : first) = &waiter;
      last = &waiter;
    }
    void remove(Waiter& waiter) {
      (waiter.previous != nullptr ? waiter.previous->next : first) = waiter.next;
      (waiter.next != nullptr ? waiter.next->previous : last) = waiter.previous;
      waiter.is_queued = false;
    }
  };

  explicit State(std::size_t values_max) : capacity(values_max) {}

  /// The ways to end a wait. Threads are told under the mutex, because their condition variable
  /// dies with their wait; coroutines by the caller, after the mutex, through the returned Wake.
  [[nodiscard]] Wake finish(Queue& queue, Waiter& waiter) TROUPE_REQUIRES(mutex) {
    queue.remove(waiter);
    waiter.is_done = true;
    if (waiter.thread != nullptr) {
      waiter.thread->notify_one();
    }
    return std::exchange(waiter.coroutine, Wake{});
  }

  /// Ends a send at once if it can. True: it is over, with its result in waiter.is_sent.
  bool send_now(Waiter& waiter, Wake& wake) TROUPE_REQUIRES(mutex) {
    waiter.is_sent = !is_closed && put(*waiter.value, wake);
    return is_closed || waiter.is_sent;
  }

  /// The value is moved from only if it is taken.
  bool put(T& value, Wake& wake) TROUPE_REQUIRES(mutex) {
    if (receivers.first != nullptr) {
      Waiter& receiver = *receivers.first;
      receiver.value.emplace(std::move(value));
      wake = finish(receivers, receiver);
      return true;
    }
    if (values.size() >= capacity) {
      return false;
    }
    values.push_back(std::move(value));
    return true;
  }

  /// True: it is over; `value` stays empty if the channel is closed and drained.
  bool receive_now(std::optional<T>& value, Wake& wake) TROUPE_REQUIRES(mutex) {
    if (!values.empty()) {
      value.emplace(std::move(values.front()));
      values.pop_front();
      if (senders.first != nullptr && values.size() < capacity) {
        values.push_back(std::move(*senders.first->value));
        finish_sender(wake);
      }
      return true;
    }
    if (senders.first != nullptr) {
      value.emplace(std::move(*senders.first->value));
      finish_sender(wake);
      return true;
    }
    return is_closed;
  }

  void finish_sender(Wake& wake) TROUPE_REQUIRES(mutex) {
    Waiter& sender = *senders.first;
    sender.is_sent = true;
    wake = finish(senders, sender);
  }

  /// For a wait that is given up: leaves the queue.
  void abandon(Queue& queue, Waiter& waiter) TROUPE_REQUIRES(mutex) {
    if (waiter.is_queued) {
      queue.remove(waiter);
    }
  }

  const std::size_t capacity;
  base::Mutex mutex;
  std::deque<T> values TROUPE_GUARDED_BY(mutex);
  Queue senders TROUPE_GUARDED_BY(mutex);
  Queue receivers TROUPE_GUARDED_BY(mutex);
  bool is_closed TROUPE_GUARDED_BY(mutex) = false;
};

/// What send() returns. Belongs to the coroutine that awaits it; await it once, while the channel
/// lives. Once it waits, it keeps the channel alive.
template <class T, class Wake>
class [[nodiscard]] Channel<T, Wake>::SendAwaiter {
 public:
  SendAwaiter(State& state, T&& value) : state_(&state) { waiter_.value.emplace(std::move(value)); }
  SendAwaiter(const SendAwaiter&) = delete;
  SendAwaiter& operator=(const SendAwaiter&) = delete;
  ~SendAwaiter() {
    if (waits_) {
      base::MutexLock lock(state_->mutex);
      state_->abandon(state_->senders, waiter_);
    }
  }

  /// Suspends first, so that one look under the lock is enough.
  [[nodiscard]] bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> coroutine) {
    Wake wake;
    {
      base::MutexLock lock(state_->mutex);
      if (!state_->send_now(waiter_, wake)) {
        waiter_.coroutine = Wake::of_current_actor(coroutine);
        keep_ = state_->shared_from_this();
        state_->senders.push(waiter_);
        waits_ = true;
        return true;
      }
    }
    if (wake) {
      wake.resume();
    }
    return pauses(coroutine);
  }
  [[nodiscard]] bool await_resume() {
    waits_ = false;
    return waiter_.is_sent;
  }

 private:
  State* state_;
  std::shared_ptr<State> keep_;  ///< while it waits
  Waiter waiter_;
  bool waits_ = false;
};

/// What receive() returns; the same holds.
template <class T, class Wake>
class [[nodiscard]] Channel<T, Wake>::ReceiveAwaiter {
 public:
  explicit ReceiveAwaiter(State& state) : state_(&state) {}
  ReceiveAwaiter(const ReceiveAwaiter&) = delete;
  ReceiveAwaiter& operator=(const ReceiveAwaiter&) = delete;
  ~ReceiveAwaiter() {
    if (waits_) {
      give_up();
    }
  }

  /// Suspends first, so that one look under the lock is enough.
  [[nodiscard]] bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> coroutine) {
    Wake wake;
    {
      base::MutexLock lock(state_->mutex);
      if (!state_->receive_now(waiter_.value, wake)) {
        waiter_.coroutine = Wake::of_current_actor(coroutine);
        keep_ = state_->shared_from_this();
        state_->receivers.push(waiter_);
        waits_ = true;
        return true;
      }
    }
    if (wake) {
      wake.resume();
    }
    if (!pauses(coroutine)) {
      return false;
    }
    keep_ = state_->shared_from_this();  // to which the value goes back if the actor ends meanwhile
    waits_ = true;
    return true;
  }
  [[nodiscard]] std::optional<T> await_resume() {
    waits_ = false;
    return std::move(waiter_.value);
  }

 private:
  /// A value that was given to this wait goes to the next receiver or back to the front.
  void give_up() {
    Wake wake;
    {
      base::MutexLock lock(state_->mutex);
      state_->abandon(state_->receivers, waiter_);
      if (waiter_.value) {
        if (state_->receivers.first != nullptr) {
          (void)state_->put(*waiter_.value, wake);
        } else {
          state_->values.push_front(std::move(*waiter_.value));
        }
      }
    }
    if (wake) {
      wake.resume();
    }
  }

  State* state_;
  std::shared_ptr<State> keep_;  ///< while it waits
  Waiter waiter_;
  bool waits_ = false;
};

template <class T, class Wake>
bool Channel<T, Wake>::try_send(T&& value) const {
  Wake wake;
  {
    base::MutexLock lock(state_->mutex);
    if (state_->is_closed || !state_->put(value, wake)) {
      return false;
    }
  }
  if (wake) {
    wake.resume();
  }
  return true;
}

template <class T, class Wake>
std::optional<T> Channel<T, Wake>::try_receive() const {
  std::optional<T> value;
  Wake wake;
  {
    base::MutexLock lock(state_->mutex);
    (void)state_->receive_now(value, wake);
  }
  if (wake) {
    wake.resume();
  }
  return value;
}

template <class T, class Wake>
bool Channel<T, Wake>::send_blocking(T value) const {
  const std::shared_ptr<State> state = state_;
  std::condition_variable_any done;
  Waiter waiter;
  waiter.value.emplace(std::move(value));
  waiter.thread = &done;
  Wake wake;
  {
    base::MutexLock lock(state->mutex);
    if (!state->send_now(waiter, wake)) {
      check_may_block("send_blocking()");
      state->senders.push(waiter);
      while (!waiter.is_done) {
        done.wait(lock);
      }
    }
  }
  if (wake) {
    wake.resume();
  }
  return waiter.is_sent;
}

template <class T, class Wake>
std::optional<T> Channel<T, Wake>::receive_blocking() const {
  const std::shared_ptr<State> state = state_;
  std::condition_variable_any done;
  Waiter waiter;
  waiter.thread = &done;
  Wake wake;
  {
    base::MutexLock lock(state->mutex);
    if (!state->receive_now(waiter.value, wake)) {
      check_may_block("receive_blocking()");
      state->receivers.push(waiter);
      while (!waiter.is_done) {
        done.wait(lock);
      }
    }
  }
  if (wake) {
    wake.resume();
  }
  return std::move(waiter.value);
}

template <class T, class Wake>
void Channel<T, Wake>::close() const {
  std::vector<Wake> wakes;
  {
    base::MutexLock lock(state_->mutex);
    state_->is_closed = true;
    // Receivers wait only where no value is left, so there is nothing to give them.
    while (state_->receivers.first != nullptr) {
      wakes.push_back(state_->finish(state_->receivers, *state_->receivers.first));
    }
    while (state_->senders.first != nullptr) {
      wakes.push_back(state_->finish(state_->senders, *state_->senders.first));
    }
  }
  for (const Wake& wake : wakes) {
    if (wake) {
      wake.resume();
    }
  }
}

template <class T, class Wake>
bool Channel<T, Wake>::is_closed() const {
  base::MutexLock lock(state_->mutex);
  return state_->is_closed;
}

template <class T, class Wake>
std::size_t Channel<T, Wake>::size() const {
  base::MutexLock lock(state_->mutex);
  return state_->values.size();
}

}  // namespace troupe::actors
