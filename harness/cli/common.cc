#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "cli/commands.h"
#include "cli/output.h"
#include "core/rng.h"
#include "net/self_signed.h"
#include "run/wire_rules.h"

namespace mailproof::cli {

int complain(const std::string& text) {
  say_error(fmt::format("mailproof: {}\n", text));
  return kWrongUse;
}

std::string default_scenarios() {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::is_directory("scenarios", error)) return "scenarios";
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = program.parent_path().parent_path() / "share/mailproof/scenarios";
  return !error && fs::is_directory(installed, error) ? installed.string() : "scenarios";
}

std::string missing_folder(const std::vector<std::string>& paths, const std::string& root) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::is_directory(root, error)) return {};
  const bool needed = std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
    if (fs::exists(path, error)) return false;
    const bool id = path.find('/') == std::string::npos && !path.ends_with(".yaml") && !path.ends_with(".yml");
    return id || path == root || path.starts_with(root + "/");
  });
  if (!needed) return {};
  return fmt::format(
      "there is no folder '{}'{}: run in a checkout of mailproof, or say where its scenarios are with "
      "--scenarios DIR",
      root, fs::path(root).is_absolute() ? "" : " here");
}

std::optional<std::vector<scenario::Scenario>> load_scenarios(const std::vector<std::string>& paths,
                                                              const std::string& root) {
  if (const auto why = missing_folder(paths, root); !why.empty()) {
    complain(why);
    return std::nullopt;
  }
  auto loaded = scenario::load(paths, root);
  for (const auto& problem : loaded.problems) say_error(fmt::format("{}\n", problem.message()));
  if (!loaded.problems.empty()) {
    complain(fmt::format("stopped: {} problem{} with the scenarios that were asked for", loaded.problems.size(),
                         loaded.problems.size() == 1 ? "" : "s"));
    return std::nullopt;
  }
  if (const auto why = run::RunRules::unknown(loaded.scenarios); !why.empty()) {
    complain(why);
    return std::nullopt;
  }
  if (loaded.scenarios.empty()) {
    complain("no scenario found");
    return std::nullopt;
  }
  return std::move(loaded.scenarios);
}

Result<Hosted> host_builtin(const TargetFlags& flags, const scenario::Target& target) {
  Hosted out;
  out.target = target;
  out.builtin = flags.builtin;
  out.owed = std::make_unique<host::Owed>(target);
  out.owed->say = [](const std::string& line) {
    say_error(fmt::format("mailproof: the server of this target: {}\n", line));
  };
  if (!flags.sockets) return out;
  const auto tls = net::make_self_signed();
  if (!tls) return tls.error();
  auto files = host::TemporaryFiles::make({{"certificate.pem", tls->certificate}, {"key.pem", tls->key}});
  if (!files) return files.error();
  out.target.ca_file = (*files)->path("certificate.pem");
  std::vector<host::Listen> listen = {{Protocol::lmtp}};
  for (const Protocol protocol : {Protocol::imap, Protocol::pop3, Protocol::smtp}) {
    listen.push_back({protocol});
    listen.push_back({protocol, false, 0, true});
    listen.push_back({protocol, true});
  }
  auto server = host::HostedServer::start(host::builtin_server(flags.builtin, target.accounts), "127.0.0.1", listen,
                                          out.target.ca_file, (*files)->path("key.pem"), flags.builtin.service);
  if (!server) return server.error();
  out.server = std::move(*server);
  out.files = std::move(*files);
  out.target.name = "sockets";
  for (auto* all : {&out.target.imap, &out.target.pop3, &out.target.lmtp, &out.target.smtp}) all->clear();
  for (const Endpoint& endpoint : out.server->endpoints()) {
    switch (endpoint.protocol) {
      case Protocol::imap:
        out.target.imap.push_back(endpoint);
        break;
      case Protocol::pop3:
        out.target.pop3.push_back(endpoint);
        break;
      case Protocol::lmtp:
        out.target.lmtp.push_back(endpoint);
        break;
      case Protocol::smtp:
        out.target.smtp.push_back(endpoint);
        break;
    }
  }
  out.server->serve_in_background();
  return out;
}

std::uint64_t fresh_run_id() {
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return mix(static_cast<std::uint64_t>(now) ^ mix(static_cast<std::uint64_t>(::getpid())));
}

std::string clock_now() {
  return fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

run::Setup setup_of(const PlayFlags& flags, const Hosted& hosted) {
  run::Setup out;
  out.settings = {flags.seed, flags.patience, flags.keep, flags.own_mailboxes, flags.strict, flags.slow, {}};
  if (flags.target.sim) out.settings.simulated = flags.target.builtin;
  out.target = &hosted.target;
  out.hosted = hosted.server.get();
  out.owed = hosted.owed.get();
  out.start = std::chrono::steady_clock::now();
  out.run_id = flags.target.sim ? flags.seed : fresh_run_id();
  const auto date = fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
  // RFC 5322 date-time; in simulation a fixed day, so that a seed gives the same octets.
  out.date = flags.target.sim ? "Thu, 01 Jan 2026 00:00:00 +0000" : fmt::format("{:%a, %d %b %Y %H:%M:%S} +0000", date);
  return out;
}

}  // namespace mailproof::cli
