#pragma once

#include <utility>

#include "base/ids.hpp"
#include "registry/effects.hpp"
#include "registry/messages.hpp"

namespace troupe::registry {

/// Where the parts of a Cluster put what a step leads to. Not thread-safe; lives for one step.
class Outbox {
 public:
  Outbox(const base::NodeId& self, Effects& effects) : self_(self), effects_(effects) {}

  /// What is sent to this node itself comes back through take_local().
  template <class M>
  void send(const base::NodeId& to, const M& message) {
    put(to, encode_message(message));
  }

  /// For a body that goes to several.
  void put(const base::NodeId& to, base::Bytes body) {
    auto& list = to == self_ ? local_ : effects_.sends;
    list.push_back({to, std::move(body)});
  }

  void connect(const std::string& address) { effects_.connects.push_back(address); }
  void event(Event event) { effects_.events.push_back(std::move(event)); }

  [[nodiscard]] std::vector<Send> take_local() { return std::exchange(local_, {}); }

 private:
  const base::NodeId& self_;
  Effects& effects_;
  std::vector<Send> local_;
};

}  // namespace troupe::registry
