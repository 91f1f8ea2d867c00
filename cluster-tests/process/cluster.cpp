#include "cluster-tests/process/cluster.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/check.hpp"
#include "cli/json.hpp"

namespace troupe::cluster_tests {

namespace {

constexpr std::uint16_t first_port = 17'400;
constexpr base::Duration form_max = std::chrono::seconds{30};
constexpr std::size_t log_bytes_shown = 6'000;

/// 127.x.y.z by this process's number: connections go out from 127.0.0.1, so no port is ever taken.
std::string own_host() {
  const auto id = static_cast<unsigned>(::getpid());
  return "127." + std::to_string(1 + (id >> 14U) % 250) + "." + std::to_string((id >> 7U) & 127U) +
         "." + std::to_string(1 + (id & 127U));
}

std::string tail(const std::string& text) {
  return text.size() <= log_bytes_shown ? text : "…" + text.substr(text.size() - log_bytes_shown);
}

}  // namespace

cli::Value Ran::json() const {
  const auto parsed = cli::parse_json(out);
  return parsed.ok() ? *parsed : cli::Value{};
}

std::string Ran::text() const {
  return "exit code " + std::to_string(exit_code) + "\nout: " + out + "\nerr: " + err;
}

Cluster::Cluster() : host_(own_host()) {
  std::string pattern = std::filesystem::temp_directory_path() / "troupe-process-XXXXXX";
  TROUPE_CHECK(::mkdtemp(pattern.data()) != nullptr, "a temporary folder can be made");
  folder_ = pattern;
}

Cluster::~Cluster() {
  if (::testing::Test::HasFailure()) {
    for (const auto& [name, process] : nodes_) {
      std::cout << "---- log of " << name << "\n" << tail(process->text(Stream::errors)) << "\n";
    }
  }
  nodes_.clear();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::uint16_t Cluster::port(const std::string& name) const {
  const auto digits = name.find_first_of("0123456789");
  TROUPE_CHECK(digits != std::string::npos, "a node's name ends in its number");
  return static_cast<std::uint16_t>(first_port + std::stoi(name.substr(digits)));
}

std::string Cluster::address(const std::string& name) const {
  return "tcp://" + host_ + ":" + std::to_string(port(name));
}

Process& Cluster::start(const std::string& name, const Words& flags) {
  Words words{TROUPE_TEST_TROUPED,           "--name", name, "--listen", address(name), "--data",
              folder_ + "/" + name + ".data"};
  if (std::find(flags.begin(), flags.end(), "--seeds") == flags.end()) {
    words.insert(words.end(), {"--seeds", address("n1") + "," + address("n2")});
  }
  words.insert(words.end(), flags.begin(), flags.end());
  auto& slot = nodes_[name];
  slot.reset();
  slot = std::make_unique<Process>(
      Process::Start{.words = words, .files = folder_ + "/" + name, .directory = folder_});
  return *slot;
}

void Cluster::start_nodes(std::size_t count, const Words& flags) {
  for (std::size_t i = 1; i <= count; ++i) {
    start("n" + std::to_string(i), flags);
  }
  wait_for_nodes(count);
  // The demo's pool is started by the nodes themselves, once they are ready.
  const Ran pool = troupe({"wait", "--for", "name=squares"});
  ASSERT_EQ(pool.exit_code, 0) << pool.text();
}

void Cluster::wait_for_nodes(std::size_t count) {
  std::list<std::unique_ptr<Process>> waiting;
  for (const auto& name : running()) {
    waiting.push_back(begin({"-s", address(name), "wait", "--for", "ready", "--for",
                             "nodes=" + std::to_string(count), "--timeout", "30s"}));
  }
  for (const auto& wait : waiting) {
    const Ran ran = finish(*wait, form_max + std::chrono::seconds{10});
    ASSERT_EQ(ran.exit_code, 0) << ran.text();
  }
}

std::size_t Cluster::log_mark(const std::string& name) {
  return node(name).text(Stream::errors).size();
}

bool Cluster::wait_for_down(const std::string& observer, const std::string& name, std::size_t since,
                            base::Duration timeout) {
  const base::TimePoint deadline = now() + timeout;
  Process& process = node(observer);
  while (process.wait_for_text(Stream::errors, " is down: ", deadline - now(), since)) {
    const std::string log = process.text(Stream::errors);
    const std::size_t end = log.find(" is down: ", since);
    // "n2#1700000000000 is down: …", where the number is the life's.
    const std::size_t begin = log.find_last_of(" \"", end - 1) + 1;
    if (log.compare(begin, name.size() + 1, name + "#") == 0) {
      return true;
    }
    since = end + 1;
  }
  return false;
}

Process& Cluster::node(const std::string& name) {
  const auto found = nodes_.find(name);
  TROUPE_CHECK(found != nodes_.end(), "asked for a node that was never started");
  return *found->second;
}

std::vector<std::string> Cluster::running() {
  std::vector<std::string> names;
  for (const auto& [name, process] : nodes_) {
    if (process->is_running()) {
      names.push_back(name);
    }
  }
  return names;
}

std::string Cluster::servers() {
  std::string list;
  for (const auto& name : running()) {
    list += (list.empty() ? "" : ",") + address(name);
  }
  return list.empty() ? address("n1") : list;
}

Words Cluster::command_words(const Words& words) {
  Words all{TROUPE_TEST_TROUPE};
  if (std::find(words.begin(), words.end(), "-s") == words.end()) {
    all.insert(all.end(), {"-s", servers()});
  }
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

std::unique_ptr<Process> Cluster::begin(const Words& words) {
  return std::make_unique<Process>(
      Process::Start{.words = command_words(words),
                     .files = folder_ + "/command-" + std::to_string(++commands_),
                     .directory = folder_});
}

Ran Cluster::finish(Process& command, base::Duration timeout) {
  Ran ran;
  const base::TimePoint start = now();
  const auto exit_code = command.wait(timeout);
  ran.took = now() - start;
  ran.out = command.text(Stream::output);
  ran.err = command.text(Stream::errors);
  ran.exit_code = exit_code.value_or(-1);
  EXPECT_TRUE(exit_code.has_value()) << "a program hangs\n" << ran.text();
  return ran;
}

Ran Cluster::troupe(const Words& words) {
  const auto command = begin(words);
  return finish(*command);
}

Ran Cluster::troupe_at(const std::string& node, Words words) {
  words.insert(words.begin(), {"-s", address(node)});
  return troupe(words);
}

Ran Cluster::trouped(const Words& words, const Words& environment) {
  Words all{TROUPE_TEST_TROUPED};
  all.insert(all.end(), words.begin(), words.end());
  Process process{{.words = all,
                   .files = folder_ + "/command-" + std::to_string(++commands_),
                   .directory = folder_,
                   .environment = environment}};
  return finish(process);
}

std::string Cluster::node_of(const std::string& actor) {
  const Ran ran = troupe({"where", actor, "-o", "json"});
  EXPECT_EQ(ran.exit_code, 0) << ran.text();
  return text_of(at(ran.json(), "node"));
}

std::string Cluster::write_file(const std::string& name, const std::string& content) const {
  const std::string path = folder_ + "/" + name;
  std::ofstream{path, std::ios::binary} << content;
  return path;
}

cli::Value at(const cli::Value& value, std::string_view name) {
  const cli::Value* found = value.find(name);
  return found == nullptr ? cli::Value{} : *found;
}

cli::Value at(const cli::Value& value, std::size_t index) {
  const auto* list = value.list();
  return list == nullptr || index >= list->size() ? cli::Value{} : (*list)[index];
}

std::size_t size_of(const cli::Value& value) {
  return value.list() == nullptr ? 0 : value.list()->size();
}

std::string text_of(const cli::Value& value) {
  return value.text() == nullptr ? std::string{} : *value.text();
}

std::int64_t number_of(const cli::Value& value) {
  const auto* number = std::get_if<std::int64_t>(&value.data);
  return number == nullptr ? -1 : *number;
}

cli::Value find_in(const cli::Value& list, std::string_view name, std::string_view text) {
  for (std::size_t i = 0; i < size_of(list); ++i) {
    if (text_of(at(at(list, i), name)) == text) {
      return at(list, i);
    }
  }
  return {};
}

}  // namespace troupe::cluster_tests
