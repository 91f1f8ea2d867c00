#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "actors/detail/stream_source.hpp"

namespace troupe::actors::detail {

/// What the reader and its inbox share. Thread-safe. At most the reader's window is in it.
template <class T>
class StreamQueue {
 public:
  void push(StreamItem<T> item) {
    Suspension reader;
    {
      base::MutexLock lock{mutex_};
      if (is_over_) {
        return;
      }
      if (item.number != received_) {
        finish(AskError{AskError::Kind::may_have_run, base::Outcome::node_lost,
                        "an item of the stream was lost"});
      } else {
        ++received_;
        items_.push_back(std::move(item.value));
      }
      reader = std::exchange(reader_, Suspension{});
    }
    wake(reader);
  }
  void end(std::optional<AskError> error) {
    Suspension reader;
    {
      base::MutexLock lock{mutex_};
      finish(std::move(error));
      reader = std::exchange(reader_, Suspension{});
    }
    wake(reader);
  }
  /// An end that tells how many items there should have been.
  void end(const StreamEnd& how) {
    bool is_whole = false;
    {
      base::MutexLock lock{mutex_};
      is_whole = received_ == how.items;
    }
    if (!how.is_complete) {
      end(how.error);
    } else if (is_whole) {
      end(std::nullopt);
    } else {
      end(AskError{AskError::Kind::may_have_run, base::Outcome::node_lost,
                   "an item of the stream was lost"});
    }
  }

  [[nodiscard]] bool is_ready() const {
    base::MutexLock lock{mutex_};
    return is_over_ || !items_.empty();
  }
  /// Returns the number of this wait, for expire().
  std::uint64_t wait(Suspension reader) {
    std::uint64_t number = 0;
    bool is_there = false;
    {
      base::MutexLock lock{mutex_};
      number = ++waits_;
      is_there = is_over_ || !items_.empty();
      if (!is_there) {
        reader_ = reader;
      }
    }
    if (is_there) {
      reader.resume();
    }
    return number;
  }
  void expire(std::uint64_t wait) {
    Suspension reader;
    {
      base::MutexLock lock{mutex_};
      if (waits_ != wait || !reader_) {
        return;
      }
      finish(AskError{AskError::Kind::may_have_run, base::Outcome::expired,
                      "no item of the stream within its time"});
      reader = std::exchange(reader_, Suspension{});
    }
    wake(reader);
  }
  /// The next item, the end, or the error.
  [[nodiscard]] AskResult<std::optional<T>> take() {
    base::MutexLock lock{mutex_};
    if (!items_.empty()) {
      std::optional<T> item{std::move(items_.front())};
      items_.pop_front();
      return item;
    }
    if (error_) {
      return *error_;
    }
    return std::optional<T>{};
  }

 private:
  void finish(std::optional<AskError> error) TROUPE_REQUIRES(mutex_) {
    if (!is_over_) {
      is_over_ = true;
      error_ = std::move(error);
    }
  }
  static void wake(const Suspension& reader) {
    if (reader) {
      reader.resume();
    }
  }

  mutable base::Mutex mutex_;
  std::deque<T> items_ TROUPE_GUARDED_BY(mutex_);
  std::uint64_t received_ TROUPE_GUARDED_BY(mutex_) = 0;
  bool is_over_ TROUPE_GUARDED_BY(mutex_) = false;
  std::optional<AskError> error_ TROUPE_GUARDED_BY(mutex_);
  Suspension reader_ TROUPE_GUARDED_BY(mutex_);
  std::uint64_t waits_ TROUPE_GUARDED_BY(mutex_) = 0;
};

/// To the inbox itself: the source has ended, and what it sent before is handled.
struct StreamSourceGone {
  std::string why;
  TROUPE_MESSAGE(StreamSourceGone, why)
};

/// Beside the actor that reads: puts what comes into the queue, and ends with the source.
template <class T>
class StreamInbox final : public Actor {
 public:
  using Protocol = actors::Protocol<StreamItem<T>, StreamEnd, StreamSourceGone>;
  StreamInbox(ActorRef<actors::Protocol<StreamDemand>> source, std::uint64_t window,
              std::shared_ptr<StreamQueue<T>> queue)
      : source_(source), window_(window), queue_(std::move(queue)) {}

  void on_start() override {
    watch(source_);
    // Otherwise the watch tells.
    if (source_.tell(StreamDemand{window_, self()}) == base::Outcome::no_such_actor) {
      on(StreamSourceGone{"there is none"});
    }
  }
  void on_stop(ExitReason) override {
    queue_->end(AskError{AskError::Kind::may_have_run, base::Outcome::stopped,
                         "the stream's reader was stopped"});
  }
  void on(StreamItem<T> item) { queue_->push(std::move(item)); }
  void on(const StreamEnd& m) {
    queue_->end(m);
    stop();
  }
  void on(const Terminated& notice) {
    // The notice overtakes messages: the last items are still in the mailbox.
    if (self_as<StreamInbox>().tell(StreamSourceGone{notice.text}) != base::Outcome::accepted) {
      on(StreamSourceGone{notice.text});
    }
  }
  void on(const StreamSourceGone& m) {
    queue_->end(AskError{AskError::Kind::may_have_run, base::Outcome::stopped,
                         "the stream's sender has ended" + (m.why.empty() ? "" : ": " + m.why)});
    stop();
  }

 private:
  ActorRef<actors::Protocol<StreamDemand>> source_;
  std::uint64_t window_;
  std::shared_ptr<StreamQueue<T>> queue_;
};

}  // namespace troupe::actors::detail
