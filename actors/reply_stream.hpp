#pragma once

#include <algorithm>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "actors/detail/stream_inbox.hpp"
#include "actors/detail/stream_source.hpp"
#include "actors/dispatch.hpp"

namespace troupe::actors {

// Many replies to one ask, at the speed of the asker (after Reactive Streams: the receiver asks for
// as many as it has room for). All of it travels in ordinary messages between two small actors: a
// source beside the actor that answers and an inbox beside the one that asked, each the child of
// its actor and watching the other. So it ends when either of them dies, here or on another node.
//
//   asker's inbox                          source beside the answering actor
//     StreamDemand{n, inbox}  ─────────▶   credit += n
//     next(), next(), …       ◀─────────   StreamItem{0, a}, StreamItem{1, b}, …
//     StreamDemand{n/2, inbox} ────────▶   …
//     the end                 ◀─────────   StreamEnd{items, error}

/// The reply of a message that is answered by many values: `using Reply = Stream<Tick>`. Its
/// handler gets a writer: `Task<void> on(Watch m, StreamWriter<Tick> to)`, or a void function that
/// keeps it. The asker makes a StreamReader of it, once and within stream_open_max.
template <class T>
struct Stream {
  using Item = T;
  ActorRef<Protocol<StreamDemand>> source;
  TROUPE_MESSAGE(Stream, source)
};

/// For how long a source waits for its reader.
inline constexpr base::Duration stream_open_max = std::chrono::seconds{30};

/// The answering end of a stream. Move-only; belongs to the actor that got it. Dropped before
/// finish(), the reader gets may_have_run.
template <class T>
class StreamWriter {
 public:
  explicit StreamWriter(std::shared_ptr<detail::StreamDoor> door) : door_(std::move(door)) {}
  StreamWriter(StreamWriter&&) noexcept = default;
  StreamWriter& operator=(StreamWriter&& other) noexcept {
    std::swap(door_, other.door_);
    return *this;
  }
  ~StreamWriter() {
    fail({AskError::Kind::may_have_run, base::Outcome::stopped,
          "the actor let go of the stream before its end"});
  }

  class [[nodiscard]] Write {
   public:
    Write(StreamWriter& writer, T value) : writer_(writer), value_(std::move(value)) {}
    [[nodiscard]] bool await_ready() { return settle(); }
    void await_suspend(std::coroutine_handle<> waiting) {
      writer_.door_->wait(Suspension::of_current_actor(waiting));
    }
    [[nodiscard]] base::Outcome await_resume() {
      TROUPE_CHECK(is_settled_ || settle(), "two handlers write to one stream");
      return outcome_;
    }

   private:
    bool settle() {
      outcome_ = writer_.try_write(value_);
      is_settled_ = outcome_ != base::Outcome::mailbox_full;
      return is_settled_;
    }
    StreamWriter& writer_;
    T value_;
    base::Outcome outcome_ = base::Outcome::stopped;
    bool is_settled_ = false;
  };

  /// `co_await writer.write(value)` waits until the reader wants it. accepted; or stopped when
  /// nobody reads any more, or another outcome when the way to the reader is lost: the stream has
  /// ended.
  [[nodiscard]] Write write(T value) { return Write{*this, std::move(value)}; }

  /// Without waiting; mailbox_full: the reader wants no more just now.
  [[nodiscard]] base::Outcome try_write(T value) {
    if (!door_) {
      return base::Outcome::stopped;
    }
    switch (door_->enter()) {
      case detail::StreamDoor::Entry::granted:
        return door_->send(Envelope::of(BlockKind::message, message_type<StreamItem<T>>,
                                        StreamItem<T>{door_->next_number(), std::move(value)}));
      case detail::StreamDoor::Entry::wait: return base::Outcome::mailbox_full;
      case detail::StreamDoor::Entry::over: break;
    }
    return base::Outcome::stopped;
  }

  /// Whether anybody reads.
  [[nodiscard]] bool is_wanted() const { return door_ && !door_->is_over(); }

  /// Three ways to end the stream, of which the first counts; afterwards writes give `stopped`. The
  /// reader gets what was written before, then the end. None blocks; without effect where nobody
  /// reads. finish(): that was all.
  void finish() {
    if (door_) {
      std::exchange(door_, nullptr)->end(true, {});
    }
  }
  /// The reader gets the error after the last item.
  void fail(AskError error) {
    if (door_) {
      std::exchange(door_, nullptr)->end(false, std::move(error));
    }
  }
  /// The same as a refusal, as by a handler that throws one.
  void refuse(std::string reason) {
    fail({AskError::Kind::refusal, base::Outcome::accepted, std::move(reason)});
  }
  /// As of StreamDoor.
  void hold(std::shared_ptr<void> until_written, std::shared_ptr<void> until_read) {
    if (door_) {
      door_->hold(std::move(until_written), std::move(until_read));
    }
  }

 private:
  std::shared_ptr<detail::StreamDoor> door_;
};

struct StreamOptions {
  /// How many items may be under way or waiting here; at least 1.
  std::uint32_t window = 64;
  /// The longest pause before an item.
  base::Duration item_max = ask_timeout_default;
};

/// The asking end of a stream:
///   auto opened = co_await feed.ask(Watch{});
///   StreamReader<Tick> ticks{std::move(opened).value(), {.window = 16}};
///   for (;;) {
///     auto tick = co_await ticks.next();  // AskResult<std::optional<Tick>>: empty at the end
/// Move-only; belongs to the actor that made it. Dropping it ends the stream: the writer is told.
template <class T>
class StreamReader {
 public:
  explicit StreamReader(const Stream<T>& stream, StreamOptions options = {})
      : options_(options), source_(stream.source), queue_(std::make_shared<Queue>()) {
    options_.window = std::max(options_.window, 1U);
    ActorCell* cell = ActorCell::current();
    TROUPE_CHECK(cell != nullptr, "a stream is read by an actor");
    system_ = &cell->system();
    auto inbox = system_->spawn_any(
        actor_type<detail::StreamInbox<T>>(),
        [source = source_, window = options_.window, queue = queue_]() -> std::unique_ptr<Actor> {
          return std::make_unique<detail::StreamInbox<T>>(source, window, queue);
        },
        {.mailbox_messages_max = options_.window + 8, .restart = {.restart = Restart::temporary}},
        cell);
    if (inbox.ok()) {
      inbox_ = inbox.value();
    } else {
      queue_->end(AskError{AskError::Kind::not_run, base::Outcome::stopped,
                           "no stream can be read: " + inbox.error().text()});
    }
  }
  StreamReader(StreamReader&& other) noexcept
      : options_(other.options_),
        system_(other.system_),
        source_(other.source_),
        inbox_(std::exchange(other.inbox_, AnyRef{})),
        queue_(std::move(other.queue_)),
        taken_(other.taken_) {}
  StreamReader& operator=(StreamReader&&) = delete;
  ~StreamReader() {
    if (inbox_) {
      system_->stop(inbox_);
    }
  }

  class [[nodiscard]] Next {
   public:
    explicit Next(StreamReader& reader) : reader_(reader) {}
    Next(const Next&) = delete;
    Next& operator=(const Next&) = delete;
    ~Next() { cancel_timer(); }
    [[nodiscard]] bool await_ready() const { return reader_.queue_->is_ready(); }
    void await_suspend(std::coroutine_handle<> waiting) {
      const std::uint64_t wait = reader_.queue_->wait(Suspension::of_current_actor(waiting));
      ActorSystem& system = *reader_.system_;
      timers_ = &system.timers();
      timer_ = system.timers().add(base::later(system.clock().now(), reader_.options_.item_max),
                                   [weak = std::weak_ptr<Queue>{reader_.queue_}, wait] {
                                     if (const auto queue = weak.lock()) {
                                       queue->expire(wait);
                                     }
                                   });
    }
    [[nodiscard]] AskResult<std::optional<T>> await_resume() {
      cancel_timer();
      return reader_.take();
    }

   private:
    void cancel_timer() {
      if (timer_ != 0) {
        (void)timers_->cancel(std::exchange(timer_, 0));
      }
    }

    StreamReader& reader_;
    Timers* timers_ = nullptr;
    Timers::Id timer_ = 0;
  };

  /// The next item; empty at the end; or how the stream failed, at the latest after item_max.
  [[nodiscard]] Next next() { return Next{*this}; }

 private:
  using Queue = detail::StreamQueue<T>;

  AskResult<std::optional<T>> take() {
    AskResult<std::optional<T>> item = queue_->take();
    if (item.ok() && item.value().has_value()) {
      // Half a window at a time, so that the writer need not wait for the last item to arrive. What
      // is refused is asked for with the next item.
      if (++taken_ >= (options_.window + 1) / 2 &&
          source_.tell(StreamDemand{taken_, inbox_}) == base::Outcome::accepted) {
        taken_ = 0;
      }
    }
    return item;
  }

  StreamOptions options_;
  ActorSystem* system_ = nullptr;
  ActorRef<Protocol<StreamDemand>> source_;
  AnyRef inbox_;
  std::shared_ptr<Queue> queue_;
  std::uint64_t taken_ = 0;
};

namespace detail {

template <class T>
struct IsStream<Stream<T>> : std::true_type {};

template <class M, class A>
Task<Envelope> run_stream_handler(A& actor, M message, std::shared_ptr<StreamDoor> door) {
  using T = typename ReplyOf<M>::Item;
  Task<void> handler = actor.on(std::move(message), StreamWriter<T>{door});
  try {
    co_await std::move(handler);
  } catch (const Refusal& refusal) {
    // Before the writer is destroyed with the handler's frame.
    door->end(false, {AskError::Kind::refusal, base::Outcome::accepted, refusal.what()});
  }
  co_return Envelope{};
}

template <class M, class A>
Handled handle_stream(A& actor, ActorCell& cell, M& message) {
  using T = typename ReplyOf<M>::Item;
  auto door = std::make_shared<StreamDoor>();
  if (!cell.is_asked()) {
    door->close();  // a tell: nobody reads
  } else {
    auto source = spawn_source(cell, door);
    cell.reply(Envelope::of(BlockKind::reply, message_type<Stream<T>>, Stream<T>{source}));
  }
  using Returned = decltype(actor.on(std::move(message), StreamWriter<T>{door}));
  if constexpr (IsTask<Returned>::value) {
    static_assert(std::is_same_v<Returned, Task<void>>,
                  "the handler of a stream returns Task<void> or void");
    return cell.start_task(run_stream_handler<M>(actor, std::move(message), std::move(door)));
  } else {
    static_assert(std::is_void_v<Returned>, "the handler of a stream returns Task<void> or void");
    try {
      actor.on(std::move(message), StreamWriter<T>{door});
    } catch (const Refusal& refusal) {
      door->end(false, {AskError::Kind::refusal, base::Outcome::accepted, refusal.what()});
    }
    return Handled::done;
  }
}

}  // namespace detail

}  // namespace troupe::actors
