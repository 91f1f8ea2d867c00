#include "node/incarnation.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace troupe::node {

base::Result<std::uint64_t> next_incarnation(const std::string& directory, std::uint64_t now_ms) {
  namespace fs = std::filesystem;
  if (directory.empty()) {
    return now_ms;
  }
  const auto refused = [&](const std::string& why) {
    return base::Error{base::Errc::invalid_argument,
                       "the data directory '" + directory + "' cannot be used: " + why +
                           "; name a directory that this user may write, or leave --data out"};
  };
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) {
    return refused(error.message());
  }
  const fs::path file = fs::path{directory} / "incarnation";
  std::uint64_t last = 0;
  std::ifstream{file} >> last;
  const std::uint64_t next = std::max(now_ms, last + 1);
  const fs::path fresh = fs::path{directory} / "incarnation.new";
  {
    std::ofstream out{fresh};
    out << next << '\n';
    if (!out.flush()) {
      return refused("'" + fresh.string() + "' cannot be written");
    }
  }
  fs::rename(fresh, file, error);  // a crash leaves the old number or the new one
  if (error) {
    return refused(error.message());
  }
  return next;
}

}  // namespace troupe::node
