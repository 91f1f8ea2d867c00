#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/ids.hpp"

namespace troupe::harness {

/// What the test actors of all nodes have seen, and what about it is wrong. Not thread-safe.
class Journal {
 public:
  /// Keep every number that was handled, to find the lost and the doubled ones.
  bool keep_numbers = false;
  /// Two objects of one name at a time are a problem. Not so while nodes are frozen or cut off.
  bool one_object_a_name = true;
  /// A number that is not higher than those before is a problem. Not so while names move in order:
  /// what was on its way to the old holder may be overtaken by what is sent to the new one.
  bool rising_numbers = true;

  void object_made(const std::string& name, const base::NodeId& node);
  void object_gone(const std::string& name, const base::NodeId& node);
  /// One handled message; `previous` is the last number of this client that the object has seen.
  void handled(const std::string& name, std::uint64_t client, std::uint64_t number,
               std::uint64_t previous);

  void problem(const std::string& text);
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
  [[nodiscard]] std::size_t objects(const std::string& name) const;
  [[nodiscard]] std::uint64_t handled_count() const { return handled_; }
  /// How often a client's number was handled; needs keep_numbers.
  [[nodiscard]] std::uint32_t times(std::uint64_t client, std::uint64_t number) const;

 private:
  static constexpr std::size_t problems_max = 20;
  std::map<std::string, std::multiset<std::string>> objects_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint32_t> numbers_;
  std::uint64_t handled_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace troupe::harness
