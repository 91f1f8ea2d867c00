#include "transport/hello_rules.hpp"

#include "transport/address.hpp"

namespace troupe::transport {

namespace {

constexpr std::size_t labels_max = 256;

std::string quoted(const std::string& text) {
  return "'" + text.substr(0, 100) + "'";
}

std::optional<base::Error> check_address(const Hello& hello) {
  const auto address = parse_address(hello.address);
  if (!address) {
    return base::Error{base::Errc::malformed, address.error().context};
  }
  if (address->is_wildcard()) {
    return base::Error{base::Errc::refused, "you advertise " + address->host +
                                                ", where nobody can reach you; advertise an "
                                                "address of your machine, such as tcp://" +
                                                "192.168.1.5:" + std::to_string(address->port)};
  }
  if (address->port == 0) {
    return base::Error{base::Errc::refused, "you advertise port 0; advertise the real port"};
  }
  return std::nullopt;
}

}  // namespace

Hello make_hello(const Identity& own) {
  return {.cluster = own.cluster,
          .node = own.id.name,
          .incarnation = own.id.incarnation,
          .address = own.address,
          .role = "node",
          .types = own.types,
          .labels = own.labels};
}

PeerInfo to_peer_info(const Hello& hello) {
  return {.id = {hello.node, hello.incarnation},
          .address = hello.address,
          .is_client = hello.role == "client",
          .types = hello.types,
          .labels = hello.labels};
}

std::optional<base::Error> check_hello(const Hello& hello, const Identity& own) {
  if (hello.version_min > protocol_version || hello.version_max < protocol_version) {
    return base::Error{base::Errc::version_mismatch,
                       "this node speaks protocol version " + std::to_string(protocol_version) +
                           ", you speak " + std::to_string(hello.version_min) + " to " +
                           std::to_string(hello.version_max)};
  }
  const bool is_client = hello.role == "client";
  if (!is_client && hello.role != "node") {
    return base::Error{base::Errc::malformed,
                       "role " + quoted(hello.role) + " is neither 'node' nor 'client'"};
  }
  if (hello.cluster != own.cluster && !(is_client && hello.cluster.empty())) {
    return base::Error{base::Errc::cluster_mismatch, "cluster name is " + quoted(own.cluster) +
                                                         ", you said " + quoted(hello.cluster)};
  }
  if (!is_valid_name(hello.node)) {
    return base::Error{
        base::Errc::malformed,
        "name " + quoted(hello.node) + " is not 1 to 64 letters, digits, '.', '_' or '-'"};
  }
  if (hello.session == 0) {
    return base::Error{base::Errc::malformed, "session is 0"};
  }
  if (is_client ? hello.lane != lane_both : hello.lane >= lane_count) {
    return base::Error{base::Errc::malformed, "lane " + std::to_string(hello.lane) + " for a " +
                                                  hello.role + "'s connection"};
  }
  if (hello.labels.size() > labels_max) {
    return base::Error{base::Errc::limit_exceeded,
                       "more than " + std::to_string(labels_max) + " labels"};
  }
  if (is_client) {
    return std::nullopt;
  }
  if (hello.node == own.id.name && hello.incarnation != own.id.incarnation) {
    return base::Error{base::Errc::refused, "the name " + quoted(hello.node) +
                                                " is in use by the node at " + own.address +
                                                "; give one of the two another name"};
  }
  return check_address(hello);
}

std::optional<base::Error> Incarnations::check(const base::NodeId& id) const {
  const auto found = seen_.find(id.name);
  if (found == seen_.end() || id.incarnation > found->second.incarnation) {
    return std::nullopt;
  }
  const Seen& seen = found->second;
  if (id.incarnation < seen.incarnation) {
    return base::Error{base::Errc::refused, id.text() + " was replaced by incarnation " +
                                                std::to_string(seen.incarnation)};
  }
  if (seen.down) {
    return base::Error{base::Errc::refused,
                       id.text() + " was declared down; it can only come back by a restart"};
  }
  return std::nullopt;
}

void Incarnations::note_up(const base::NodeId& id) {
  Seen& seen = seen_[id.name];
  if (id.incarnation > seen.incarnation) {
    seen = {id.incarnation, false};
  }
}

void Incarnations::note_down(const base::NodeId& id) {
  Seen& seen = seen_[id.name];
  if (id.incarnation >= seen.incarnation) {
    seen = {id.incarnation, true};
  }
}

}  // namespace troupe::transport
