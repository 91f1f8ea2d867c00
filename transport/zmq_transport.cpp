#include "transport/zmq_transport.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/log.hpp"
#include "transport/address.hpp"
#include "transport/resolve.hpp"
#include "transport/zmq_dealer.hpp"

namespace troupe::transport {

namespace {

constexpr int socket_frames_a_turn = 64;
constexpr int stop_linger_ms = 100;
constexpr std::uint64_t bell_number = 0;
constexpr std::uint64_t router_number = 1;
constexpr std::uint64_t first_channel_number = 2;
// libzmq aborts the process when it cannot get a descriptor for a socket: stop well before.
constexpr std::size_t descriptors_per_dealer = 4;
constexpr std::size_t descriptors_reserved = 128;

/// An eventfd; shared with whoever may still ring after the transport's end.
class Bell {
 public:
  Bell() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    TROUPE_CHECK(fd_ >= 0, "no descriptor for an eventfd");
  }
  ~Bell() { ::close(fd_); }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  void ring() {
    const std::uint64_t one = 1;
    (void)!::write(fd_, &one, sizeof one);
  }
  void silence() {
    std::uint64_t count = 0;
    (void)!::read(fd_, &count, sizeof count);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

class ZmqTransport final : public Transport, private Carrier {
 public:
  ZmqTransport(ZmqTransportOptions options, const base::Clock& clock)
      : options_(std::move(options)),
        clock_(clock),
        doorbell_(std::make_shared<Doorbell>([bell = bell_] { bell->ring(); })),
        resolver_([bell = bell_] { bell->ring(); }),
        engine_(*this, doorbell_, base::Random{options_.seed}, options_.engine) {}
  ~ZmqTransport() override { stop(0); }

  base::Result<void> start(Identity identity, FrameSink& sink) override;
  [[nodiscard]] std::string address() const override { return address_; }
  void connect(const std::string& address) override { doorbell_->post(ConnectCommand{address}); }
  void forget(const std::string& address) override { doorbell_->post(ForgetCommand{address}); }
  void disconnect(const base::NodeId& peer, const std::string& reason) override {
    doorbell_->post(DisconnectCommand{peer, reason});
  }
  [[nodiscard]] TransportCounters counters() const override { return engine_.counters(); }
  void stop(std::uint32_t linger_ms) override;

 private:
  struct Outbound {
    std::string address;
    std::unique_ptr<ZmqDealer> dealer;  // none while the name is being resolved
    std::string failure;                // to be reported: could not even be tried
    bool is_blocked = false;
    bool is_touched = false;  // ZMQ_EVENTS must be read again before sleeping
    bool is_closed = false;
  };

  void open(Channel channel, const std::string& address) override;
  void close(Channel channel) override;
  Write write(Channel channel, const Frame& frame) override;
  Write answer(const ConnectionId& connection, const Frame& frame) override;

  base::Result<void> bind();
  base::Result<std::string> advertised(const Address& bound) const;
  void run();
  void serve(base::TimePoint now);
  void serve_router(base::TimePoint now);
  void serve_outbound(Channel channel, Outbound& outbound, base::TimePoint now);
  void take_answers();
  void dial(Channel channel, Outbound& outbound, const std::string& host);
  void touch(Channel channel, Outbound& outbound);
  void watch(int fd, std::uint64_t number);
  void unwatch(int fd);
  void sleep(base::TimePoint now);
  [[nodiscard]] bool is_finished(base::TimePoint now);
  void shut_down();

  const ZmqTransportOptions options_;
  const base::Clock& clock_;
  const std::shared_ptr<Bell> bell_ = std::make_shared<Bell>();
  const std::shared_ptr<Doorbell> doorbell_;
  Resolver resolver_;
  Engine engine_;
  std::string address_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint32_t> linger_ms_ = 0;

  // Owned by the transport's thread once it runs.
  zmq::context_t context_{1};
  zmq::socket_t router_;
  bool is_router_touched_ = true;
  int epoll_ = -1;
  std::map<Channel, std::unique_ptr<Outbound>> outbounds_;
  std::vector<Channel> touched_;
  std::vector<std::unique_ptr<Outbound>> closed_;  // may still be in use further up the stack
  base::TimePoint linger_until_ = base::time_never;
};

base::Result<void> ZmqTransport::start(Identity identity, FrameSink& sink) {
  TROUPE_CHECK(!thread_.joinable(), "a transport starts once");
  try {
    if (auto bound = bind(); !bound) {
      return bound.error();
    }
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    TROUPE_CHECK(epoll_ >= 0, "no descriptor for epoll");
    watch(bell_->fd(), bell_number);
    watch(router_.get(zmq::sockopt::fd), router_number);
  } catch (const zmq::error_t& error) {
    return base::Error{base::Errc::internal, std::string{"ZeroMQ: "} + error.what()};
  }
  identity.address = address_;
  engine_.start(std::move(identity), sink);
  thread_ = std::thread{[this] { run(); }};
  return {};
}

base::Result<void> ZmqTransport::bind() {
  auto listen = parse_address(options_.listen);
  if (!listen) {
    return listen.error();
  }
  std::string host = listen->host;
  if (!listen->is_wildcard() && !is_numeric(host)) {
    const auto addresses = resolve(host);
    if (!addresses) {
      return base::Error{base::Errc::invalid_argument,
                         "cannot listen on " + options_.listen + ": " + addresses.error().context};
    }
    host = addresses->front();
  }
  context_.set(zmq::ctxopt::max_sockets, 65535);
  router_ = zmq::socket_t{context_, zmq::socket_type::router};
  router_.set(zmq::sockopt::linger, 0);
  router_.set(zmq::sockopt::router_mandatory, true);
  router_.set(zmq::sockopt::handshake_ivl, 3000);
  router_.set(zmq::sockopt::sndhwm, 64);
  router_.set(zmq::sockopt::rcvhwm, 64);
  router_.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(frame_bytes_max));
  router_.set(zmq::sockopt::tcp_keepalive, 1);
  router_.set(zmq::sockopt::tcp_keepalive_idle, 30);
  router_.set(zmq::sockopt::tcp_keepalive_intvl, 10);
  router_.set(zmq::sockopt::tcp_keepalive_cnt, 3);
  try {
    router_.bind("tcp://" + host + ":" +
                 (listen->port == 0 ? std::string{"*"} : std::to_string(listen->port)));
  } catch (const zmq::error_t& error) {
    if (error.num() == EADDRINUSE) {
      return base::Error{base::Errc::address_in_use,
                         options_.listen +
                             " is in use by another process; stop it, or listen on "
                             "another port"};
    }
    return base::Error{base::Errc::invalid_argument, "cannot listen on " + options_.listen + ": " +
                                                         error.what() +
                                                         "; give an address of this machine"};
  }
  const auto bound = parse_address(router_.get(zmq::sockopt::last_endpoint));
  if (!bound) {
    return bound.error();
  }
  if (listen->port == 0) {
    listen->port = bound->port;
  }
  auto address = advertised(*listen);
  if (!address) {
    return address.error();
  }
  address_ = *address;
  return {};
}

base::Result<std::string> ZmqTransport::advertised(const Address& bound) const {
  if (!options_.advertise.empty()) {
    auto address = parse_address(options_.advertise);
    if (!address) {
      return address.error();
    }
    if (address->is_wildcard()) {
      return base::Error{base::Errc::invalid_argument,
                         "the advertised address " + options_.advertise +
                             " is none that others can connect to; give one of this machine"};
    }
    address->port = address->port == 0 ? bound.port : address->port;
    return address->text();
  }
  if (!bound.is_wildcard()) {
    return bound.text();
  }
  const auto host = first_interface_address();
  if (!host) {
    return base::Error{base::Errc::invalid_argument,
                       "listening on all interfaces, but this machine has no address besides "
                       "loopback; say which address to advertise"};
  }
  return Address{*host, bound.port}.text();
}

void ZmqTransport::stop(std::uint32_t linger_ms) {
  if (!thread_.joinable()) {
    if (epoll_ >= 0) {
      ::close(std::exchange(epoll_, -1));
    }
    return;
  }
  TROUPE_CHECK(thread_.get_id() != std::this_thread::get_id(), "stop() from the sink");
  linger_ms_ = linger_ms;
  stopping_ = true;
  bell_->ring();
  thread_.join();
  ::close(std::exchange(epoll_, -1));
}

void ZmqTransport::run() {
  sigset_t all{};
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  ::pthread_setname_np(::pthread_self(), "transport");
  for (;;) {
    const base::TimePoint now = clock_.now();
    engine_.attend(now);
    engine_.tick(now);
    serve(now);
    closed_.clear();
    if (stopping_ && is_finished(now)) {
      break;
    }
    sleep(now);
  }
  shut_down();
}

bool ZmqTransport::is_finished(base::TimePoint now) {
  if (linger_until_ == base::time_never) {
    linger_until_ = now + std::chrono::milliseconds{linger_ms_.load()};
  }
  return engine_.is_drained() || now >= linger_until_;
}

void ZmqTransport::shut_down() {
  // 1. Say goodbye; closing leaves it a moment to be written.
  engine_.say_goodbye("stopped");
  router_.set(zmq::sockopt::linger, stop_linger_ms);
  // 2. Tell the sink what is left; it is not called any more.
  engine_.end("this node stopped");
  doorbell_->close();
  // 3. Close the sockets on the thread that used them.
  closed_.clear();
  outbounds_.clear();
  router_.close();
  context_.close();
}

void ZmqTransport::sleep(base::TimePoint now) {
  int timeout_ms = 0;
  if (!is_router_touched_ && touched_.empty() && !engine_.has_more() && doorbell_->arm()) {
    const base::TimePoint deadline = std::min(engine_.next_deadline(), linger_until_);
    constexpr base::Duration longest = std::chrono::seconds{60};
    const base::Duration wait = deadline - now > longest ? longest : deadline - now;
    timeout_ms = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count());
  }
  std::array<epoll_event, 64> events{};
  const int count =
      ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), std::max(timeout_ms, 0));
  for (int i = 0; i < count; ++i) {
    const std::uint64_t number = events[static_cast<std::size_t>(i)].data.u64;
    if (number == bell_number) {
      bell_->silence();
      take_answers();
    } else if (number == router_number) {
      is_router_touched_ = true;
    } else if (const auto found = outbounds_.find(number - first_channel_number);
               found != outbounds_.end()) {
      touch(found->first, *found->second);
    }
  }
}

void ZmqTransport::serve(base::TimePoint now) {
  for (const Channel channel : std::exchange(touched_, {})) {
    const auto found = outbounds_.find(channel);
    if (found != outbounds_.end()) {
      serve_outbound(channel, *found->second, now);
    }
  }
  if (is_router_touched_) {
    serve_router(now);
  }
}

void ZmqTransport::serve_router(base::TimePoint now) {
  zmq::message_t sender;
  zmq::message_t frame;
  for (int i = 0; i < socket_frames_a_turn; ++i) {
    if (!receive_part(router_, sender)) {
      is_router_touched_ = (router_.get(zmq::sockopt::events) & ZMQ_POLLIN) != 0;
      return;
    }
    bool is_single = false;
    const bool has_frame = sender.more() && receive_frame(router_, frame, is_single);
    const ConnectionId connection{static_cast<const char*>(sender.data()), sender.size()};
    const base::ByteView bytes{static_cast<const std::byte*>(frame.data()), frame.size()};
    engine_.connection_frame(connection, has_frame && is_single ? bytes : base::ByteView{}, now);
  }
}

void ZmqTransport::serve_outbound(Channel channel, Outbound& outbound, base::TimePoint now) {
  outbound.is_touched = false;
  if (!outbound.failure.empty()) {
    engine_.channel_broken(channel, std::exchange(outbound.failure, {}), now);
    return;
  }
  if (!outbound.dealer) {
    return;
  }
  // Frames before events: what was received before the connection broke counts.
  zmq::message_t frame;
  bool is_single = false;
  for (int i = 0; i < socket_frames_a_turn && receive_frame(outbound.dealer->socket(), frame, is_single);
       ++i) {
    const base::ByteView bytes{static_cast<const std::byte*>(frame.data()), frame.size()};
    engine_.channel_frame(channel, is_single ? bytes : base::ByteView{}, now);
    if (outbound.is_closed) {
      return;
    }
  }
  while (const auto event = outbound.dealer->next_event()) {
    if (event->change == ZmqDealer::Change::opened) {
      engine_.channel_opened(channel, now);
    } else {
      engine_.channel_broken(channel, event->reason, now);
    }
    if (outbound.is_closed) {
      return;
    }
  }
  const auto ready = outbound.dealer->socket().get(zmq::sockopt::events);
  if (outbound.is_blocked && (ready & ZMQ_POLLOUT) != 0) {
    outbound.is_blocked = false;
    touch(channel, outbound);
    engine_.channel_writable(channel, now);
  } else if ((ready & ZMQ_POLLIN) != 0) {
    touch(channel, outbound);
  }
}

void ZmqTransport::take_answers() {
  for (const Resolver::Answer& answer : resolver_.take_answers()) {
    const auto found = outbounds_.find(answer.request);
    if (found == outbounds_.end()) {
      continue;
    }
    Outbound& outbound = *found->second;
    if (answer.addresses.ok()) {
      // A name with several addresses: one attempt each in turn.
      const auto& addresses = answer.addresses.value();
      dial(found->first, outbound, addresses[found->first % addresses.size()]);
    } else {
      outbound.failure = answer.addresses.error().context;
      touch(found->first, outbound);
    }
  }
}

void ZmqTransport::open(Channel channel, const std::string& address) {
  Outbound& outbound = *(outbounds_[channel] = std::make_unique<Outbound>());
  outbound.address = address;
  const auto parsed = parse_address(address);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (!parsed || parsed->is_wildcard() || parsed->port == 0) {
    outbound.failure = parsed ? "nobody can connect to " + address : parsed.error().context;
  } else if (outbounds_.size() * descriptors_per_dealer + descriptors_reserved > limit.rlim_cur) {
    outbound.failure = "too many open files; raise the limit (ulimit -n)";
  } else if (is_numeric(parsed->host)) {
    dial(channel, outbound, parsed->host);
  } else {
    resolver_.ask(channel, parsed->host);
  }
  if (!outbound.failure.empty()) {
    touch(channel, outbound);
  }
}

void ZmqTransport::dial(Channel channel, Outbound& outbound, const std::string& host) {
  try {
    const Address address{host, parse_address(outbound.address).value().port};
    outbound.dealer = std::make_unique<ZmqDealer>(context_, address.text(), channel);
    watch(outbound.dealer->socket().get(zmq::sockopt::fd), channel + first_channel_number);
    watch(outbound.dealer->monitor().get(zmq::sockopt::fd), channel + first_channel_number);
  } catch (const zmq::error_t& error) {
    outbound.dealer.reset();
    outbound.failure = error.what();
  }
  touch(channel, outbound);
}

void ZmqTransport::close(Channel channel) {
  const auto found = outbounds_.find(channel);
  if (found == outbounds_.end()) {
    return;
  }
  Outbound& outbound = *found->second;
  outbound.is_closed = true;
  if (outbound.dealer) {
    unwatch(outbound.dealer->socket().get(zmq::sockopt::fd));
    unwatch(outbound.dealer->monitor().get(zmq::sockopt::fd));
    if (stopping_) {
      outbound.dealer->set_linger(stop_linger_ms);
    }
  }
  closed_.push_back(std::move(found->second));
  outbounds_.erase(found);
}

Carrier::Write ZmqTransport::write(Channel channel, const Frame& frame) {
  const auto found = outbounds_.find(channel);
  if (found == outbounds_.end() || !found->second->dealer) {
    return Write::full;
  }
  Outbound& outbound = *found->second;
  touch(channel, outbound);
  try {
    if (send_frame(outbound.dealer->socket(), frame)) {
      return Write::written;
    }
  } catch (const zmq::error_t& error) {
    outbound.failure = error.what();
  }
  outbound.is_blocked = true;
  return Write::full;
}

Carrier::Write ZmqTransport::answer(const ConnectionId& connection, const Frame& frame) {
  is_router_touched_ = true;
  try {
    zmq::message_t receiver{connection.data(), connection.size()};
    if (!router_.send(receiver, zmq::send_flags::dontwait | zmq::send_flags::sndmore)) {
      return Write::full;
    }
    return send_frame(router_, frame) ? Write::written : Write::gone;
  } catch (const zmq::error_t& error) {
    if (error.num() != EHOSTUNREACH) {
      base::log(base::LogLevel::warn, "transport", "answering failed: {}", error.what());
    }
    return Write::gone;
  }
}

void ZmqTransport::touch(Channel channel, Outbound& outbound) {
  if (!std::exchange(outbound.is_touched, true)) {
    touched_.push_back(channel);
  }
}

void ZmqTransport::watch(int fd, std::uint64_t number) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = number;
  TROUPE_CHECK(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0, "epoll takes no descriptor");
}

void ZmqTransport::unwatch(int fd) {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

}  // namespace

std::unique_ptr<Transport> make_zmq_transport(ZmqTransportOptions options,
                                              const base::Clock& clock) {
  return std::make_unique<ZmqTransport>(std::move(options), clock);
}

}  // namespace troupe::transport
