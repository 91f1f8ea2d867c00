#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <utility>

#include "transport/address.hpp"
#include "transport/client.hpp"
#include "transport/hello_rules.hpp"
#include "transport/resolve.hpp"
#include "transport/session.hpp"
#include "transport/zmq_dealer.hpp"

namespace troupe::transport {

namespace {

constexpr base::Duration attempt_timeout = std::chrono::seconds{3};
constexpr base::Duration heartbeat_interval = std::chrono::seconds{5};
constexpr int goodbye_linger_ms = 200;

class ZmqClient final : public Client {
 public:
  ZmqClient(const ClientOptions& options, const base::Clock& clock) : clock_(clock) {
    base::Random random{options.seed};
    hello_ = {.cluster = options.cluster,
              .node = options.name,
              .incarnation = random.next() >> 1U,
              .role = "client",
              .lane = lane_both,
              .session = random.next() | 1U};
    id_ = {hello_.node, hello_.incarnation};
  }
  ~ZmqClient() override;

  /// One attempt, at a numeric endpoint.
  base::Result<void> open(const std::string& endpoint, base::TimePoint deadline);

  [[nodiscard]] const PeerInfo& node() const override { return node_; }
  [[nodiscard]] const base::NodeId& id() const override { return id_; }
  [[nodiscard]] const std::string& cluster() const override { return cluster_; }
  base::Result<void> send(base::ByteView record, base::TimePoint deadline) override;
  base::Result<base::Bytes> receive(base::TimePoint deadline) override;

 private:
  void wait(base::TimePoint until, bool for_room);
  void look();
  void on_frame(base::ByteView frame);
  void on_batch(base::ByteView frame);
  void keep_alive();
  [[nodiscard]] bool write(const Frame& frame);
  void fail(base::Errc code, std::string reason);

  const base::Clock& clock_;
  Hello hello_;
  base::NodeId id_;
  PeerInfo node_;
  std::string cluster_;
  std::uint64_t node_session_ = 0;
  zmq::context_t context_{1};
  std::optional<ZmqDealer> dealer_;
  std::uint64_t attempts_ = 0;
  bool is_opened_ = false;
  bool is_welcomed_ = false;
  std::optional<base::Error> failure_;
  std::array<Session, lane_count> sessions_;
  std::deque<base::Bytes> received_;
  base::TimePoint heartbeat_at_ = base::time_never;
};

ZmqClient::~ZmqClient() {
  if (!dealer_) {
    return;
  }
  try {
    if (is_welcomed_ && !failure_) {
      dealer_->set_linger(goodbye_linger_ms);
      (void)write(goodbye_frame("done"));
    }
  } catch (const zmq::error_t&) {
    // The node will notice the silence instead.
  }
}

base::Result<void> ZmqClient::open(const std::string& endpoint, base::TimePoint deadline) {
  is_opened_ = is_welcomed_ = false;
  failure_.reset();
  dealer_.reset();
  dealer_.emplace(context_, endpoint, ++attempts_);
  bool is_greeted = false;
  while (!failure_ && !is_welcomed_) {
    look();
    if (is_opened_ && !is_greeted) {
      is_greeted = write(hello_frame(FrameKind::hello, hello_));
    }
    if (failure_ || is_welcomed_) {
      break;
    }
    if (clock_.now() >= deadline) {
      fail(base::Errc::unavailable,
           is_opened_ ? "connected, but no welcome came" : "no connection within the time limit");
      break;
    }
    wait(deadline, is_opened_ && !is_greeted);
  }
  if (failure_) {
    return *failure_;
  }
  heartbeat_at_ = clock_.now() + heartbeat_interval;
  return {};
}

base::Result<void> ZmqClient::send(base::ByteView record, base::TimePoint deadline) {
  if (record.size() > record_bytes_max) {
    return base::Error{base::Errc::limit_exceeded,
                       "a record has at most " + std::to_string(record_bytes_max) + " bytes"};
  }
  try {
    Session& session = sessions_[static_cast<std::size_t>(Lane::data)];
    base::Bytes frame;
    frame.reserve(batch_header_bytes + record_header_bytes + record.size());
    frame.resize(batch_header_bytes);
    append_record(frame, record);
    write_batch_header(frame, {.lane = static_cast<std::uint8_t>(Lane::data),
                               .record_count = 1,
                               .session = hello_.session,
                               .sequence = session.next_sequence(),
                               .acknowledgement = session.acknowledgement()});
    const auto shared = std::make_shared<const base::Bytes>(std::move(frame));
    for (look(); !failure_; look()) {
      if (write(shared)) {
        session.keep(shared);
        (void)session.mark_written(clock_.now());
        return {};
      }
      if (clock_.now() >= deadline) {
        return base::Error{base::Errc::timed_out, node_.address + " takes no more records"};
      }
      wait(deadline, true);
    }
  } catch (const zmq::error_t& error) {
    fail(base::Errc::unavailable, error.what());
  }
  return *failure_;
}

base::Result<base::Bytes> ZmqClient::receive(base::TimePoint deadline) {
  try {
    for (;;) {
      look();
      if (!received_.empty()) {
        base::Bytes record = std::move(received_.front());
        received_.pop_front();
        return record;
      }
      if (failure_) {
        return *failure_;
      }
      if (clock_.now() >= deadline) {
        return base::Error{base::Errc::timed_out, "no record from " + node_.address};
      }
      wait(deadline, false);
    }
  } catch (const zmq::error_t& error) {
    fail(base::Errc::unavailable, error.what());
    return *failure_;
  }
}

void ZmqClient::wait(base::TimePoint until, bool for_room) {
  until = std::min(until, heartbeat_at_);
  for (const Session& session : sessions_) {
    until = std::min(until, session.acknowledgement_due());
  }
  const base::Duration time =
      std::clamp<base::Duration>(until - clock_.now(), base::Duration{0}, heartbeat_interval);
  const auto events = static_cast<short>(for_room ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN);
  std::array<zmq::pollitem_t, 2> items{{{dealer_->socket().handle(), 0, events, 0},
                                        {dealer_->monitor().handle(), 0, ZMQ_POLLIN, 0}}};
  try {
    zmq::poll(items.data(), items.size(), std::chrono::ceil<std::chrono::milliseconds>(time));
  } catch (const zmq::error_t& error) {
    if (error.num() != EINTR) {
      throw;
    }
  }
}

void ZmqClient::look() {
  zmq::message_t frame;
  bool is_single = false;
  while (!failure_ && receive_frame(dealer_->socket(), frame, is_single)) {
    on_frame({static_cast<const std::byte*>(frame.data()), frame.size()});
  }
  while (const auto event = dealer_->next_event()) {
    if (event->change == ZmqDealer::Change::opened) {
      is_opened_ = true;
    } else if (!failure_) {
      fail(base::Errc::unavailable, event->reason);
    }
  }
  if (is_welcomed_ && !failure_) {
    keep_alive();
  }
}

void ZmqClient::on_frame(base::ByteView frame) {
  const auto kind = parse_kind(frame);
  if (kind && *kind == FrameKind::batch && is_welcomed_) {
    on_batch(frame);
    return;
  }
  if (kind && *kind == FrameKind::welcome && !is_welcomed_) {
    const auto welcome = parse_hello(frame);
    if (!welcome) {
      fail(base::Errc::malformed, "welcome: " + welcome.error().context);
      return;
    }
    is_welcomed_ = true;
    node_ = to_peer_info(*welcome);
    node_session_ = welcome->session;
    cluster_ = welcome->cluster;
    return;
  }
  if (kind && *kind == FrameKind::refuse) {
    const auto refuse = parse_refuse(frame);
    const base::Error error = refuse ? to_error(*refuse) : refuse.error();
    fail(error.code, error.context);
    return;
  }
  if (kind && *kind == FrameKind::goodbye) {
    fail(base::Errc::unavailable, "the node " + node_.id.name + " has left");
    return;
  }
  fail(base::Errc::malformed, kind ? "an unexpected frame" : kind.error().context);
}

void ZmqClient::on_batch(base::ByteView frame) {
  const auto batch = parse_batch(frame);
  if (!batch) {
    fail(base::Errc::malformed, batch.error().context);
    return;
  }
  if (batch->header.session != node_session_) {
    return;
  }
  Session& session = sessions_[batch->header.lane];
  const auto received = session.receive(batch->header, frame.size(), clock_.now());
  if (received.arrival == Session::Arrival::gap) {
    fail(base::Errc::unavailable, "a frame was lost on the way");
  } else if (received.arrival == Session::Arrival::deliver) {
    for_each_record(*batch, [&](base::ByteView record) {
      received_.emplace_back(record.begin(), record.end());
    });
  }
}

void ZmqClient::keep_alive() {
  const base::TimePoint now = clock_.now();
  for (std::size_t lane = 0; lane < lane_count; ++lane) {
    Session& session = sessions_[lane];
    if (session.acknowledgement_due() > now && (lane != 0 || heartbeat_at_ > now)) {
      continue;
    }
    if (write(acknowledgement_frame({.lane = static_cast<std::uint8_t>(lane),
                                     .session = hello_.session,
                                     .acknowledgement = session.acknowledgement()}))) {
      session.mark_acknowledged();
    }
    heartbeat_at_ = std::max(heartbeat_at_, now + heartbeat_interval);
  }
}

bool ZmqClient::write(const Frame& frame) {
  return send_frame(dealer_->socket(), frame);
}

void ZmqClient::fail(base::Errc code, std::string reason) {
  if (!failure_) {
    failure_ = base::Error{code, std::move(reason)};
  }
}

}  // namespace

base::Result<std::unique_ptr<Client>> Client::connect(const ClientOptions& options,
                                                      const base::Clock& clock,
                                                      base::TimePoint deadline) {
  if (!is_valid_name(options.name)) {
    return base::Error{
        base::Errc::invalid_argument,
        "client name '" + options.name + "' is not 1 to 64 letters, digits, '.', '_' or '-'"};
  }
  if (options.addresses.empty()) {
    return base::Error{base::Errc::invalid_argument, "no address of a node is given"};
  }
  std::string tried;
  const auto note = [&tried](const std::string& address, const std::string& why) {
    tried += (tried.empty() ? "" : "; ") + address + ": " + why;
  };
  try {
    auto client = std::make_unique<ZmqClient>(options, clock);
    for (const std::string& text : options.addresses) {
      const auto address = parse_address(text);
      if (!address) {
        return address.error();
      }
      const auto hosts = resolve(address->host);
      if (!hosts) {
        note(text, hosts.error().context);
        continue;
      }
      for (const std::string& host : *hosts) {
        const base::TimePoint until = std::min(deadline, clock.now() + attempt_timeout);
        const auto opened = client->open(Address{host, address->port}.text(), until);
        if (opened) {
          return std::unique_ptr<Client>{std::move(client)};
        }
        const base::Error& error = opened.error();
        if (error.code != base::Errc::unavailable && error.code != base::Errc::limit_exceeded &&
            error.code != base::Errc::malformed) {
          return base::Error{error.code, text + ": " + error.context};
        }
        note(text, error.context);
      }
    }
  } catch (const zmq::error_t& error) {
    return base::Error{base::Errc::internal, std::string{"ZeroMQ: "} + error.what()};
  }
  return base::Error{base::Errc::unavailable, tried};
}

}  // namespace troupe::transport
