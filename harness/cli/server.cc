#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

#include "cli/commands.h"
#include "cli/output.h"
#include "core/units.h"
#include "host/signals.h"

namespace mailproof::cli {
namespace {

struct ServerFlags {
  bool list_defects = false, list_latitudes = false;
  std::string host = "127.0.0.1", certificate, key, quota, domain_quota;
  std::optional<std::uint16_t> imap, pop3, smtp, lmtp, imaps, pop3s;
  host::BuiltinOptions builtin;
};

int list_switches(std::span<const server::Switch> switches) {
  std::size_t width = 0, what = 0;
  for (const auto& s : switches) {
    width = std::max(width, s.name.size());
    what = std::max(what, s.what.size());
  }
  for (const auto& s : switches) say(fmt::format("{:<{}}  {:<{}}  {}\n", s.name, width, s.what, what, s.caught_by));
  return 0;
}

std::vector<host::Listen> listeners(const ServerFlags& flags) {
  std::vector<host::Listen> out;
  const auto add = [&](Protocol protocol, bool tls, std::optional<std::uint16_t> port) {
    if (port) out.push_back({protocol, tls, *port});
  };
  add(Protocol::imap, false, flags.imap);
  add(Protocol::pop3, false, flags.pop3);
  add(Protocol::smtp, false, flags.smtp);
  add(Protocol::lmtp, false, flags.lmtp);
  add(Protocol::imap, true, flags.imaps);
  add(Protocol::pop3, true, flags.pop3s);
  if (out.empty())
    for (const Protocol protocol : {Protocol::imap, Protocol::pop3, Protocol::smtp, Protocol::lmtp})
      out.push_back({protocol, false, 0});
  return out;
}

int serve(ServerFlags& flags) {
  if (flags.list_defects) return list_switches(server::Server::defects());
  if (flags.list_latitudes) return list_switches(server::Server::latitudes());
  if (const auto wrong = host::check_switches(flags.builtin); !wrong.empty()) return complain(wrong);
  if (const char* password = std::getenv("MAILPROOF_PASSWORD")) flags.builtin.password = password;
  if (!flags.quota.empty()) {
    const auto quota = parse_size(flags.quota);
    if (!quota) return complain("--quota " + flags.quota + ": expected a size like 64KiB");
    flags.builtin.small_quota = *quota;
  }
  if (((flags.imaps || flags.pop3s) && flags.certificate.empty()) || flags.certificate.empty() != flags.key.empty())
    return complain("TLS needs both --cert and --key");
  auto options = host::builtin_server(flags.builtin, builtin_pool(flags.builtin));
  if (!flags.domain_quota.empty()) {
    options.domain_quota = parse_size(flags.domain_quota);
    if (!options.domain_quota) return complain("--domain-quota " + flags.domain_quota + ": expected a size like 1MiB");
  }
  host::end_in_order();
  const auto hosted =
      host::HostedServer::start(std::move(options), flags.host, listeners(flags), flags.certificate, flags.key);
  if (!hosted) return complain(hosted.error().message());
  for (const Endpoint& endpoint : (*hosted)->endpoints()) {
    const bool tls = endpoint.tls == TlsMode::implicit;
    say(fmt::format("{}{} {}:{}\n", name(endpoint.protocol), tls ? "s" : "", endpoint.host, endpoint.port));
  }
  say("ready\n");
  std::fflush(stdout);
  const host::Nudged nudged((*hosted)->loop());
  (*hosted)->serve([] { return host::interrupted(); });
  return 0;
}

}  // namespace

void add_server(CLI::App& app, int& status) {
  auto flags = std::make_shared<ServerFlags>();
  auto* command =
      app.add_subcommand("server", "Run the built-in reference server (in memory; to try the tool, not to serve)");
  command->add_flag("--list-defects", flags->list_defects, "Name, what it does, which judge must catch it");
  command->add_flag("--list-latitudes", flags->list_latitudes, "Name, what it does, what leaves it open");
  command->add_option("--listen", flags->host, "Address to listen on")->capture_default_str();
  command->add_option("--imap", flags->imap,
                      "Port, 0 for a free one (default: all four plaintext services on free ports)");
  command->add_option("--pop3", flags->pop3, "Port");
  command->add_option("--smtp", flags->smtp, "Port");
  command->add_option("--lmtp", flags->lmtp, "Port");
  command->add_option("--imaps", flags->imaps, "Port, implicit TLS");
  command->add_option("--pop3s", flags->pop3s, "Port, implicit TLS");
  command->add_option("--cert", flags->certificate, "Certificate (PEM); offers STARTTLS and STLS too");
  command->add_option("--key", flags->key, "Its key (PEM)");
  command
      ->add_option("--users", flags->builtin.users,
                   "user0001, user0002, ... with the password of MAILPROOF_PASSWORD (default: pass)")
      ->check(whole_number())
      ->capture_default_str();
  command->add_option("--small", flags->builtin.small, "small0001, ... with a quota")
      ->check(whole_number())
      ->capture_default_str();
  command->add_option("--quota", flags->quota, "Quota of the small ones (default 64KiB)");
  command->add_option("--domain-quota", flags->domain_quota, "Quota of all accounts together");
  command->add_option("--defect", flags->builtin.defects, "Switch a defect on; may be given again")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--latitude", flags->builtin.latitudes, "Switch a latitude on; may be given again")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--seed", flags->builtin.seed, "Of UIDVALIDITYs and identifiers")
      ->check(whole_number())
      ->capture_default_str();
  command->callback([flags, &status] { status = serve(*flags); });
}

}  // namespace mailproof::cli
