#include "cli/arguments.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <utility>

#include "base/suggest.hpp"
#include "cli/duration.hpp"
#include "cli/servers.hpp"

namespace troupe::cli {

namespace {

constexpr const char* footer =
    "\nA payload is JSON, @FILE, or - for standard input. Variables: TROUPE_SERVER, TROUPE_CLUSTER,"
    "\nTROUPE_TIMEOUT, TROUPE_OUTPUT, NO_COLOR."
    "\nExit codes: 0 done, 1 negative answer, 2 partly done, 64 usage, 65 payload, 66 input file,"
    "\n68 unknown actor, node or type, 69 unreachable, 70 internal, 75 try again, 76 version,"
    "\n77 not allowed, 78 configuration.";

/// The texts of the global options, before they are understood.
struct Given {
  std::string server;
  std::string cluster;
  std::string timeout;
  std::string format;
  bool quiet = false;
};

/// One problem for a wrong value, by where it came from.
Problem wrong_value(const std::string& option, const std::string& variable, bool from_flag,
                    std::string why, std::string todo) {
  const std::string what = from_flag ? "wrong value for " + option
                                     : "wrong value in the environment variable " + variable;
  return {from_flag ? ExitCode::usage : ExitCode::configuration, what, std::move(why),
          std::move(todo)};
}

Checked<Settings> understand(Given given, const Environment& environment) {
  Settings settings;
  settings.quiet = given.quiet;
  const auto take = [&](std::string& flag, const char* variable) {
    const bool from_flag = !flag.empty();
    if (!from_flag) {
      flag = environment(variable).value_or("");
    }
    return from_flag;
  };
  bool from_flag = take(given.server, "TROUPE_SERVER");
  if (!given.server.empty()) {
    auto servers = parse_servers(given.server);
    if (!servers.ok()) {
      return wrong_value("--server", "TROUPE_SERVER", from_flag, servers.error().context,
                         "write it as 127.0.0.1:7400, or several with commas");
    }
    settings.servers = std::move(*servers);
  }
  take(given.cluster, "TROUPE_CLUSTER");
  if (!given.cluster.empty()) {
    settings.cluster = given.cluster;
  }
  from_flag = take(given.timeout, "TROUPE_TIMEOUT");
  if (!given.timeout.empty()) {
    const auto timeout = parse_duration(given.timeout);
    if (!timeout) {
      return wrong_value("--timeout", "TROUPE_TIMEOUT", from_flag,
                         "'" + given.timeout + "' is not a time between 1ms and 24h",
                         "write it as 500ms, 2s or 1m");
    }
    settings.timeout = *timeout;
    settings.timeout_given = true;
  }
  from_flag = take(given.format, "TROUPE_OUTPUT");
  if (!given.format.empty()) {
    const auto format = parse_format(given.format);
    if (!format) {
      return wrong_value("--output", "TROUPE_OUTPUT", from_flag,
                         "there is no format '" + given.format + "'",
                         "use table, wide, json, jsonl, yaml or name");
    }
    settings.format = *format;
  }
  return settings;
}

/// Declares the commands; what was parsed lies in the members, which the library points at.
class Parser {
 public:
  Parser()
      : app_("Talks to a Troupe cluster: sends to its actors and shows what they do.", "troupe") {
    app_.fallthrough();
    app_.require_subcommand(1);  // at most one, so that an actor may be called like a command
    app_.footer(footer);
    app_.set_version_flag("--version", "", "The same as 'version'");
    global_options();
    message_commands();
    actor_commands();
    cluster_commands();
    other_commands();
  }

  Checked<Arguments> parse(const std::vector<std::string>& words, const Environment& environment) {
    try {
      app_.parse(std::vector<std::string>{words.rbegin(), words.rend()});  // last word first
    } catch (const CLI::CallForHelp&) {
      return Arguments{{}, HelpCommand{help_text()}};
    } catch (const CLI::CallForVersion&) {
      return Arguments{{}, VersionCommand{}};
    } catch (const CLI::ParseError& error) {
      return usage_problem(error, words);
    }
    auto settings = understand(given_, environment);
    if (!settings.ok()) {
      return settings.error();
    }
    return Arguments{std::move(*settings), chosen_()};
  }

 private:
  void global_options() {
    app_.add_option("-s,--server", given_.server, "Nodes to try in this order (127.0.0.1:7400)")
        ->type_name("LIST");
    app_.add_option("--cluster", given_.cluster, "Refuse nodes of another cluster")
        ->type_name("NAME");
    app_.add_option("--timeout", given_.timeout, "How long to wait: 500ms, 2s (5s; wait: 30s)")
        ->type_name("TIME");
    app_.add_option("-o,--output", given_.format, "table, wide, json, jsonl, yaml or name")
        ->type_name("FORMAT");
    app_.add_flag("-q,--quiet", given_.quiet, "Only what was asked for, and errors");
  }

  using Make = std::function<Command()>;

  /// A command, for its options to be declared; `make` is called if it was chosen, after parsing.
  CLI::App& add(const char* name, const char* text, Make make, CLI::App* parent = nullptr) {
    CLI::App* sub = (parent ? parent : &app_)->add_subcommand(name, text);
    sub->callback([this, make = std::move(make)] { chosen_ = make; });
    return *sub;
  }

  static void message_options(CLI::App& sub, MessageCommand& command) {
    sub.add_option("NAME", command.actor, "The actor's name")->required();
    sub.add_option("TYPE", command.message, "The message's type")->required();
    sub.add_option("JSON", command.payload, "Its fields: JSON, @FILE or -");
    sub.add_flag("--each-line", command.each_line, "One message for each line of the input");
  }

  void message_commands() {
    ask_.wants_reply = true;
    message_options(add("send", "Send a message to an actor", [this] { return send_; }), send_);
    message_options(add("ask", "Send a message and print the reply", [this] { return ask_; }),
                    ask_);
  }

  void actor_commands() {
    auto& spawn = add("spawn", "Start an actor under a name", [this] { return spawn_; });
    spawn.add_option("KIND", spawn_.kind, "A kind that 'troupe types' lists")->required();
    spawn.add_option("--name", spawn_.name, "The name to find it by")->required();
    spawn.add_option("--node", spawn_.node,
                     "A node, or any, local, spread, least_loaded, label:KEY=VALUE (any)");
    spawn.add_option("--args", spawn_.args, "The kind's arguments: JSON, @FILE or -");
    spawn.add_flag("!--no-respawn", spawn_.respawn, "Do not start it again when its node dies");

    auto& stop = add("stop", "Stop an actor for good", [this] { return stop_; });
    stop.add_option("NAME", stop_.name, "The actor's name")->required();

    add("ls", "List all names", [] { return ListCommand{}; });

    auto& where = add("where", "Show where an actor lives", [this] { return where_; });
    where.add_option("NAME", where_.name, "The actor's name")->required();

    auto& why = add("why", "Show why an actor does not answer", [this] { return why_; });
    why.add_option("NAME", why_.name, "The actor's name")->required();

    auto& types =
        add("types", "Show kinds of actors and their messages", [this] { return types_; });
    types.add_option("KIND", types_.kind, "Only this kind");
  }

  void cluster_commands() {
    add("status", "Show the cluster", [] { return StatusCommand{}; });

    auto& health = add("health", "Say whether the node is well, also as the exit code",
                       [this] { return health_; });
    auto* live = health.add_flag("--live", health_.only_live, "Only whether it is alive");
    health.add_flag("--ready", health_.only_ready, "Only whether it takes work")->excludes(live);

    auto& wait = add("wait", "Wait until something holds", [this] { return wait_; });
    wait.add_option("--for", wait_.conditions, "nodes=COUNT, ready or name=NAME")
        ->required()
        ->allow_extra_args(false)
        ->type_name("CONDITION");

    add("ledger", "Account for all messages", [] { return LedgerCommand{}; });

    CLI::App* node = app_.add_subcommand("node", "Show and drain nodes");
    node->require_subcommand(1);
    add(
        "ls", "List the nodes", [] { return NodeListCommand{}; }, node);
    auto& drain = add(
        "drain", "Hand a node's actors over and stop it", [this] { return drain_; }, node);
    drain.add_option("NAME", drain_.node, "The node's name")->required();
  }

  void other_commands() {
    auto& dev = add("dev", "Keep a cluster with demo actors on this machine, until ctrl-c",
                    [this] { return dev_; });
    dev.add_option("--nodes", dev_.nodes, "How many nodes (3)")->check(CLI::Range(1, 9));
    dev.add_option("--port", dev_.port, "Port of the first node (7400, or free ones)")
        ->check(CLI::Range(1, 65535));
    add("version", "Print the version", [] { return VersionCommand{}; });
  }

  [[nodiscard]] std::string help_text() const { return app_.help(); }

  /// The first word that is neither a global option nor its value.
  static std::string first_word(const std::vector<std::string>& words) {
    static const std::vector<std::string> with_value{"-s",        "--server", "--cluster",
                                                     "--timeout", "-o",       "--output"};
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (std::find(with_value.begin(), with_value.end(), words[i]) != with_value.end()) {
        ++i;
      } else if (!words[i].starts_with('-')) {
        return words[i];
      }
    }
    return {};
  }

  [[nodiscard]] Problem usage_problem(const CLI::ParseError& error,
                                      const std::vector<std::string>& words) const {
    const auto chosen = app_.get_subcommands();
    if (!chosen.empty()) {
      const std::string path = "troupe " + chosen.front()->get_name();
      return {ExitCode::usage,
              path + ": " + error.what(),
              {},
              "'" + path + " --help' shows how to call it"};
    }
    const std::string word = first_word(words);
    if (word.empty()) {
      return {ExitCode::usage, error.what(), {}, "'troupe --help' lists all commands"};
    }
    std::vector<std::string> names;
    for (const auto* sub : app_.get_subcommands(nullptr)) {
      names.push_back(sub->get_name());
    }
    const std::string hint = base::did_you_mean(word, names);
    const bool known = std::find(names.begin(), names.end(), word) != names.end();
    return {ExitCode::usage,
            known ? std::string{error.what()} : "there is no command '" + word + "'",
            {},
            hint.empty() || known ? "'troupe --help' lists all commands" : hint};
  }

  CLI::App app_;
  Given given_;
  MessageCommand send_;
  MessageCommand ask_;
  SpawnCommand spawn_;
  StopCommand stop_;
  WhereCommand where_;
  WhyCommand why_;
  TypesCommand types_;
  HealthCommand health_;
  WaitCommand wait_;
  DrainCommand drain_;
  DevCommand dev_;
  Make chosen_;
};

}  // namespace

Checked<Arguments> parse_arguments(const std::vector<std::string>& words,
                                   const Environment& environment) {
  Parser parser;
  return parser.parse(words, environment);
}

}  // namespace troupe::cli
