#include "actors/reply_slot.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/testing/explorer.hpp"

namespace troupe::actors {
namespace {

using testing::Explorer;
using testing::ExplorerOptions;
using testing::ModelAtomic;
using testing::ModelAtomics;
using testing::TornAtomics;

/// Of what is no atomic in a slot: each use takes two steps, so that the explorer sees two at once.
class Alone {
 public:
  void use() const {
    Explorer::expect(!is_used_.exchange(true), "two threads use a field at once");
    is_used_.store(false);
  }

 private:
  mutable ModelAtomic<bool> is_used_{false};
};

/// The case keeps each value as well, and counts at the end who else does.
template <class T>
class Field {
 public:
  Field() = default;
  explicit Field(std::shared_ptr<T> value) : value_(std::move(value)) {}
  Field(Field&& other) : value_(other.take()) {}
  Field& operator=(Field&& other) {
    alone_.use();
    value_ = other.take();
    return *this;
  }
  Field(const Field& other) : value_(other.get()) {}
  Field& operator=(const Field& other) {
    alone_.use();
    value_ = other.get();
    return *this;
  }
  ~Field() = default;
  T& operator*() const {
    Explorer::expect(has_value(), "what is used is gone");
    return *value_;
  }
  [[nodiscard]] bool has_value() const { return value_ != nullptr; }

 private:
  std::shared_ptr<T> take() {
    alone_.use();
    return std::move(value_);
  }
  [[nodiscard]] std::shared_ptr<T> get() const {
    alone_.use();
    return value_;
  }

  Alone alone_;
  std::shared_ptr<T> value_;
};

using Reply = Field<const int>;
using Function = Field<std::function<void(Reply&&)>>;
struct Suspension {
  Field<ModelAtomic<int>> resumed;
  void resume() const { (*resumed).fetch_add(1); }
};
struct BlockedThread {
  ModelAtomic<int> woken{0};
  void wake() { woken.fetch_add(1); }
};

enum class Asker { resumes, resumes_twice, calls, blocks, closes, resumes_and_closes };

struct Options {
  Asker asker = Asker::resumes;
  int replies = 1;             ///< of a thread each
  bool expires = false;        ///< a sweep looks, and fails what it finds open
  bool is_cancelled = false;   ///< somebody else closes, once the asker has said who waits
  bool is_used_again = false;  ///< another one asks next, and the replies to the first may be late
};

/// One use of the slot, and what came of it.
struct Request {
  static constexpr int nothing = -1;
  std::uint32_t generation = 0;
  int taken = nothing;  ///< the number of the reply that the slot took
  int result = nothing;
  std::vector<std::shared_ptr<ModelAtomic<int>>> resumed;  ///< of each that was told to wait
  bool waits = false;                                      ///< the last of them is to be resumed

  [[nodiscard]] Suspension suspension() {
    resumed.push_back(std::make_shared<ModelAtomic<int>>(0));
    return {Field<ModelAtomic<int>>{resumed.back()}};
  }
  void check() const {
    Explorer::expect(result == taken || result == nothing, "the result is not what was taken");
    int resumptions = 0;
    for (const auto& count : resumed) {
      resumptions += count->load();
    }
    Explorer::expect(resumptions <= 1, "resumed more than once");
    const bool must_be_resumed = waits && taken != nothing;
    Explorer::expect(!waits || resumed.back()->load() == (must_be_resumed ? 1 : 0),
                     "who waits was not resumed once it was answered");
  }
};

/// A slot, those who ask, and those who end what was asked.
template <class Atomics>
struct World {
  struct Types {
    using Reply = actors::Reply;
    using Suspension = actors::Suspension;
    using Function = actors::Function;
    using BlockedThread = actors::BlockedThread;
  };
  using Slot = BasicReplySlot<Types, Atomics>;
  static constexpr int failure = 10;
  static constexpr int answer_to_next = 20;

  explicit World(const Options& given) : options(given) { first.generation = slot.open(); }

  auto release() {
    return [this] { released.fetch_add(1); };
  }
  void fill(std::uint32_t generation, int number) {
    values.push_back(std::make_shared<const int>(number));
    Reply reply{values.back()};
    const bool is_taken = slot.fill(generation, std::move(reply), release());
    Explorer::expect(is_taken != reply.has_value(), "what was refused is gone");
    if (is_taken) {
      Request& request = generation == first.generation ? first : next;
      Explorer::expect(std::exchange(request.taken, number) == Request::nothing,
                       "a request was answered twice");
    }
  }
  void expire() {
    const auto seen = slot.look();
    if (seen.is_open()) {
      fill(seen.generation, failure);
    }
  }
  void end(Request& request, const Reply& reply) {
    Explorer::expect(reply.has_value(), "the reply is not there");
    Explorer::expect(std::exchange(request.result, *reply) == Request::nothing, "two results");
  }
  bool resume_when_ready(Request& request) {
    const Suspension waiting = request.suspension();
    request.waits = slot.resume_when_ready(request.generation, waiting);
    return request.waits;
  }
  void wait(Request& request) {
    request.resumed.back()->wait_until([](int count) { return count > 0; });
  }
  void ask_resumed(Request& request) {
    if (resume_when_ready(request)) {
      wait(request);
    }
    end(request, slot.take(release()));
  }
  void ask_resumed_twice() {
    if (resume_when_ready(first) && resume_when_ready(first)) {
      wait(first);
    }
    end(first, slot.take(release()));
  }
  void ask_called() {
    function = std::make_shared<std::function<void(Reply &&)>>(
        [this](Reply&& reply) { end(first, Reply{std::move(reply)}); });
    Function called{function};
    if (!slot.is_ready()) {
      if (slot.call_when_ready(first.generation, called)) {
        return;
      }
      Explorer::expect(called.has_value(), "the function is gone");
    }
    (*called)(slot.take(release()));
  }
  void ask_blocked() {
    if (slot.wake_when_ready(first.generation, blocked)) {
      blocked.woken.wait_until([](int count) { return count > 0; });
    }
    Explorer::free_memory(&blocked, sizeof blocked);
    end(first, slot.take(release()));
  }
  void close() { slot.close(first.generation, release()); }
  void ask() {
    switch (options.asker) {
      case Asker::resumes: ask_resumed(first); break;
      case Asker::resumes_twice: ask_resumed_twice(); break;
      case Asker::calls: ask_called(); break;
      case Asker::blocks: ask_blocked(); break;
      case Asker::resumes_and_closes: (void)resume_when_ready(first); [[fallthrough]];
      case Asker::closes: close(); break;
    }
    has_asked.store(true);
  }
  void cancel() {
    has_asked.wait_until([](bool has) { return has; });
    close();
  }
  void ask_next() {
    released.wait_until([](int count) { return count > 0; });
    next.generation = slot.open();
    next_generation.store(next.generation);
    ask_resumed(next);
  }
  void answer_next() {
    fill(next_generation.wait_until([](std::uint32_t is) { return is != 0; }), answer_to_next);
  }

  void check() {
    const bool may_be_closed = options.is_cancelled || options.asker == Asker::closes ||
                               options.asker == Asker::resumes_and_closes;
    Explorer::expect(slot.look().status == Slot::Status::closed, "the slot is not closed");
    Explorer::expect(released.load() == (options.is_used_again ? 2 : 1), "not released once a use");
    Explorer::expect(may_be_closed || first.result != Request::nothing, "nobody was answered");
    Explorer::expect(
        next.result == next.taken && (!options.is_used_again || next.result == answer_to_next ||
                                      (options.expires && next.result == failure)),
        "a number that is over ended the next request");
    first.check();
    next.check();
    for (const auto& value : values) {
      Explorer::expect(value.use_count() == 1, "a reply leaks");
    }
    Explorer::expect(function.use_count() <= 1, "a function leaks");
  }

  Options options;
  Slot slot;
  Request first;
  Request next;
  BlockedThread blocked;
  ModelAtomic<int> released{0};
  ModelAtomic<bool> has_asked{false};
  ModelAtomic<std::uint32_t> next_generation{0};
  std::vector<std::shared_ptr<const int>> values;
  std::shared_ptr<std::function<void(Reply&&)>> function;
};

template <class Atomics>
Explorer::Result explore(const Options& options, ExplorerOptions how = {}) {
  return Explorer{how}.explore([=](Explorer::Case& made) {
    const auto world = std::make_shared<World<Atomics>>(options);
    made.thread("asker", [world] { world->ask(); });
    for (int number = 0; number < options.replies; ++number) {
      made.thread("reply " + std::to_string(number),
                  [world, number] { world->fill(world->first.generation, number); });
    }
    if (options.expires) {
      made.thread("sweep", [world] { world->expire(); });
    }
    if (options.is_cancelled) {
      made.thread("cancel", [world] { world->cancel(); });
    }
    if (options.is_used_again) {
      made.thread("next asker", [world] { world->ask_next(); });
      made.thread("answer", [world] { world->answer_next(); });
    }
    made.at_end([world] { world->check(); });
  });
}

void expect_right(const Options& options, ExplorerOptions how = {}) {
  const auto result = explore<ModelAtomics>(options, how);
  EXPECT_EQ(result.failure, "") << result.trace;
  EXPECT_TRUE(result.is_complete) << result.schedules;
  EXPECT_GT(result.schedules, 1U);
}

// Where nobody wakes who waits, it waits for ever, and the explorer says so.

TEST(ReplySlotModel, TakesOneOfReplyAndFailureAndResumesOnce) {
  expect_right({.asker = Asker::resumes, .replies = 2});
  expect_right({.asker = Asker::resumes, .replies = 1, .expires = true});
  expect_right({.asker = Asker::resumes, .replies = 2, .expires = true}, {.preemptions_max = 2});
}

TEST(ReplySlotModel, ResumesTheLastOneThatWaits) {
  expect_right({.asker = Asker::resumes_twice, .replies = 1});
  expect_right({.asker = Asker::resumes_twice, .replies = 2}, {.preemptions_max = 2});
}

TEST(ReplySlotModel, CallsOnceOrDropsTheFunction) {
  expect_right({.asker = Asker::calls, .replies = 2});
  expect_right({.asker = Asker::calls, .replies = 1, .is_cancelled = true});
  expect_right({.asker = Asker::calls, .replies = 1, .expires = true, .is_cancelled = true});
}

TEST(ReplySlotModel, WakesAThreadThatIsThenGone) {
  expect_right({.asker = Asker::blocks, .replies = 1});
  expect_right({.asker = Asker::blocks, .replies = 1, .expires = true});
}

TEST(ReplySlotModel, DropsOnceWhatWasClosed) {
  expect_right({.asker = Asker::closes, .replies = 1, .expires = true});
  expect_right({.asker = Asker::resumes_and_closes, .replies = 1, .expires = true});
  expect_right({.asker = Asker::closes, .replies = 1, .is_cancelled = true});
}

TEST(ReplySlotModel, EndsNothingByANumberThatIsOver) {
  expect_right({.asker = Asker::closes, .is_used_again = true});
  expect_right({.asker = Asker::closes, .replies = 0, .is_cancelled = true, .is_used_again = true});
  expect_right({.asker = Asker::closes, .replies = 0, .expires = true, .is_used_again = true});
  expect_right({.asker = Asker::resumes_and_closes, .is_used_again = true}, {.preemptions_max = 2});
  expect_right({.asker = Asker::calls, .replies = 2, .is_used_again = true},
               {.preemptions_max = 2});
  expect_right({.asker = Asker::resumes, .replies = 2, .is_used_again = true},
               {.preemptions_max = 2});
}

TEST(ReplySlotModel, FindsPlantedBugs) {
  for (const Options& options :
       {Options{.asker = Asker::resumes, .replies = 1}, Options{.asker = Asker::closes},
        Options{.asker = Asker::calls, .replies = 2}, Options{.asker = Asker::blocks},
        Options{.asker = Asker::closes, .is_used_again = true}}) {
    EXPECT_NE(explore<TornAtomics>(options).failure, "");
  }
}

}  // namespace
}  // namespace troupe::actors
