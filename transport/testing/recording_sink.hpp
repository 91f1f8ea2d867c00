#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "transport/transport.hpp"

namespace troupe::transport::testing {

/// A FrameSink that remembers what it was told. Thread-safe; one thread at a time may wait() for a
/// condition, which is looked at after every call.
class RecordingSink final : public FrameSink {
 public:
  struct State {
    std::map<std::string, std::shared_ptr<Link>> links;           ///< by name, the latest
    std::vector<std::string> ups;                                 ///< ids in order
    std::vector<std::pair<std::string, std::string>> downs;       ///< id, reason
    std::vector<std::string> records;                             ///< those kept, see keep_records
    std::map<std::string, std::vector<std::string>> undelivered;  ///< by id
    std::map<std::string, bool> connected;                        ///< by id
    std::vector<std::string> connection_reasons;
    std::map<std::string, base::Error> unreachable;  ///< by address
    std::uint64_t records_received = 0;
    std::uint64_t rooms = 0;  ///< calls of on_room()
    /// Records that carry numbers: the next expected by sender and lane, and what was not it.
    std::map<std::pair<const Link*, Lane>, std::uint64_t> next_number;
    std::uint64_t out_of_order = 0;
  };

  /// Keep the text of records; otherwise each record is an 8-byte number and its order is checked.
  bool keep_records = true;
  /// Called for every record, without a lock.
  std::function<void(const std::shared_ptr<Link>&, Lane, base::ByteView)> on_each_record;

  void on_peer_up(const std::shared_ptr<Link>& link) override {
    change([&](State& state) {
      state.links[link->peer().id.name] = link;
      state.ups.push_back(link->peer().id.text());
    });
  }
  void on_connection(const Link& link, bool connected, const std::string& reason) override {
    change([&](State& state) {
      state.connected[link.peer().id.text()] = connected;
      state.connection_reasons.push_back(reason);
    });
  }
  void on_peer_down(const Link& link, const std::string& reason) override {
    change([&](State& state) { state.downs.emplace_back(link.peer().id.text(), reason); });
  }
  void on_record(const std::shared_ptr<Link>& from, Lane lane, base::ByteView record) override {
    change([&](State& state) {
      ++state.records_received;
      if (keep_records) {
        state.records.emplace_back(base::as_text(record));
      } else {
        std::uint64_t& next = state.next_number[{from.get(), lane}];
        const auto number = base::get_fixed<std::uint64_t>(record.data());
        state.out_of_order += number == next ? 0 : 1;
        next = number + 1;
      }
    });
    if (on_each_record) {
      on_each_record(from, lane, record);
    }
  }
  void on_room(const Link&) override {
    change([](State& state) { ++state.rooms; });
  }
  void on_undelivered(const Link& link, Lane, base::ByteView record) override {
    change([&](State& state) {
      state.undelivered[link.peer().id.text()].emplace_back(base::as_text(record));
    });
  }
  void on_unreachable(const std::string& address, const base::Error& error) override {
    change([&](State& state) { state.unreachable.insert_or_assign(address, error); });
  }

  /// Runs `look` on the state under the lock and returns what it returns.
  template <class Look>
  auto look(Look&& look) {
    const base::MutexLock lock{mutex_};
    return look(state_);
  }
  [[nodiscard]] State state() {
    return look([](State& state) { return state; });
  }
  [[nodiscard]] std::shared_ptr<Link> link(const std::string& name) {
    return look([&](State& state) {
      const auto found = state.links.find(name);
      return found == state.links.end() ? nullptr : found->second;
    });
  }
  /// False if the condition does not hold within 30 s.
  template <class Condition>
  [[nodiscard]] bool wait(Condition&& condition) {
    base::MutexLock lock{mutex_};
    awaited_ = [&](State& state) -> bool { return condition(state); };
    const bool holds =
        changed_.wait_for(lock, std::chrono::seconds{30}, [&] { return condition(state_); });
    awaited_ = nullptr;
    return holds;
  }

 private:
  template <class Change>
  void change(Change&& change) {
    const base::MutexLock lock{mutex_};
    change(state_);
    if (awaited_ && awaited_(state_)) {  // waking for every record would cost more than it
      changed_.notify_all();
    }
  }

  base::Mutex mutex_;
  std::condition_variable_any changed_;
  std::function<bool(State&)> awaited_;
  State state_;
};

}  // namespace troupe::transport::testing
