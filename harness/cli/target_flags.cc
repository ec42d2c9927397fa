#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "cli/options.h"

namespace mailproof::cli {
namespace {

Result<Endpoint> endpoint(Protocol protocol, const std::string& text, TlsMode tls, const std::string& source) {
  const auto bad = [&] {
    return Error{fmt::format("--{} {}", name(protocol), text), "expected host:port, e.g. 127.0.0.1:143 or [::1]:143"};
  };
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return bad();
  Endpoint out;
  out.protocol = protocol;
  out.host = text.substr(0, colon);
  if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']')
    out.host = out.host.substr(1, out.host.size() - 2);
  const std::string port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc{} || end != port.data() + port.size() || out.port == 0) return bad();
  out.tls = tls;
  out.source = source;
  return out;
}

Result<scenario::Target> target_of_flags(const TargetFlags& flags) {
  scenario::Target target;
  const TlsMode tls = flags.tls == "implicit"   ? TlsMode::implicit
                      : flags.tls == "starttls" ? TlsMode::starttls
                                                : TlsMode::none;
  const auto add = [&](Protocol protocol, const std::vector<std::string>& texts,
                       std::vector<Endpoint>& into) -> std::optional<Error> {
    for (const auto& text : texts) {
      auto one = endpoint(protocol, text, protocol == Protocol::lmtp ? TlsMode::none : tls, flags.source);
      if (!one) return one.error();
      if (target.name.empty()) target.name = one->host;
      into.push_back(*one);
    }
    return std::nullopt;
  };
  if (auto wrong = add(Protocol::imap, flags.imap, target.imap)) return *wrong;
  if (auto wrong = add(Protocol::pop3, flags.pop3, target.pop3)) return *wrong;
  if (auto wrong = add(Protocol::lmtp, flags.lmtp, target.lmtp)) return *wrong;
  if (auto wrong = add(Protocol::smtp, flags.smtp, target.smtp)) return *wrong;
  target.delivery = {scenario::Way::lmtp, scenario::Way::smtp, scenario::Way::append};
  if (flags.user.empty()) return Error{"--user", "a target given by flags needs the login of a test account"};
  const char* password = std::getenv(flags.password_env.c_str());
  if (password == nullptr)
    return Error{"--password-env " + flags.password_env,
                 fmt::format("this environment variable is not set; it must hold the password of {0}: export {1}=...",
                             flags.user, flags.password_env)};
  target.password_envs.insert(flags.password_env);
  std::string address = flags.address;
  if (address.empty())
    address = flags.user.find('@') != std::string::npos ? flags.user : flags.user + "@" + target.name;
  target.accounts.push_back({flags.user, address, Secret(password), std::nullopt});
  return target;
}

}  // namespace

void add_target_flags(CLI::App& app, TargetFlags& flags) {
  app.add_option("--target", flags.file, "Target file: the server to test (scenarios/targets.md)");
  app.add_flag("--sim", flags.sim, "The built-in server in simulation: no sockets, virtual time");
  app.add_flag("--sockets", flags.sockets, "The built-in server over loopback sockets");
  app.add_option("--imap", flags.imap, "IMAP service, host:port; may be given again")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--pop3", flags.pop3, "POP3 service, host:port; may be given again")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--lmtp", flags.lmtp, "LMTP service, host:port; may be given again")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--smtp", flags.smtp, "SMTP service, host:port; may be given again")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--tls", flags.tls, "For services given by flags")
      ->check(CLI::IsMember({"none", "starttls", "implicit"}))
      ->capture_default_str();
  app.add_option("--user", flags.user, "Login of the test account, for services given by flags");
  app.add_option("--address", flags.address, "Its mail address, where it is not the login");
  app.add_option("--password-env", flags.password_env, "Environment variable that holds its password")
      ->capture_default_str();
  app.add_option("--ca", flags.ca_file, "CA certificates (PEM) to verify the server with, instead of the system's");
  app.add_flag("--insecure", flags.insecure, "Do not verify certificates");
  app.add_option("--source", flags.source, "Local address to connect from");
  app.add_option("--defect", flags.builtin.defects,
                 "Switch a defect of the built-in server on (`server --list-defects`); may be given again")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--latitude", flags.builtin.latitudes,
                 "Switch a latitude of the built-in server on (`server --list-latitudes`); may be given again")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
}

Result<scenario::Target> make_target(const TargetFlags& flags) {
  const bool by_flags = !flags.imap.empty() || !flags.pop3.empty() || !flags.lmtp.empty() || !flags.smtp.empty();
  const int chosen = (flags.sim ? 1 : 0) + (flags.sockets ? 1 : 0) + (flags.file.empty() ? 0 : 1) + (by_flags ? 1 : 0);
  if (chosen == 0)
    return Error{"", "which server? Give --target FILE, --imap/--pop3/--lmtp/--smtp host:port, --sim or --sockets"};
  if (chosen > 1)
    return Error{"", "only one of --target, --imap/--pop3/--lmtp/--smtp, --sim and --sockets makes sense"};
  const bool builtin = flags.sim || flags.sockets;
  if (!builtin && !(flags.builtin.defects.empty() && flags.builtin.latitudes.empty()))
    return Error{"", "--defect and --latitude switch the built-in server: they need --sim or --sockets"};
  if (auto wrong = host::check_switches(flags.builtin); !wrong.empty()) return Error{"", wrong};
  if (builtin) return host::sim_target(flags.builtin);
  if (by_flags) {
    auto target = target_of_flags(flags);
    if (!target) return target;
    target->ca_file = flags.ca_file;
    target->insecure = flags.insecure;
    return target;
  }
  auto loaded = scenario::load_target(
      flags.file, [](const std::string& variable) -> const char* { return std::getenv(variable.c_str()); });
  if (!loaded.problems.empty()) {
    std::string all;
    for (const auto& problem : loaded.problems) all += (all.empty() ? "" : "\n") + problem.message();
    return Error{"", all};
  }
  if (!flags.ca_file.empty()) loaded.target.ca_file = flags.ca_file;
  loaded.target.insecure = loaded.target.insecure || flags.insecure;
  if (!flags.source.empty())
    for (auto* endpoints : {&loaded.target.imap, &loaded.target.pop3, &loaded.target.smtp, &loaded.target.lmtp})
      for (auto& one : *endpoints) one.source = flags.source;
  return loaded.target;
}

CLI::Validator whole_number() {
  return CLI::Validator(
      [](const std::string& text) {
        const bool digits =
            !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
        std::uint64_t value = 0;
        if (digits && std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc{})
          return std::string();
        if (digits) return fmt::format("expected a number up to {}, not '{}'", ~std::uint64_t{0}, text);
        return fmt::format("expected a whole number from 0 on, not '{}'", text);
      },
      "UINT");
}

CLI::Option* add_play_flags(CLI::App& app, PlayFlags& flags) {
  add_target_flags(app, flags.target);
  auto* scenarios = app.add_option("scenarios", flags.paths, "Scenario files, folders or ids");
  app.add_option("--scenarios", flags.scenarios, "Folder in which ids are looked up")->capture_default_str();
  app.add_option(
      "--out", flags.out,
      "Run directory (default: a new one below runs/); an earlier run in it is replaced, a folder with other "
      "files of the same names is refused");
  app.add_option("--seed", flags.seed, "Of everything random")->check(whole_number())->capture_default_str();
  app.add_flag("--strict", flags.strict, "A latitude fails");
  app.add_flag("--keep", flags.keep, "Leave our messages in the mailboxes");
  app.add_flag("--i-own-these-mailboxes", flags.own_mailboxes,
               "The mailboxes may hold other mail; it may be read, changed and removed");
  app.add_option("--patience", flags.patience, "Multiplies every bound, for slow machines")
      ->check(CLI::Range(0.1, 100.0))
      ->capture_default_str();
  return scenarios;
}

}  // namespace mailproof::cli
