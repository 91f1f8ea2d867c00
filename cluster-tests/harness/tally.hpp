#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "actors/actor.hpp"
#include "base/message.hpp"
#include "cluster-tests/harness/journal.hpp"
#include "node/node.hpp"

namespace troupe::harness {

struct PutReply {
  std::string name;
  std::string node;
  std::uint64_t number = 0;
  TROUPE_MESSAGE(PutReply, name, node, number)
};
/// A client's next number. The journal notes one that is not higher than those before.
struct Put {
  using Reply = PutReply;
  std::uint64_t client = 0;
  std::uint64_t number = 0;
  TROUPE_MESSAGE(Put, client, number)
};
struct TallyArgs {
  std::string name;
  TROUPE_MESSAGE(TallyArgs, name)
};

/// Kind `tally`: a named actor that says who it is, and writes all it sees into the journal.
class Tally : public actors::Actor {
 public:
  using Protocol = actors::Protocol<Put>;
  Tally(Journal& journal, std::string name, base::NodeId node);
  ~Tally() override;
  PutReply on(const Put& message);

 private:
  Journal& journal_;
  const std::string name_;
  const base::NodeId node_;
  std::map<std::uint64_t, std::uint64_t> last_;  // by client
};

/// Registers the kind `tally` at a node.
void register_tally(node::Node& node, Journal& journal);
/// How a tally is started under a name.
[[nodiscard]] node::NameOptions tally_options(const std::string& name,
                                              const std::string& placement = "any");

}  // namespace troupe::harness
