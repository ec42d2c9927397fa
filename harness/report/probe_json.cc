#include <fmt/chrono.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "report/escape.h"
#include "report/json.h"
#include "report/json_values.h"
#include "report/probe.h"

namespace mailproof::report {
namespace {

using Json = nlohmann::ordered_json;

std::string moment(std::chrono::sys_seconds at) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(at.time_since_epoch().count())));
}

Json certificate_json(const Certificate& certificate, std::chrono::sys_seconds at) {
  Json out;
  out["subject"] = plain(certificate.subject);
  out["names"] = texts(certificate.names);
  out["issuer"] = plain(certificate.issuer);
  out["valid_from"] = moment(certificate.valid_from);
  out["valid_until"] = moment(certificate.valid_until);
  out["days_left"] = days_left(certificate, at);
  out["verified"] = certificate.verified;
  if (!certificate.verified) out["trouble"] = plain(certificate.trouble);
  return out;
}

Json endpoint_json(const ProbedEndpoint& one, std::chrono::sys_seconds at) {
  Json out;
  out["protocol"] = name(one.endpoint.protocol);
  out["host"] = plain(one.endpoint.host);
  out["port"] = one.endpoint.port;
  out["tls"] = name(one.endpoint.tls);
  out["answered"] = one.answered;
  out["usable"] = one.usable;
  out["logged_in"] = one.logged_in;
  if (!one.trouble.empty()) out["trouble"] = plain(one.trouble);
  if (!one.greeting.empty()) out["greeting"] = plain(one.greeting);
  out["capabilities"] = Json::object();
  if (one.before_tls) out["capabilities"]["before_tls"] = texts(*one.before_tls);
  if (one.after_tls) out["capabilities"]["after_tls"] = texts(*one.after_tls);
  if (one.after_login) out["capabilities"]["after_login"] = texts(*one.after_login);
  out["mechanisms"] = texts(mechanisms(one));
  if (!one.tls_version.empty()) out["tls_session"] = {{"version", one.tls_version}, {"cipher", one.cipher}};
  if (one.certificate) out["certificate"] = certificate_json(*one.certificate, at);
  out["round_trip_ms"] = Json::object();
  if (one.connect_ms) out["round_trip_ms"]["connect"] = *one.connect_ms;
  if (one.noop_ms) out["round_trip_ms"]["noop"] = *one.noop_ms;
  if (one.crowd)
    out["connections"] = {{"opened", one.crowd->opened},
                          {"logged_in", one.crowd->logged_in},
                          {"served", one.crowd->served},
                          {"refusals", texts(one.crowd->refusals)}};
  if (!one.crowd && !one.no_crowd.empty()) out["connections"] = {{"not_tried", plain(one.no_crowd)}};
  return out;
}

Json login_json(const ProbedLogin& login) {
  Json out;
  out["login"] = login.ok ? "ok" : login.tried ? "refused" : "not-tried";
  if (!login.text.empty()) out["text"] = plain(login.text);
  if (login.messages) out["messages"] = *login.messages;
  return out;
}

Json account_json(const ProbedAccount& account) {
  Json out;
  out["login"] = plain(account.login);
  if (account.quota) out["promised_quota"] = *account.quota;
  if (account.imap) out["imap"] = login_json(*account.imap);
  if (account.pop3) out["pop3"] = login_json(*account.pop3);
  out["mailboxes"] = Json::array();
  for (const ProbedMailbox& mailbox : account.mailboxes) {
    Json one = {{"name", plain(mailbox.name)}, {"messages", mailbox.messages}};
    if (mailbox.ours) one["ours"] = *mailbox.ours;
    out["mailboxes"].push_back(std::move(one));
  }
  if (!account.quotas) return out;
  out["quotas"] = Json::array();
  for (const ProbedQuota& quota : *account.quotas)
    out["quotas"].push_back({{"root", plain(quota.root)},
                             {"resource", plain(quota.resource)},
                             {"used", quota.used},
                             {"limit", quota.limit}});
  return out;
}

}  // namespace

std::string probe_json(const Probe& probe) {
  Json out;
  out["target"] = plain(probe.target);
  out["version"] = plain(probe.version);
  out["at"] = moment(probe.at);
  out["status"] = probe_status(probe);
  out["interrupted"] = probe.interrupted;
  out["insecure"] = probe.insecure;
  out["endpoints"] = Json::array();
  for (const ProbedEndpoint& one : probe.endpoints) out["endpoints"].push_back(endpoint_json(one, probe.at));
  out["accounts"] = Json::array();
  for (const ProbedAccount& account : probe.accounts) out["accounts"].push_back(account_json(account));
  out["pool"] = {{"accounts", probe.pool}, {"with_quota", probe.pool_limited}};
  out["delivery"] = texts(probe.delivery);
  out["open_files"] = probe.open_files;
  out["obstacles"] = Json::array();
  for (const Obstacle& one : obstacles(probe))
    out["obstacles"].push_back({{"hinders", one.hinders}, {"text", plain(one.text)}});
  return print_json(out) + "\n";
}

}  // namespace mailproof::report
