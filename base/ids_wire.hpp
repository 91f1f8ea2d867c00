#pragma once

#include "base/ids.hpp"
#include "base/message.hpp"

/// Ids as fields of messages: NodeId is the array [name, incarnation], ActorId an integer.
namespace troupe::base {

template <>
struct WireCodec<NodeId> {
  static std::string_view schema() { return "node"; }
  static void encode(WireWriter& out, const NodeId& id) {
    out.array(2);
    out.text(id.name);
    out.unsigned_integer(id.incarnation);
  }
  static bool decode(WireReader& in, NodeId& id) {
    std::uint32_t count = 0;
    if (!in.enter_array(count)) {
      return false;
    }
    if (count != 2) {
      return in.fail("name and incarnation of a node");
    }
    if (!wire_decode(in, id.name) || !wire_decode(in, id.incarnation)) {
      return false;
    }
    in.leave();
    return true;
  }
};

template <>
struct WireCodec<ActorId> {
  static std::string_view schema() { return "actor"; }
  static void encode(WireWriter& out, ActorId id) { out.unsigned_integer(id.value); }
  static bool decode(WireReader& in, ActorId& id) { return wire_decode(in, id.value); }
};

}  // namespace troupe::base
