#include "actors/reply_stream.hpp"

namespace troupe::actors::detail {

namespace {

struct StreamUnopened {
  TROUPE_MESSAGE(StreamUnopened)
};

/// Takes the reader's demand, and ends with the reader.
class StreamSource final : public Actor {
 public:
  using Protocol = actors::Protocol<StreamDemand, StreamUnopened>;
  explicit StreamSource(std::shared_ptr<StreamDoor> door) : door_(std::move(door)) {}

  void on_start() override { after(stream_open_max, StreamUnopened{}); }
  void on_stop(ExitReason) override { door_->close(); }
  void on(const StreamDemand& m) {
    if (!is_open_) {
      is_open_ = true;
      watch(m.to);
    }
    door_->demand(m);
  }
  void on(const StreamUnopened&) {
    if (!is_open_) {
      stop();
    }
  }
  void on(const Terminated&) { stop(); }

 private:
  std::shared_ptr<StreamDoor> door_;
  bool is_open_ = false;
};

/// Two demands are under way at most, and one message of its own.
constexpr std::uint32_t source_messages_max = 8;

}  // namespace

StreamDoor::Entry StreamDoor::enter() {
  base::MutexLock lock{mutex_};
  if (is_closed_ || end_) {
    return Entry::over;
  }
  if (credit_ == 0) {
    return Entry::wait;
  }
  --credit_;
  return Entry::granted;
}

void StreamDoor::wait(Suspension writer) {
  {
    base::MutexLock lock{mutex_};
    if (!is_closed_ && !end_ && credit_ == 0) {
      writer_ = writer;
      return;
    }
  }
  writer.resume();
}

base::Outcome StreamDoor::send(Envelope item) {
  AnyRef reader;
  {
    base::MutexLock lock{mutex_};
    reader = reader_;
  }
  const base::Outcome outcome = reader.post(std::move(item));
  if (outcome != base::Outcome::accepted) {
    end(false, {AskError::Kind::may_have_run, outcome, "an item of the stream was not accepted"});
    // Whatever stood in the way of the item, the stream is over.
    return outcome == base::Outcome::mailbox_full ? base::Outcome::node_lost : outcome;
  }
  return outcome;
}

void StreamDoor::end(bool is_complete, AskError error) {
  AnyRef reader;
  StreamEnd how{sent_, is_complete, std::move(error)};
  std::shared_ptr<void> written;  // let go of without the lock
  {
    base::MutexLock lock{mutex_};
    if (end_ || is_closed_) {
      return;
    }
    end_ = how;
    reader = reader_;
    written = std::move(until_written_);
  }
  if (reader) {
    (void)reader.post(Envelope::of(BlockKind::message, message_type<StreamEnd>, std::move(how)));
  }
}

void StreamDoor::hold(std::shared_ptr<void> until_written, std::shared_ptr<void> until_read) {
  base::MutexLock lock{mutex_};
  if (!is_closed_ && !end_) {
    until_written_ = std::move(until_written);
    until_read_ = std::move(until_read);
  }
}

bool StreamDoor::is_over() const {
  base::MutexLock lock{mutex_};
  return is_closed_ || end_.has_value();
}

void StreamDoor::demand(const StreamDemand& demand) {
  Suspension writer;
  std::optional<StreamEnd> late;
  {
    base::MutexLock lock{mutex_};
    if (!reader_) {
      reader_ = demand.to;
      late = end_;
    }
    credit_ += demand.items;
    writer = std::exchange(writer_, Suspension{});
  }
  if (late) {
    (void)demand.to.post(
        Envelope::of(BlockKind::message, message_type<StreamEnd>, std::move(*late)));
  }
  if (writer) {
    writer.resume();
  }
}

void StreamDoor::close() {
  Suspension writer;
  std::shared_ptr<void> written;
  std::shared_ptr<void> read;
  {
    base::MutexLock lock{mutex_};
    is_closed_ = true;
    written = std::move(until_written_);
    read = std::move(until_read_);
    writer = std::exchange(writer_, Suspension{});
  }
  if (writer) {
    writer.resume();
  }
}

ActorRef<Protocol<StreamDemand>> spawn_source(ActorCell& cell, std::shared_ptr<StreamDoor> door) {
  auto source = cell.system().spawn_any(
      actor_type<StreamSource>(),
      [door]() -> std::unique_ptr<Actor> { return std::make_unique<StreamSource>(door); },
      {.mailbox_messages_max = source_messages_max, .restart = {.restart = Restart::temporary}},
      &cell);
  if (!source.ok()) {
    door->close();
    return {};
  }
  return ActorRef<Protocol<StreamDemand>>{source.value()};
}

}  // namespace troupe::actors::detail
