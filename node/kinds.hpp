#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/actor_system.hpp"
#include "actors/protocol.hpp"
#include "base/bytes.hpp"
#include "base/errors.hpp"
#include "base/message.hpp"
#include "base/mutex.hpp"
#include "node/control_protocol.hpp"

namespace troupe::node {

/// An actor class that may be started by name of its kind, also from another node or the command
/// line.
struct Kind {
  std::string name;
  const actors::ActorType* type = nullptr;
  /// Makes a factory from the kind's arguments, a MessagePack struct; malformed if they do not fit.
  std::function<base::Result<actors::ActorFactory>(base::ByteView args)> prepare;
  /// What `troupe types` shows and payloads are checked against.
  control::KindRow description;
  /// Message types for the hello: type << 32 | shape.
  std::vector<std::uint64_t> types;
  std::uint32_t mailbox_messages_max = 10'000;
};

namespace detail {

[[nodiscard]] control::KindRow describe(std::string kind, const actors::ProtocolInfo& protocol);
[[nodiscard]] std::vector<std::uint64_t> wire_types(const actors::ProtocolInfo& protocol);

}  // namespace detail

/// The kinds that one node can start. Thread-safe. Kinds are added before or while the node runs
/// and never removed.
class Kinds {
 public:
  /// An actor class without arguments. already_exists if the kind is taken.
  template <class A>
  base::Result<void> add(std::string kind) {
    Kind entry = describe<A>(kind);
    entry.prepare = [](base::ByteView) -> base::Result<actors::ActorFactory> {
      return actors::ActorFactory{[] { return std::make_unique<A>(); }};
    };
    return add(std::move(entry));
  }

  /// An actor class that is made from one struct of arguments.
  template <class A, base::Message Args>
  base::Result<void> add(std::string kind) {
    Kind entry = describe<A>(kind);
    entry.description.args = base::schema_of<Args>(entry.description.structs);
    entry.prepare = [](base::ByteView bytes) -> base::Result<actors::ActorFactory> {
      auto args = bytes.empty() ? base::Result<Args>{Args{}} : base::from_wire<Args>(bytes);
      if (!args.ok()) {
        return args.error();
      }
      return actors::ActorFactory{
          [value = std::move(args).value()] { return std::make_unique<A>(value); }};
    };
    return add(std::move(entry));
  }

  base::Result<void> add(Kind kind);
  [[nodiscard]] std::shared_ptr<const Kind> find(const std::string& kind) const;
  /// Sorted by name.
  [[nodiscard]] std::vector<std::shared_ptr<const Kind>> all() const;

 private:
  template <class A>
  static Kind describe(const std::string& kind) {
    const actors::ProtocolInfo protocol = actors::protocol_info<A>();
    Kind entry;
    entry.name = kind;
    entry.type = &actors::actor_type<A>();
    entry.description = detail::describe(kind, protocol);
    entry.types = detail::wire_types(protocol);
    return entry;
  }

  mutable base::Mutex mutex_;
  std::map<std::string, std::shared_ptr<const Kind>> kinds_ TROUPE_GUARDED_BY(mutex_);
};

}  // namespace troupe::node
