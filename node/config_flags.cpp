#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/suggest.hpp"
#include "node/detail/config_sources.hpp"
#include "node/version.hpp"

namespace troupe::node::detail {

namespace {

std::string flag_name(const Setting& setting) {
  return "--" + std::string{setting.key} + (setting.key == "demo" ? ",!--no-demo" : "");
}

/// Where CLI11 puts what it reads for one setting.
struct Slot {
  std::vector<std::string> values;
  bool flag = false;
  CLI::Option* option = nullptr;
};

void add_option(CLI::App& app, const Setting& setting, Slot& slot) {
  if (setting.kind == ValueKind::flag) {
    slot.option = app.add_flag(flag_name(setting), slot.flag, std::string{setting.help});
    slot.option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    return;
  }
  slot.option = app.add_option(flag_name(setting), slot.values, std::string{setting.help});
  slot.option->option_text(std::string{setting.placeholder});
  if (setting.kind == ValueKind::list || setting.kind == ValueKind::pairs) {
    slot.option->allow_extra_args(false);
  } else {
    slot.option->expected(1);
  }
}

Mistake unknown_argument(const std::string& program, const std::string& argument) {
  if (!argument.starts_with('-')) {
    return {fmt::format("unexpected argument '{}'", argument), "all settings are given as --NAME",
            fmt::format("{} --help", program)};
  }
  std::vector<std::string> known{"--config", "--help", "--version", "--no-demo"};
  for (const auto& key : setting_keys()) {
    known.push_back("--" + key);
  }
  const std::string flag = argument.substr(0, argument.find('='));
  const std::string closest = base::closest(flag, known);
  return {fmt::format("unknown flag '{}'", flag),
          closest.empty() ? "there is no flag of this name"
                          : fmt::format("did you mean '{}'?", closest),
          fmt::format("{} --help", program)};
}

}  // namespace

base::Result<CommandLine, Mistake> read_flags(const std::string& program,
                                              const std::vector<std::string>& arguments) {
  CLI::App app{"Runs one node of a cluster of actors. Without a flag: alone, on loopback.",
               program};
  app.set_help_flag("-h,--help", "print this and exit");
  app.set_version_flag("--version", fmt::format("{} {}", program, version),
                       "print the version and exit");
  app.allow_extras();
  app.footer(
      "Each setting can also be given in the environment (TROUPE_LOG_LEVEL for --log-level) or in "
      "the\nfile (log-level = \"debug\"). A flag goes before the environment, the environment "
      "before the file.\nSIGTERM makes the node hand over what it holds and leave; a second one "
      "ends it at once.");
  CommandLine result;
  const auto& all = settings();
  std::vector<Slot> slots(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    add_option(app, all[i], slots[i]);
  }
  app.add_option("--config", result.file, "read settings from this TOML file")->option_text("FILE");
  try {
    app.parse(std::vector<std::string>{arguments.rbegin(), arguments.rend()});
  } catch (const CLI::CallForHelp&) {
    result.text = app.help();
    return result;
  } catch (const CLI::CallForVersion& asked) {
    result.text = std::string{asked.what()} + "\n";
    return result;
  } catch (const CLI::ParseError& error) {
    return Mistake{error.what(), "the command line cannot be read",
                   fmt::format("{} --help", program)};
  }
  if (const auto left = app.remaining(); !left.empty()) {
    return unknown_argument(program, left.front());
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    Slot& slot = slots[i];
    if (slot.option->count() == 0) {
      continue;
    }
    if (all[i].kind == ValueKind::flag) {
      slot.values = {slot.flag ? "true" : "false"};
    }
    const std::string key{all[i].key};
    result.given[key] = {std::move(slot.values), Source::flag, "--" + key};
  }
  return result;
}

}  // namespace troupe::node::detail
