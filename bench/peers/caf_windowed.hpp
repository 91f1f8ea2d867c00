#pragma once

#include <utility>

#include "bench/peers/caf_works.hpp"

namespace troupe::bench {

// One actor sends numbered items to another, here or in another process. At most `window` items are
// on their way; 0: no bound. The kind of item is as in bench/windowed.hpp.

template <class Kind>
class WindowedSink : public event_based_actor {
 public:
  WindowedSink(caf::actor_config& config, std::uint64_t messages, std::uint64_t window,
               std::promise<void>* done)
      : event_based_actor(config), messages_(messages), window_(window), done_(done) {}

  behavior make_behavior() override {
    return {[this](const typename Kind::Message& item) {
              require(item.number == received_ && Kind::is_right(item),
                      "an item is wrong or out of order");
              sum_ += item.value;
              ++received_;
              if (window_ != 0 && received_ % (window_ / 2) == 0) {
                send(sender_of(*this), Ack::value);
              }
              if (received_ == messages_) {
                send(sender_of(*this), Done::value, sum_);
              }
            },
            [this](Done) { done_->set_value(); }};
  }

 private:
  std::uint64_t messages_;
  std::uint64_t window_;
  std::promise<void>* done_;  ///< of the receiving process
  std::uint64_t received_ = 0;
  std::uint64_t sum_ = 0;
};

template <class Kind>
class WindowedSource : public event_based_actor {
 public:
  WindowedSource(caf::actor_config& config, std::uint64_t messages, std::uint64_t window,
                 actor sink, std::promise<std::uint64_t>* done)
      : event_based_actor(config),
        messages_(messages),
        window_(window),
        sink_(std::move(sink)),
        done_(done) {}

  behavior make_behavior() override {
    return {[this](Go) {
              limit_ = window_ != 0 ? window_ : messages_;
              advance();
            },
            [this](Ack) {
              limit_ += window_ / 2;
              advance();
            },
            [this](Done, std::uint64_t sum) { done_->set_value(sum); }};
  }

 private:
  void advance() {
    for (; sent_ < messages_ && sent_ < limit_; ++sent_) {
      send(sink_, Kind::make(sent_));
    }
  }

  std::uint64_t messages_;
  std::uint64_t window_;
  actor sink_;
  std::promise<std::uint64_t>* done_;
  std::uint64_t sent_ = 0;
  std::uint64_t limit_ = 0;
};

}  // namespace troupe::bench
