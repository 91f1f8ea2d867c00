#include "node/kinds.hpp"

namespace troupe::node {

namespace detail {

control::KindRow describe(std::string kind, const actors::ProtocolInfo& protocol) {
  control::KindRow row;
  row.kind = std::move(kind);
  for (const auto& message : protocol.messages) {
    row.messages.push_back({message.name, message.reply});
  }
  row.structs = protocol.structs;
  return row;
}

std::vector<std::uint64_t> wire_types(const actors::ProtocolInfo& protocol) {
  std::vector<std::uint64_t> types;
  for (const auto& message : protocol.messages) {
    types.push_back(std::uint64_t{message.id} << 32U | message.shape);
  }
  return types;
}

}  // namespace detail

base::Result<void> Kinds::add(Kind kind) {
  base::MutexLock lock{mutex_};
  const std::string name = kind.name;
  if (!kinds_.emplace(name, std::make_shared<const Kind>(std::move(kind))).second) {
    return base::Error{base::Errc::already_exists, "kind '" + name + "' is already registered"};
  }
  return {};
}

std::shared_ptr<const Kind> Kinds::find(const std::string& kind) const {
  base::MutexLock lock{mutex_};
  const auto found = kinds_.find(kind);
  return found == kinds_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const Kind>> Kinds::all() const {
  base::MutexLock lock{mutex_};
  std::vector<std::shared_ptr<const Kind>> kinds;
  for (const auto& [name, kind] : kinds_) {
    kinds.push_back(kind);
  }
  return kinds;
}

}  // namespace troupe::node
