#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/actor_system.hpp"
#include "actors/message_sink.hpp"
#include "base/mutex.hpp"
#include "base/record.hpp"
#include "node/name_sink.hpp"
#include "node/remote_sink.hpp"
#include "transport/transport.hpp"

namespace troupe::node {

/// What the router tells the cluster's side; called on the transport's thread.
class RouterListener {
 public:
  virtual ~RouterListener() = default;
  virtual void on_link_up(const base::NodeId& peer, const std::string& address) = 0;
  virtual void on_link_lost(const base::NodeId& peer, const std::string& reason) = 0;
  virtual void on_link_down(const base::NodeId& peer) = 0;
  virtual void on_cluster_message(const base::NodeId& from, base::Bytes body) = 0;
  virtual void on_unreachable(const std::string& address, const base::Error& error) = 0;
};

/// Joins transport and actors: gives what arrives to the sink that it is addressed to, and finds
/// sinks for references that arrive in messages.
///
/// The FrameSink part is called by the transport's thread; everything else is thread-safe.
class Router final : public transport::FrameSink, public actors::RefResolver {
 public:
  Router(actors::ActorSystem& system, NameDirectory& names, RouterListener& listener);
  ~Router() override;

  // FrameSink
  void on_peer_up(const std::shared_ptr<transport::Link>& link) override;
  void on_connection(const transport::Link& link, bool connected,
                     const std::string& reason) override;
  void on_peer_down(const transport::Link& link, const std::string& reason) override;
  void on_record(const std::shared_ptr<transport::Link>& from, transport::Lane lane,
                 base::ByteView record) override;
  void on_room(const transport::Link& link) override;
  void on_undelivered(const transport::Link& link, transport::Lane lane,
                      base::ByteView record) override;
  void on_unreachable(const std::string& address, const base::Error& error) override;

  // RefResolver
  [[nodiscard]] actors::MessageSink* sink_for(const actors::ActorAddress& address) override;

  /// The sink of a node; null when too many strange nodes were named.
  [[nodiscard]] RemoteSink* remote(const base::NodeId& node);
  /// Messages that still come for this number are sent after the name.
  void remember_moved(base::ActorId actor, const std::string& name);
  /// Asks that went to other nodes and are not answered yet.
  [[nodiscard]] std::size_t open_requests() const;

  struct Counters {
    std::atomic<std::uint64_t> malformed_records{0};
    std::atomic<std::uint64_t> clients{0};
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  class LostSink;
  struct Source {
    std::shared_ptr<transport::Link> link;
    RemoteSink* sink = nullptr;  ///< null for a client
  };
  static constexpr std::size_t nodes_max = 4096;
  static constexpr std::size_t moved_max = 100'000;

  void on_message(const Source& from, const base::Record& record);
  void on_answer(const Source& from, const base::Record& record);
  void on_watch(const Source& from, const base::Record& record);
  void on_terminated(const Source& from, const base::Record& record);
  [[nodiscard]] actors::ReplyAddress reply_address(const Source& from, const base::Record& record,
                                                   base::TimePoint deadline);
  base::Outcome deliver(actors::Envelope& envelope, const base::Record& record);
  void fail_request(std::uint64_t request, const std::string& why);
  std::string moved_name(base::ActorId actor) const;

  actors::ActorSystem& system_;
  NameDirectory& names_;
  RouterListener& listener_;
  Counters counters_;
  std::unique_ptr<LostSink> lost_;
  Source last_;  // of the transport's thread
  mutable base::Mutex mutex_;
  std::map<base::NodeId, std::unique_ptr<RemoteSink>> remotes_ TROUPE_GUARDED_BY(mutex_);
  std::unordered_map<std::uint64_t, std::string> moved_ TROUPE_GUARDED_BY(mutex_);
  std::deque<std::uint64_t> moved_order_ TROUPE_GUARDED_BY(mutex_);
};

}  // namespace troupe::node
