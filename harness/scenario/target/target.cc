#include "scenario/target/target.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/units.h"
#include "scenario/parse.h"
#include "scenario/target/pool.h"
#include "scenario/yaml/fields.h"
#include "scenario/yaml/files.h"

namespace mailproof::scenario {
namespace {

const std::vector<std::string> kTargetKeys = {"target",         "imap",        "pop3",   "lmtp",        "smtp",
                                              "delivery",       "tls",         "settle", "pop3_delete", "pop3_download",
                                              "gives_up_after", "accounts",    "admin",  "allow",       "known",
                                              "connections",    "capabilities"};
const std::vector<std::string> kAdminVerbs = {"set_quota", "set_customer_quota", "restart", "kill", "pause", "deliver"};
const std::vector<std::string> kFilledIn = {"{login}", "{address}", "{customer}", "{octets}", "{milliseconds}"};
const std::vector<std::string> kAllowed = {"failed-logins", "floods", "limits", "restarts"};
constexpr std::int64_t kMostConnections = 1'000'000;
constexpr Word<bool> kCapabilitiesOf[] = {{"server", false}, {"backend", true}};
constexpr std::size_t kMaxCertificates = 16U << 20;
constexpr std::string_view kEndpoint = "an endpoint like {host: 127.0.0.1, port: 143, tls: starttls}";
constexpr std::string_view kEndpoints = "a list of endpoints like {host: 127.0.0.1, port: 143, tls: starttls}";
constexpr Word<Way> kRealWays[] = {
    {"lmtp", Way::lmtp}, {"smtp", Way::smtp}, {"append", Way::append}, {"command", Way::command}};

/// Registered ports (RFC 8314 section 3 for implicit TLS); LMTP has none, 24 is what servers use.
std::uint16_t usual_port(Protocol protocol, TlsMode tls) {
  const bool implicit = tls == TlsMode::implicit;
  switch (protocol) {
    case Protocol::imap:
      return implicit ? 993 : 143;
    case Protocol::pop3:
      return implicit ? 995 : 110;
    case Protocol::smtp:
      return implicit ? 465 : 25;
    case Protocol::lmtp:
      return 24;
  }
  return 0;
}

class TargetReader {
 public:
  TargetReader(const Node& root, const Environment& environment, Complaints& complaints, LoadedTarget& out)
      : root_(root), environment_(environment), complaints_(complaints), out_(out), target_(out.target) {}

  void run() {
    check_keys(root_, kTargetKeys, complaints_);
    require_keys(root_, {"target", "accounts"}, complaints_);
    if (const Node* node = find(root_, "target"))
      target_.name = read_text(*node, "the target's name", complaints_).value_or("");
    endpoints();
    if (const Node* node = find(root_, "tls")) tls(*node);
    if (const Node* node = find(root_, "settle"))
      target_.settle = read_duration(*node, complaints_).value_or(target_.settle);
    if (const Node* node = find(root_, "pop3_delete"))
      target_.pop3_delete = read_word(*node, kPop3Deletes, complaints_);
    if (const Node* node = find(root_, "pop3_download"))
      target_.pop3_download = read_word(*node, kPop3Downloads, complaints_);
    if (const Node* node = find(root_, "gives_up_after")) target_.gives_up_after = read_duration(*node, complaints_);
    if (const Node* node = find(root_, "admin")) admin(*node);
    delivery();
    if (const Node* node = find(root_, "accounts"))
      read_pool(
          *node,
          [this](const std::string& variable) {
            target_.password_envs.insert(variable);
            return environment_(variable);
          },
          complaints_, target_.accounts, out_.problems);
    if (const Node* node = find(root_, "allow")) allow(*node);
    if (const Node* node = find(root_, "known")) known(*node);
    if (const Node* node = find(root_, "connections")) connections(*node);
    if (const Node* node = find(root_, "capabilities"))
      target_.behind_proxy = read_word(*node, kCapabilitiesOf, complaints_).value_or(false);
  }

 private:
  void endpoints() {
    bool any = false;
    for (auto [key, protocol, list] :
         {std::tuple("imap", Protocol::imap, &target_.imap), std::tuple("pop3", Protocol::pop3, &target_.pop3),
          std::tuple("lmtp", Protocol::lmtp, &target_.lmtp), std::tuple("smtp", Protocol::smtp, &target_.smtp)}) {
      const Node* node = find(root_, key);
      if (node == nullptr) continue;
      any = true;
      if (node->kind != Node::Kind::list || node->children.empty()) {
        complaints_.value(*node, std::string(kEndpoints));
        continue;
      }
      for (const auto& entry : node->children) endpoint(entry, protocol, *list);
    }
    if (!any)
      complaints_.at(root_.pos, root_.children.front().key,
                     "also imap:, pop3:, lmtp: or smtp:, where the target is reached");
  }

  void endpoint(const Node& node, Protocol protocol, std::vector<Endpoint>& list) {
    if (!is_map(node, kEndpoint, complaints_)) return;
    std::vector<std::string> keys = {"host", "port", "tls", "source"};
    if (protocol == Protocol::smtp) keys.emplace_back("auth");
    check_keys(node, keys, complaints_);
    Endpoint one;
    one.protocol = protocol;
    if (const Node* host = find(node, "host")) {
      one.host = read_text(*host, "a host name or address", complaints_).value_or("");
      // "[::1]", as in an address with a port.
      if (one.host.size() > 2 && one.host.front() == '[' && one.host.back() == ']')
        one.host = one.host.substr(1, one.host.size() - 2);
      // "imap://mail.example.test", "mail.example.test:143"; an address of IPv6 has colons, and more than one.
      if (one.host.find_first_of(" /@[]") != std::string::npos ||
          std::count(one.host.begin(), one.host.end(), ':') == 1)
        complaints_.value(*host, "a host name or address alone; its port stands in port:");
    }
    if (const Node* mode = find(node, "tls"))
      one.tls = read_word(*mode, kTlsModes, complaints_).value_or(TlsMode::none);
    one.port = usual_port(protocol, one.tls);
    if (const Node* port = find(node, "port"))
      one.port = static_cast<std::uint16_t>(read_number(*port, 1, 65535, "a port", complaints_).value_or(1));
    if (const Node* source = find(node, "source"))
      one.source = read_text(*source, "an address of this host", complaints_).value_or("");
    if (const Node* auth = find(node, "auth")) one.auth = read_flag(*auth, complaints_).value_or(false);
    list.push_back(std::move(one));
  }

  void tls(const Node& node) {
    if (!is_map(node, "{ca: FILE} or {insecure: yes}", complaints_)) return;
    check_keys(node, {"ca", "insecure"}, complaints_);
    if (const Node* ca = find(node, "ca"))
      if (const auto file = read_text(*ca, "the name of a file with certificates", complaints_)) {
        target_.ca_file = beside(complaints_.file(), *file);
        const auto text = read_file(target_.ca_file, kMaxCertificates);
        if (!text) complaints_.value(*ca, text.error().why);
        if (text && text->find("-----BEGIN ") == std::string::npos)
          complaints_.value(*ca, "a file with certificates in PEM: -----BEGIN CERTIFICATE-----");
      }
    if (const Node* insecure = find(node, "insecure"))
      target_.insecure = read_flag(*insecure, complaints_).value_or(false);
  }

  bool reachable(Way way) const {
    switch (way) {
      case Way::lmtp:
        return !target_.lmtp.empty();
      case Way::smtp:
        return !target_.smtp.empty();
      case Way::append:
        return !target_.imap.empty();
      case Way::command:
        return target_.admin.count("deliver") != 0;
      case Way::any:
        return false;
    }
    return false;
  }

  /// Without `delivery:` every way that the endpoints offer, in the usual order of preference.
  void delivery() {
    const Node* node = find(root_, "delivery");
    if (node == nullptr) {
      for (Way way : {Way::lmtp, Way::smtp, Way::append})
        if (reachable(way)) target_.delivery.push_back(way);
      return;
    }
    for (const Node* entry : read_list(*node, "lmtp, smtp, append or command", complaints_)) {
      const auto way = read_word(*entry, kRealWays, complaints_);
      if (!way) continue;
      if (!reachable(*way)) {
        const std::string_view lacks = *way == Way::append    ? "imap"
                                       : *way == Way::command ? "admin.deliver"
                                                              : name(*way);
        complaints_.value(*entry, fmt::format("a way that this file describes; it has no {}:", lacks));
      }
      target_.delivery.push_back(*way);
    }
  }

  void admin(const Node& node) {
    if (!is_map(node, "a command a verb, like {restart: [systemctl, restart, dovecot]}", complaints_)) return;
    check_keys(node, kAdminVerbs, complaints_);
    for (const auto& entry : node.children) {
      constexpr std::string_view expected = "a command and its arguments";
      const std::size_t before = complaints_.size();
      auto& command = target_.admin[entry.key] = read_texts(entry, expected, complaints_);
      if (complaints_.size() != before) continue;
      const bool one_line = entry.kind == Node::Kind::scalar && entry.text.find(' ') != std::string::npos;
      if (command.empty() || one_line)
        complaints_.value(entry, fmt::format("{}{}", expected,
                                             one_line ? ", each a word of a list like [systemctl, restart, dovecot]: "
                                                        "no shell takes it apart"
                                                      : ""));
      const auto& words = entry.kind == Node::Kind::list ? entry.children : std::vector<Node>{entry};
      for (const Node& word : words) filled_in(word);
    }
  }

  /// "{logn}" is not filled in; what is no misspelt word may be the command's own, as awk's "{print}".
  void filled_in(const Node& word) {
    for (auto at = word.text.find('{'); at != std::string::npos; at = word.text.find('{', at + 1)) {
      const auto end = word.text.find('}', at);
      if (end == std::string::npos) return;
      const std::string name = word.text.substr(at, end + 1 - at);
      if (std::find(kFilledIn.begin(), kFilledIn.end(), name) == kFilledIn.end() && nearest_word(name, kFilledIn))
        complaints_.at(word.pos, name, either(kFilledIn), kFilledIn);
    }
  }

  void allow(const Node& node) {
    for (const Node* entry : read_list(node, either(kAllowed), complaints_)) {
      if (entry->kind == Node::Kind::scalar &&
          std::find(kAllowed.begin(), kAllowed.end(), entry->text) != kAllowed.end()) {
        target_.allow.push_back(entry->text);
      } else {
        complaints_.value(*entry, either(kAllowed), kAllowed);
      }
    }
  }

  void connections(const Node& node) {
    if (!is_map(node, "{user: 3, address: 20}: as many at the same time", complaints_)) return;
    check_keys(node, {"user", "address"}, complaints_);
    for (const auto& [key, into] :
         {std::pair("user", &target_.connections.user), std::pair("address", &target_.connections.address)})
      if (const Node* found = find(node, key))
        *into = static_cast<std::size_t>(
            read_number(*found, 1, kMostConnections, "a number of connections", complaints_).value_or(0));
  }

  void known(const Node& node) {
    constexpr std::string_view expected =
        "deviations like {id: pop3.1939-7.top-byte-stuffing, why: fixed in 4.2, until: 2027-03-01}";
    if (node.kind != Node::Kind::list) return complaints_.value(node, fmt::format("a list of {}", expected));
    for (const auto& entry : node.children) {
      if (!is_map(entry, expected, complaints_)) continue;
      check_keys(entry, {"id", "why", "until"}, complaints_);
      Known one;
      for (const auto& [key, field] : {std::pair("id", &one.id), std::pair("why", &one.why)}) {
        if (const Node* found = find(entry, key)) {
          *field = read_text(*found, "text", complaints_).value_or("");
        } else {
          complaints_.value(entry, fmt::format("{}: in a known deviation", key));
        }
      }
      if (const Node* until = find(entry, "until")) one.until = read_date(*until, complaints_).value_or("");
      target_.known.push_back(std::move(one));
    }
  }

  const Node& root_;
  const Environment& environment_;
  Complaints& complaints_;
  LoadedTarget& out_;
  Target& target_;
};

/// What was meant for another place: said once, and not key by key.
bool another_kind(const Node& root, Complaints& complaints) {
  if (find(root, "target") != nullptr) return false;
  for (const auto& [key, kind] : {std::pair{"steps", "a story"}, std::pair{"checks", "a file of checks"},
                                  std::pair{"plan", "a load plan"}, std::pair{"profile", "a device profile"}})
    if (const Node* found = find(root, key)) {
      complaints.key(*found,
                     fmt::format("a target (target, accounts, and imap, pop3, lmtp or smtp); this is {}", kind));
      return true;
    }
  return false;
}

}  // namespace

LoadedTarget parse_target(std::string_view text, const std::string& name, const Environment& environment) {
  LoadedTarget out;
  Complaints complaints(name);
  const auto root = parse_root(text, "a target: target, imap, pop3, lmtp, smtp, accounts", complaints);
  if (root && !another_kind(*root, complaints)) TargetReader(*root, environment, complaints, out).run();
  auto here = complaints.take();
  out.problems.insert(out.problems.begin(), std::make_move_iterator(here.begin()), std::make_move_iterator(here.end()));
  return out;
}

LoadedTarget load_target(const std::string& path, const Environment& environment) {
  const auto text = read_file(path, kMaxFile);
  if (text) return parse_target(*text, path, environment);
  LoadedTarget out;
  out.problems.push_back({path, {}, path, text.error().why, ""});
  return out;
}

}  // namespace mailproof::scenario
