#include "load/limits.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "core/units.h"
#include "load/arrival_times.h"
#include "load/customers.h"
#include "net/loop.h"
#include "play/requirements.h"

namespace mailproof::load {
namespace {

constexpr std::size_t kOwnDescriptors = 64;  // files, pipes, epoll, what libraries keep
constexpr double kPortsUsed = 0.8;           // of the range: connections that are closed keep theirs for a while
constexpr std::size_t kMostSources = 200;
constexpr double kTimeWait = 60;  // seconds that Linux keeps the port of a connection that is closed

/// Commands of a list of steps, when `messages` are new: what asks for each message counts so often.
double commands_in(const std::vector<scenario::ProfileStep>& steps, double messages) {
  using scenario::Ask;
  double out = 0;
  for (const auto& step : steps) {
    if (step.ask == Ask::each) {
      out += static_cast<double>(step.steps.size()) * messages;
      continue;
    }
    const bool each = step.ask == Ask::retr || step.ask == Ask::top || step.ask == Ask::dele;
    out += each ? messages : 1;
    if (step.ask == Ask::retr && step.dele) out += messages;
  }
  return out;
}

std::size_t scaled(double part, std::uint32_t accounts) {
  return static_cast<std::size_t>(std::llround(part * accounts));
}

}  // namespace

Forecast forecast(const scenario::Plan& plan, const scenario::Target& target, unsigned jobs,
                  const std::vector<scenario::Scenario>& also) {
  Forecast out;
  const Level level(plan.phases);
  out.length = level.length();
  out.accounts = plan.accounts_needed();
  out.senders = delivery_protocol(plan, target) == Protocol::smtp ? jobs : 0;
  out.deliveries = expected_arrivals(plan.deliveries, level, level.length());
  if (plan.deliveries.spacing == scenario::Spacing::recorded) {
    for (const Duration at : plan.deliveries.recorded) {
      const auto& all = plan.deliveries.recorded;
      const auto to = std::lower_bound(all.begin(), all.end(), at + std::chrono::seconds(1));
      const auto from = std::lower_bound(all.begin(), all.end(), at);
      out.deliveries_rate = std::max(out.deliveries_rate, static_cast<double>(to - from));
    }
  } else {
    out.deliveries_rate = plan.deliveries.rate * level.highest();
  }
  const double there = in_seconds(out.length) == 0 ? 0 : level.area() / std::max(1.0, level.highest());  // seconds each
  const double each = out.accounts == 0 ? 0 : out.deliveries / out.accounts;  // messages each
  std::size_t imap = 0, pop3 = 0;
  double imap_sessions = 0, pop3_sessions = 0, letters = 0;
  for (const auto& entry : plan.mix) {
    const auto accounts = scaled(entry.share, out.accounts);
    std::size_t together = 0;
    for (const auto& name : entry.devices) together += 1 + plan.profile(name).beside.size();
    out.of_one_account = std::max(out.of_one_account, together);
    for (const auto& name : entry.devices) {
      const auto& profile = plan.profile(name);
      const std::size_t connections = accounts * (1 + profile.beside.size());
      Forecast::Device device{name, static_cast<std::uint32_t>(accounts), connections, 0, 0};
      const double rounds = profile.every > Duration{} ? there * plan.pace / in_seconds(profile.every) : 0;
      const double first = plan.polls_at_once ? 1 : 0;
      const bool pop = profile.protocol == Protocol::pop3;
      const double sessions = profile.stays ? 1 : first + rounds + each * (profile.read.share + profile.remove.share);
      const double logins = 2;  // CAPABILITY or CAPA, and the login
      double commands = sessions * (logins + 1);
      if (pop) {
        commands += (first + rounds) * commands_in(profile.poll, 0) + commands_in(profile.poll, each) -
                    commands_in(profile.poll, 0);
      } else {
        commands += sessions * commands_in(profile.login, 0) + rounds * commands_in(profile.poll, 0) +
                    each * (commands_in(profile.news, 0) + (profile.idle ? 2 : 0)) +
                    each * profile.read.share * commands_in(profile.reading, 1) + each * profile.remove.share * 2;
      }
      if (profile.send) {
        constexpr double kLetter = 6;  // EHLO, AUTH, MAIL, RCPT, DATA, QUIT
        const double written = there * plan.pace / std::max(1e-9, in_seconds(profile.send->every));
        commands += written * (kLetter + (profile.send->save_to.empty() ? 0 : 1));
        letters += written * static_cast<double>(accounts);
        const double all = in_seconds(out.length) * plan.pace / std::max(1e-9, in_seconds(profile.send->every));
        out.letters_of_one = std::max(out.letters_of_one, all * (profile.send->save_to.empty() ? 1 : 2));
      }
      device.sessions = sessions * static_cast<double>(accounts);
      device.commands = commands * static_cast<double>(accounts);
      (pop ? pop3_sessions : imap_sessions) += device.sessions;
      out.sessions += device.sessions;
      out.commands += device.commands;
      (pop ? pop3 : imap) += connections;
      auto known = std::find_if(out.devices.begin(), out.devices.end(), [&](const auto& d) { return d.name == name; });
      if (known == out.devices.end()) {
        out.devices.push_back(device);
      } else {
        known->accounts += device.accounts;
        known->connections += device.connections;
        known->sessions += device.sessions;
        known->commands += device.commands;
      }
    }
  }
  const std::size_t mail = out.deliveries > 0 ? plan.deliveries.connections : 0;
  out.connections = imap + pop3 + mail;
  for (std::size_t i = 0; i < also.size() && i < plan.also.size(); ++i) {
    const std::size_t copies = plan.also[i].copies;
    out.connections += copies * play::connected_by(also[i], target).in_all;
    out.of_stories += static_cast<std::uint32_t>(copies * also[i].accounts.size());
    out.beside.push_back(
        plan.also[i].think
            ? fmt::format("{}: {} users in a closed loop, who think {}", also[i].id, copies, plan.also[i].think->text)
            : fmt::format("{}: {:.1f} copies/s, at most {} at a time: {:.0f} in all", also[i].id, plan.also[i].rate,
                          copies, plan.also[i].rate * in_seconds(out.length)));
  }
  out.letters_numbered = std::exp2(letter_numbers(plan).bits);
  out.imap = imap;
  out.mail = mail;
  out.to_one_endpoint = std::max({imap, pop3, mail});
  const bool over_smtp = delivery_protocol(plan, target) == Protocol::smtp;
  const double brought = out.deliveries_rate / std::max(1U, plan.deliveries.each),
               sent = letters / std::max(1.0, there);
  out.sessions += letters + out.deliveries / std::max(1U, plan.deliveries.each);
  out.opened_to_one = std::max({imap_sessions / std::max(1.0, there), pop3_sessions / std::max(1.0, there),
                                over_smtp ? brought + sent : std::max(brought, sent)});
  return out;
}

Forecast forecast(const std::vector<scenario::Scenario>& stories, std::uint32_t copies,
                  const scenario::Target& target) {
  Forecast out;
  for (const auto& story : stories) {
    const play::Connected each = play::connected_by(story, target);
    out.connections += copies * each.in_all;
    out.of_one_account = std::max(out.of_one_account, each.of_one_account);
    out.of_stories += static_cast<std::uint32_t>(copies * story.accounts.size());
  }
  return out;
}

std::string limit_of_ours_met(const LoadResult& result) {
  const std::pair<std::string_view, std::string_view> known[] = {
      {"connect: too many open files",
       "this process may open no more files (ulimit -n), so that connections of ours never began"},
      {"connect: cannot assign requested address",
       "this address has no more ephemeral ports (net.ipv4.ip_local_port_range), so that connections of ours never "
       "began"},
      {Scene::kFullOfPlaces,
       "what is kept of large mailboxes of which little was told is full, so that we ended "
       "sessions: play fewer customers, or take accounts with less mail"}};
  for (const auto& [said, limit] : known) {
    const auto tells = [said = said](const std::string& text) { return text.find(said) != std::string::npos; };
    bool met = false;
    for (const auto& [id, tally] : result.findings) met = met || tells(tally.first.actual);
    for (const auto& [what, text] : result.plan.examples) met = met || tells(text);
    if (met) return fmt::format("GENERATOR-LIMITED: {}", limit);
  }
  return {};
}

Limits limits_here() {
  Limits out;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    out.descriptors = files.rlim_cur;
    out.most_descriptors = files.rlim_max;
  }
  std::ifstream range("/proc/sys/net/ipv4/ip_local_port_range");
  std::size_t from = 32768, to = 60999;
  range >> from >> to;
  out.ports = to >= from ? to - from + 1 : 0;
  return out;
}

void raise_descriptors(std::size_t needed) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= needed) return;
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, needed);
  ::setrlimit(RLIMIT_NOFILE, &files);
}

std::size_t descriptors_for(const Forecast& forecast, bool ours_over_sockets) {
  return forecast.connections * (ours_over_sockets ? 2 : 1) + kOwnDescriptors;
}

namespace {

bool all_loopback(const scenario::Target& target) {
  bool all = true;
  for (const auto* endpoints : {&target.imap, &target.pop3, &target.lmtp, &target.smtp})
    for (const auto& one : *endpoints) all = all && one.host.starts_with("127.");
  return all;
}

bool sources_given(const scenario::Target& target) {
  for (const auto* endpoints : {&target.imap, &target.pop3, &target.lmtp, &target.smtp})
    for (const auto& one : *endpoints)
      if (!one.source.empty()) return true;
  return false;
}

}  // namespace

std::vector<std::string> sources_for(const Forecast& forecast, const Limits& limits, const scenario::Target& target) {
  const double each = kPortsUsed * static_cast<double>(limits.ports);
  if (static_cast<double>(forecast.to_one_endpoint) <= each || sources_given(target) || !all_loopback(target))
    return {};
  const auto wanted = static_cast<std::size_t>(std::ceil(static_cast<double>(forecast.to_one_endpoint) / each));
  std::vector<std::string> out;
  for (std::size_t i = 0; i < std::min(wanted, kMostSources); ++i) out.push_back(fmt::format("127.0.1.{}", i + 1));
  return out;
}

std::string too_few_accounts(const std::string& what, std::size_t needed, std::size_t there, const std::string& fewer) {
  return fmt::format(
      "{} needs {} accounts, and the target's pool has {}: make {} more on the server and name them in the target file "
      "(accounts: takes {{login: \"user%04d\", address: \"user%04d@example.test\", first: 1, count: {}, password_env: "
      "...}} or {{file: accounts.csv}}){}",
      what, needed, there, needed - there, needed, fewer.empty() ? "" : ", or " + fewer);
}

std::vector<Obstacle> obstacles(const Forecast& forecast, const Limits& limits, const scenario::Target& target,
                                bool ours_over_sockets) {
  std::vector<Obstacle> out;
  if (!ours_over_sockets && forecast.needed() > target.accounts.size()) {
    const std::size_t beside = forecast.senders + forecast.of_stories;
    const std::size_t there = target.accounts.size();
    out.push_back({"accounts:",
                   too_few_accounts("this plan", forecast.needed(), there,
                                    there > beside ? fmt::format("play at most {} customers", there - beside) : "")});
  }
  const std::size_t descriptors = descriptors_for(forecast, ours_over_sockets);
  if (descriptors > limits.most_descriptors)
    out.push_back(
        {"ulimit -n",
         fmt::format("{} connections at the peak{} take {} open files, and this process may have {} (ulimit "
                     "-n): raise it, with `ulimit -Hn {}` or nofile in /etc/security/limits.conf, or LimitNOFILE= of a "
                     "systemd unit",
                     forecast.connections, ours_over_sockets ? ", both ends of them here," : "", descriptors,
                     limits.most_descriptors, descriptors)});
  const double ports = kPortsUsed * static_cast<double>(limits.ports);
  const std::size_t sources = std::max<std::size_t>(1, sources_for(forecast, limits, target).size());
  // To itself Linux takes the port of a closed connection again at once (net.ipv4.tcp_tw_reuse is 2), to others not.
  const double waiting = all_loopback(target) ? 0 : forecast.opened_to_one * kTimeWait;
  if (static_cast<double>(forecast.to_one_endpoint) + waiting > ports * static_cast<double>(sources))
    out.push_back(
        {"net.ipv4.ip_local_port_range",
         fmt::format("{} connections to one endpoint at the peak{}, and one local address has {} ephemeral ports, "
                     "of which {:.0f} are counted on (net.ipv4.ip_local_port_range): widen it with `sysctl "
                     "net.ipv4.ip_local_port_range=\"1024 65535\"`",
                     forecast.to_one_endpoint,
                     waiting < 1 ? "" : fmt::format(", and {:.0f} that were closed within a minute", waiting),
                     limits.ports, ports * static_cast<double>(sources))});
  constexpr double kRoom = 1.2;  // they come now sooner, now later
  if (forecast.letters_of_one * kRoom + 2 > forecast.letters_numbered)
    out.push_back({"send:", fmt::format("a device sends and saves {:.0f} messages, and with so many devices that send "
                                        "each can number {:.0f}: play fewer customers, let them send less often, or "
                                        "make the plan shorter",
                                        forecast.letters_of_one, forecast.letters_numbered)});
  const auto& allowed = target.connections;
  if (allowed.user != 0 && forecast.of_one_account > allowed.user)
    out.push_back(
        {"connections: {user}",
         fmt::format("an account has {} devices that are connected at the same time, and the target file allows a "
                     "user {} (connections: {{user: {}}}). Dovecot: mail_max_userip_connections; Courier: "
                     "MAXPERIP; Cyrus: maxlogins_per_user",
                     forecast.of_one_account, allowed.user, allowed.user)});
  if (allowed.address != 0 && forecast.connections > allowed.address)
    out.push_back(
        {"connections: {address}",
         fmt::format("{} connections at the peak come from this address, and the target file allows an address {} "
                     "(connections: {{address: {}}}). Courier: MAXPERIP; Cyrus: maxlogins_per_host; Postfix: "
                     "smtpd_client_connection_count_limit; Dovecot has no such limit, but client_limit and "
                     "process_limit of its services imap-login, pop3-login and imap",
                     forecast.connections, allowed.address, allowed.address)});
  return out;
}

std::vector<std::string> advice(const Forecast& forecast, const scenario::Target& target) {
  constexpr std::size_t kOfUser = 10, kImapProcesses = 1024, kSmtp = 50;
  std::vector<std::string> out;
  if (target.connections.user == 0 && forecast.of_one_account > kOfUser)
    out.push_back(
        fmt::format("{} connections of one account: Dovecot allows a user {} from one address unless "
                    "mail_max_userip_connections says otherwise",
                    forecast.of_one_account, kOfUser));
  if (target.connections.address == 0 && forecast.imap > kImapProcesses)
    out.push_back(
        fmt::format("{} IMAP connections: Dovecot has {} processes for them unless process_limit of its "
                    "service imap, and client_limit of imap-login, say otherwise",
                    forecast.imap, kImapProcesses));
  if (target.connections.address == 0 && !target.smtp.empty() && forecast.mail > kSmtp)
    out.push_back(
        fmt::format("{} connections bring mail: Postfix allows an address {} unless "
                    "smtpd_client_connection_count_limit says otherwise, Exim 20 in all unless "
                    "smtp_accept_max does",
                    forecast.mail, kSmtp));
  return out;
}

std::string mail_a_day(const scenario::Plan& plan) {
  if (plan.accounts == 0 || plan.deliveries.rate <= 0) return {};
  return fmt::format("{:.0f} messages an account and day", plan.deliveries.rate * 86400 / plan.accounts);
}

std::string to_text(const Forecast& forecast, const scenario::Plan& plan, const Limits& limits,
                    const std::vector<Obstacle>& all, const std::vector<std::string>& sources,
                    const std::vector<std::string>& advised) {
  std::string out;
  const auto line = [&]<class... T>(fmt::format_string<T...> format, T&&... values) {
    fmt::format_to(std::back_inserter(out), format, std::forward<T>(values)...);
    out += '\n';
  };
  const double time = std::max(in_seconds(forecast.length), 1e-9);
  line("plan {}: {} in all, at a pace of {:g}", plan.name, format_duration(forecast.length), plan.pace);
  line("\n{:>10} {:>10} {:>12} {:>14}", "from", "to", "customers", "deliveries/s");
  Duration at{};
  for (const auto& phase : plan.phases) {
    line("{:>10} {:>10} {:>12} {:>14}", format_duration(at), format_duration(at + phase.length),
         fmt::format("{:.0f}..{:.0f}", phase.from * plan.accounts, phase.to * plan.accounts),
         fmt::format("{:.1f}..{:.1f}", phase.from * plan.deliveries.rate, phase.to * plan.deliveries.rate));
    at += phase.length;
  }
  line("\n{:<24} {:>9} {:>12} {:>12} {:>12}", "device", "accounts", "connections", "sessions", "commands");
  for (const auto& device : forecast.devices)
    line("{:<24} {:>9} {:>12} {:>12.0f} {:>12.0f}", device.name, device.accounts, device.connections, device.sessions,
         device.commands);
  for (const auto& one : forecast.beside) line("beside             {}", one);
  line("\nsessions           {:.0f}, {:.1f}/s", forecast.sessions, forecast.sessions / time);
  line("commands           {:.0f}, about {:.1f}/s", forecast.commands, forecast.commands / time);
  line("deliveries         {:.0f}, at most {:.1f}/s{}", forecast.deliveries, forecast.deliveries_rate,
       mail_a_day(plan).empty() ? "" : " = " + mail_a_day(plan));
  line("connections        {} at the peak, {} of one account", forecast.connections, forecast.of_one_account);
  line("accounts needed    {} = {} customers' + {} that reports come back to + {} of stories beside", forecast.needed(),
       forecast.accounts, forecast.senders, forecast.of_stories);
  line("open files         {} may be had (ulimit -n {})", limits.most_descriptors, limits.descriptors);
  line("ephemeral ports    {} an address and endpoint{}", limits.ports,
       sources.empty() ? ""
                       : fmt::format("; {} loopback addresses will be used, from {}", sources.size(), sources.front()));
  if (all.empty()) line("\nnothing stands in the way that is known here");
  for (const auto& one : all) line("\nin the way: {}", one.text);
  for (const auto& one : advised) line("\nperhaps in the way: {}", one);
  return out;
}

}  // namespace mailproof::load
