#include "cluster-tests/harness/journal.hpp"

namespace troupe::harness {

void Journal::object_made(const std::string& name, const base::NodeId& node) {
  auto& objects = objects_[name];
  if (one_object_a_name && !objects.empty()) {
    problem("'" + name + "' runs at " + *objects.begin() + " and at " + node.text());
  }
  objects.insert(node.text());
}

void Journal::object_gone(const std::string& name, const base::NodeId& node) {
  auto& objects = objects_[name];
  if (const auto found = objects.find(node.text()); found != objects.end()) {
    objects.erase(found);
  }
}

void Journal::handled(const std::string& name, std::uint64_t client, std::uint64_t number,
                      std::uint64_t previous) {
  ++handled_;
  if (number == previous || (rising_numbers && number < previous)) {
    problem("'" + name + "' got number " + std::to_string(number) + " of client " +
            std::to_string(client) + " after " + std::to_string(previous));
  }
  if (keep_numbers) {
    ++numbers_[{client, number}];
  }
}

void Journal::problem(const std::string& text) {
  if (problems_.size() < problems_max) {
    problems_.push_back(text);
  }
}

std::size_t Journal::objects(const std::string& name) const {
  const auto found = objects_.find(name);
  return found == objects_.end() ? 0 : found->second.size();
}

std::uint32_t Journal::times(std::uint64_t client, std::uint64_t number) const {
  const auto found = numbers_.find({client, number});
  return found == numbers_.end() ? 0 : found->second;
}

}  // namespace troupe::harness
