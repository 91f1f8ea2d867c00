#include "cluster-tests/harness/tally.hpp"

#include <utility>

namespace troupe::harness {

Tally::Tally(Journal& journal, std::string name, base::NodeId node)
    : journal_(journal), name_(std::move(name)), node_(std::move(node)) {
  journal_.object_made(name_, node_);
}

Tally::~Tally() {
  journal_.object_gone(name_, node_);
}

PutReply Tally::on(const Put& message) {
  std::uint64_t& last = last_[message.client];
  journal_.handled(name_, message.client, message.number, last);
  last = message.number;
  return {name_, node_.name, message.number};
}

void register_tally(node::Node& node, Journal& journal) {
  node::Kind kind;
  kind.name = "tally";
  kind.type = &actors::actor_type<Tally>();
  const actors::ProtocolInfo protocol = actors::protocol_info<Tally>();
  kind.description = node::detail::describe(kind.name, protocol);
  kind.types = node::detail::wire_types(protocol);
  kind.prepare = [&journal,
                  id = node.id()](base::ByteView bytes) -> base::Result<actors::ActorFactory> {
    auto args = base::from_wire<TallyArgs>(bytes);
    if (!args.ok()) {
      return args.error();
    }
    return actors::ActorFactory{
        [&journal, id, name = args->name] { return std::make_unique<Tally>(journal, name, id); }};
  };
  node.kinds().add(std::move(kind)).value();
}

node::NameOptions tally_options(const std::string& name, const std::string& placement) {
  return {.name = name, .placement = placement, .args = base::to_wire(TallyArgs{name})};
}

}  // namespace troupe::harness
