#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/errors.hpp"
#include "base/ids.hpp"
#include "transport/frame.hpp"
#include "transport/transport.hpp"

namespace troupe::transport {

/// Our hello, without lane and session.
[[nodiscard]] Hello make_hello(const Identity& own);
[[nodiscard]] PeerInfo to_peer_info(const Hello& hello);

/// Why we do not talk to whoever said this hello; nothing if we do. Pure. The same rules hold for
/// a welcome. Who opened a connection as a client may leave the cluster's name empty.
[[nodiscard]] std::optional<base::Error> check_hello(const Hello& hello, const Identity& own);

/// Which incarnations of which names may speak: they only grow, and one that was declared down
/// never comes back. Not thread-safe.
class Incarnations {
 public:
  /// Nothing if this incarnation is the living one of its name, or higher than all seen.
  [[nodiscard]] std::optional<base::Error> check(const base::NodeId& id) const;
  /// It said an accepted hello.
  void note_up(const base::NodeId& id);
  /// It was declared down: it and all lower ones are refused from now on.
  void note_down(const base::NodeId& id);
  [[nodiscard]] std::size_t size() const { return seen_.size(); }

 private:
  struct Seen {
    std::uint64_t incarnation = 0;
    bool down = false;
  };
  std::map<std::string, Seen> seen_;
};

}  // namespace troupe::transport
