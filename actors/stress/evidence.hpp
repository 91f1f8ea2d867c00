#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "actors/actor_system.hpp"
#include "actors/ask.hpp"
#include "base/clock.hpp"
#include "base/mutex.hpp"

namespace troupe::actors::stress {

/// What a run found wrong: each kind is printed when it is first seen, and counted. Thread-safe.
class Findings {
 public:
  void add(std::string_view what, std::uint64_t detail = 0);
  /// Where it does not hold.
  void check(bool holds, std::string_view otherwise) {
    if (!holds) {
      add(otherwise);
    }
  }
  [[nodiscard]] bool empty() const;
  /// One line a kind.
  [[nodiscard]] std::string text() const;

 private:
  mutable base::Mutex mutex_;
  std::map<std::string, std::uint64_t, std::less<>> counts_ TROUPE_GUARDED_BY(mutex_);
};

/// What has happened to each of many numbered things, a byte a thing. Thread-safe and lock-free;
/// grows with the numbers that it gives out, up to numbers_max.
class Book {
 public:
  enum Mark : std::uint8_t {
    handled = 1,
    ended = 2,
    not_run = 4,
    given_up = 8,
    cancelled = 16,
    /// Several may handle it: copies for all workers of a pool.
    shared = 32,
    /// Whoever handled it may handle it again: after a crash, or because it is idempotent.
    repeated = 64,
    /// It was in a stash, from which also what was cancelled comes back.
    aside = 128,
  };
  static constexpr std::uint64_t numbers_max = std::uint64_t{1} << 28U;

  Book() = default;
  ~Book();
  Book(const Book&) = delete;
  Book& operator=(const Book&) = delete;

  /// The next number, from 1.
  [[nodiscard]] std::uint64_t begin(std::uint8_t marks = 0);
  /// Returns the marks that it had before.
  std::uint8_t mark(std::uint64_t number, std::uint8_t marks);
  [[nodiscard]] std::uint8_t marks(std::uint64_t number) const;
  /// Numbers given out.
  [[nodiscard]] std::uint64_t count() const { return last_.load(std::memory_order_relaxed); }

 private:
  using Entry = std::atomic<std::uint8_t>;
  static constexpr std::uint64_t numbers_a_chunk = 1U << 16U;

  [[nodiscard]] Entry& at(std::uint64_t number) const;

  std::atomic<std::uint64_t> last_{0};
  mutable std::array<std::atomic<Entry*>, numbers_max / numbers_a_chunk> chunks_{};
};

/// How late asks end, judged apart from how late everything is on this machine at the moment: a
/// process that gets no time, or is halted, is no fault of the library. Thread-safe; judge()
/// belongs to one thread.
class Lateness {
 public:
  explicit Lateness(base::Duration slack) : slack_(slack) {}

  /// Something that was due ended now.
  void note(base::Duration late);
  /// At intervals. `overslept`: by how much later than planned the caller itself came. False: since
  /// the last call something was later than that, and than the slack.
  [[nodiscard]] bool judge(base::Duration overslept);
  [[nodiscard]] base::Duration slack() const { return slack_; }
  [[nodiscard]] base::Duration worst() const { return base::Duration{worst_.load()}; }

 private:
  const base::Duration slack_;
  std::atomic<base::Duration::rep> latest_{0};
  std::atomic<base::Duration::rep> worst_{0};
  /// Of the last intervals: who was held up catches up in the following ones.
  std::array<base::Duration, 32> overslept_{};
  std::size_t next_ = 0;
};

/// All that a run remembers in order to judge. Thread-safe, but for what says otherwise.
struct Evidence {
  Evidence(const base::Clock& its_clock, bool on_one_thread, base::Duration slack)
      : clock(its_clock), is_exact(on_one_thread), lateness(slack) {}

  /// A handler took a request as its own; true: handled for the first time.
  void note_handled(std::uint64_t question, bool may_repeat);
  /// One reading while everything moves, compared with the last one; belongs to one thread.
  void check_ledger(const LedgerSnapshot& now);
  /// Values of channels: each that was sent is received once. At the end, with nothing under way.
  void check_values();

  const base::Clock& clock;
  /// On one thread nothing happens meanwhile: sums agree at any moment, and what was cancelled
  /// before it was handled never is.
  const bool is_exact;
  Findings findings;
  Book questions;
  Book values;
  Lateness lateness;
  /// A fingerprint of the order in which messages were handled; only where is_exact.
  std::uint64_t digest = 0;

  std::atomic<std::uint64_t> open_questions{0};
  std::atomic<std::uint64_t> questions_given_up{0};
  std::atomic<std::uint64_t> open_sends{0};
  std::atomic<std::uint64_t> sends_ended{0};
  std::atomic<std::uint64_t> streams{0};
  std::atomic<std::uint64_t> streams_whole{0};
  std::atomic<std::uint64_t> crashes{0};
  std::atomic<std::uint64_t> restarts{0};
  std::atomic<std::uint64_t> lives_begun{0};
  std::atomic<std::uint64_t> lives_ended{0};
  std::atomic<std::uint64_t> stops{0};
  std::atomic<std::uint64_t> stashed{0};
  std::atomic<std::uint64_t> links{0};
  std::array<std::atomic<std::uint64_t>, 4> ends{};  ///< values, and by AskError::Kind

 private:
  LedgerSnapshot last_;
};

/// One ask, from before it is sent until it ends or is given up. What it checks: it ends once, not
/// long after its deadline, with its own answer, and as not_run only if nobody handled it. Not
/// thread-safe; destroyed before its end, it was given up, which not all askers may.
class Question {
 public:
  enum class Asker : std::uint8_t {
    waits,     ///< a coroutine or an actor, which may end first
    is_called  ///< must be told in any case
  };
  Question(Evidence& evidence, base::Duration timeout, Asker asker = Asker::waits,
           std::uint8_t marks = 0);
  ~Question();
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;

  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] base::Duration timeout() const { return timeout_; }
  /// What whoever handles it answers.
  [[nodiscard]] static std::uint64_t answer_to(std::uint64_t number) { return 2 * number + 1; }

  /// The asker is about to give it up.
  void cancel() { evidence_.questions.mark(number_, Book::cancelled); }
  void end(const AskResult<std::uint64_t>& result);

 private:
  Evidence& evidence_;
  const base::Duration timeout_;
  const base::TimePoint deadline_;
  const Asker asker_;
  const std::uint64_t number_;
  bool has_ended_ = false;
};

/// One send that may wait for room: it ends by its deadline, or with its sender.
class Sending {
 public:
  Sending(Evidence& evidence, base::Duration timeout);
  ~Sending();
  Sending(const Sending&) = delete;
  Sending& operator=(const Sending&) = delete;

 private:
  Evidence& evidence_;
  const base::TimePoint deadline_;
};

}  // namespace troupe::actors::stress
