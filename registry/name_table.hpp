#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "registry/outbox.hpp"
#include "registry/placement.hpp"
#include "registry/record.hpp"

namespace troupe::registry {

/// This node's copy of all names. Not thread-safe. Keeps released names until prune(), so that an
/// older record of them is not taken for news.
class NameTable {
 public:
  using Now = base::TimePoint;
  using Records = std::map<std::string, Record, std::less<>>;

  /// Takes a record that is newer than the one known; tells what follows as events.
  bool put(Record record, Now now, Outbox& out);
  /// Becomes exactly this.
  void replace(std::vector<Record> records, Now now, Outbox& out);
  /// Forgets names that were released before `before`.
  void prune(Now before);
  /// Counts an epoch that was granted but is not in the table.
  void note_epoch(std::uint64_t epoch);

  /// Also of a released name; null if unknown.
  [[nodiscard]] const Record* find(std::string_view name) const;
  [[nodiscard]] const Records& records() const { return records_; }
  [[nodiscard]] std::vector<Record> copy() const;
  /// Names that each node holds.
  [[nodiscard]] const Loads& loads() const { return loads_; }
  /// Over all names that are not free.
  [[nodiscard]] std::uint64_t digest() const { return digest_; }
  /// Names that are not free.
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint64_t epoch_seen_max() const { return epoch_seen_max_; }
  /// Names that changed since the last call.
  [[nodiscard]] std::set<std::string> take_touched() { return std::exchange(touched_, {}); }

 private:
  void count(const Record& record, bool added);
  void assign(Record record, Now now, Outbox& out);

  Records records_;
  Loads loads_;
  std::uint64_t digest_ = 0;
  std::size_t size_ = 0;
  std::uint64_t epoch_seen_max_ = 0;
  std::set<std::string> touched_;
  struct Released {
    base::TimePoint at;
    std::string name;
    std::uint64_t epoch = 0;
  };
  std::deque<Released> released_;  ///< in the order of time
};

}  // namespace troupe::registry
