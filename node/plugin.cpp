#include "node/plugin.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <exception>
#include <filesystem>

namespace troupe::node {

namespace {

/// dlopen() looks up a name without a slash elsewhere than in the working folder.
std::string as_path(const std::string& path) {
  return path.find('/') == std::string::npos ? "./" + path : path;
}

base::Error no_plugin(const std::string& path, const std::string& why) {
  return {
      base::Errc::malformed,
      fmt::format(
          "'{}' is not a plugin: {}\n"
          "  why: a plugin is a shared library (.so) with TROUPE_PLUGIN(kinds) {{ … }} in it\n"
          "  try: build it with this Troupe's headers and compiler, and see examples/plugin.cpp",
          path, why)};
}

std::string loader_error() {
  const char* text = ::dlerror();
  return text != nullptr ? text : "the loader gives no reason";
}

}  // namespace

base::Result<void> load_plugin(const std::string& path, Kinds& kinds) {
  std::error_code ignored;
  if (path.empty() || !std::filesystem::exists(path, ignored)) {
    return base::Error{base::Errc::not_found,
                       fmt::format("no plugin '{}': there is no such file\n"
                                   "  why: a plugin is named by its path, here relative to {}\n"
                                   "  try: the path of the .so file to --load",
                                   path, std::filesystem::current_path(ignored).string())};
  }
  // Never closed: its code may be in use as long as the process lives.
  void* library = ::dlopen(as_path(path).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return no_plugin(path, loader_error());
  }
  const auto abi = reinterpret_cast<int (*)()>(::dlsym(library, "troupe_plugin_abi"));
  const auto register_kinds =
      reinterpret_cast<void (*)(Kinds&)>(::dlsym(library, "troupe_plugin_register"));
  if (abi == nullptr || register_kinds == nullptr) {
    return no_plugin(path, "it lacks troupe_plugin_abi or troupe_plugin_register");
  }
  if (const int theirs = abi(); theirs != plugin_abi) {
    return base::Error{
        base::Errc::version_mismatch,
        fmt::format(
            "plugin '{}' was built for version {} of the plugin interface, this node has {}\n"
            "  why: the two lay out actors differently in memory\n"
            "  try: build the plugin again with the headers of this Troupe",
            path, theirs, plugin_abi)};
  }
  try {
    register_kinds(kinds);
  } catch (const std::exception& failure) {
    return base::Error{base::Errc::refused,
                       fmt::format("plugin '{}' failed to register its kinds: {}\n"
                                   "  why: some of its kinds may be missing\n"
                                   "  try: correct the plugin, or start without it",
                                   path, failure.what())};
  }
  return {};
}

}  // namespace troupe::node
