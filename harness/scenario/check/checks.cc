#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "core/units.h"
#include "scenario/check/file_protocol.h"
#include "scenario/check/talk.h"
#include "scenario/parse.h"
#include "scenario/story/actors.h"
#include "scenario/yaml/fields.h"

namespace mailproof::scenario {
namespace {

const std::vector<std::string> kFileKeys = {"id",    "title",   "why",   "refs", "tags",
                                            "needs", "mailbox", "state", "tls",  "checks"};
const std::vector<std::string> kCheckKeys = {"id",      "title",    "level",     "harm",   "note",           "refs",
                                             "tags",    "needs",    "when",      "unless", "allow",          "tls",
                                             "state",   "mailbox",  "repeat",    "rule",   "talk",           "steps",
                                             "devices", "accounts", "customers", "why",    "strict_untagged"};

const std::vector<std::string> kPop3Capabilities = {
    "APOP",       "AUTH-RESP-CODE", "CAPA", "EXPIRE", "IMPLEMENTATION", "LANG", "LOGIN-DELAY", "PIPELINING",
    "RESP-CODES", "SASL",           "STLS", "TOP",    "UIDL",           "USER", "UTF8"};
const std::vector<std::string> kImapCapabilities = {
    "ACL",           "APPENDLIMIT",   "BINARY",         "CATENATE",
    "CHILDREN",      "CONDSTORE",     "CONTEXT=SEARCH", "CREATE-SPECIAL-USE",
    "ENABLE",        "ESEARCH",       "ESORT",          "ID",
    "IDLE",          "IMAP4REV1",     "IMAP4REV2",      "INPROGRESS",
    "LIST-EXTENDED", "LIST-METADATA", "LIST-STATUS",    "LITERAL+",
    "LITERAL-",      "LOGINDISABLED", "METADATA",       "MOVE",
    "MULTIAPPEND",   "MULTISEARCH",   "NAMESPACE",      "NOTIFY",
    "OBJECTID",      "PARTIAL",       "PREVIEW",        "QRESYNC",
    "QUOTA",         "QUOTASET",      "REPLACE",        "SASL-IR",
    "SAVEDATE",      "SEARCHRES",     "SORT",           "SORT=DISPLAY",
    "SPECIAL-USE",   "STARTTLS",      "STATUS=SIZE",    "THREAD=REFERENCES",
    "UIDPLUS",       "UIDONLY",       "UNAUTHENTICATE", "UNSELECT",
    "URLAUTH",       "UTF8=ACCEPT",   "UTF8=ONLY",      "WITHIN",
    "AUTH=PLAIN",    "AUTH=LOGIN",    "AUTH=CRAM-MD5"};
/// Of the answer to EHLO and LHLO.
const std::vector<std::string> kMailCapabilities = {
    "8BITMIME",  "ATRN",        "AUTH", "BINARYMIME",          "BURL",       "CHECKPOINT",    "CHUNKING",
    "DELIVERBY", "DSN",         "ETRN", "ENHANCEDSTATUSCODES", "EXPN",       "FUTURERELEASE", "HELP",
    "LIMITS",    "MT-PRIORITY", "MTRK", "PIPELINING",          "REQUIRETLS", "RRVS",          "SIZE",
    "SMTPUTF8",  "STARTTLS",    "VRFY"};
const std::vector<std::string> kMechanisms = {
    "PLAIN",     "LOGIN",       "CRAM-MD5",      "DIGEST-MD5",       "EXTERNAL",
    "ANONYMOUS", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS",
    "GSSAPI",    "NTLM",        "OAUTHBEARER",   "XOAUTH2"};

bool is_slug(std::string_view text) {
  if (text.empty() || text.size() > 80) return false;
  char before = '-';
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!letter && !(c == '-' && before != '-')) return false;
    before = c;
  }
  return before != '-';
}

/// "pop3.1939-5", "imap.9051-6.4.9", "imap.9051-appA", "x".
bool is_file_id(std::string_view text) {
  if (text == "x" || text == "sec" || text == "time") return true;  // no RFC says these
  const auto dot = text.find('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const std::string_view protocol = text.substr(0, dot), section = text.substr(dot + 1);
  if (!is_slug(protocol) || section.empty() || section.front() == '-' || section.back() == '-') return false;
  return std::all_of(section.begin(), section.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
  });
}

/// One RFC section with its checks.
class ChecksReader {
 public:
  ChecksReader(const Node& root, Complaints& complaints) : root_(root), complaints_(complaints) {}

  std::vector<Scenario> run() {
    check_keys(root_, kFileKeys, complaints_);
    require_keys(root_, {"id", "title", "checks"}, complaints_);
    const Node* id = find(root_, "id");
    if (id != nullptr) {
      if (is_file_id(id->text)) {
        file_id_ = id->text;
      } else {
        complaints_.value(*id, "the id of an RFC section, like pop3.1939-5, or x for what no single RFC says");
      }
    }
    if (const Node* title = find(root_, "title")) read_text(*title, "one line of text", complaints_);
    needs_ = read_needs(root_, complaints_);
    const Node* checks = find(root_, "checks");
    if (checks == nullptr) return {};
    if (checks->kind != Node::Kind::list || checks->children.empty()) {
      complaints_.value(*checks, "a list of checks");
      return {};
    }
    for (const Node& one : checks->children) read_check(one);
    return std::move(out_);
  }

 private:
  /// What a check says itself, or else its file.
  const Node* own_or_file(const Node& map, std::string_view key) const {
    const Node* own = find(map, key);
    return own != nullptr ? own : find(root_, key);
  }

  void read_check(const Node& map) {
    if (!is_map(map, "a check: id, level, title and one of talk, steps, rule", complaints_)) return;
    check_keys(map, kCheckKeys, complaints_);
    require_keys(map, {"id", "level", "title"}, complaints_);
    Scenario scenario;
    Check check;
    check.file_id = file_id_;
    if (const Node* id = find(map, "id")) {
      scenario.id_pos = id->pos;
      if (is_slug(id->text)) {
        check.slug = id->text;
      } else {
        complaints_.value(*id, "lower-case words joined by -, like list-empty");
      }
    }
    scenario.id = fmt::format("{}.{}", file_id_, check.slug);
    head(map, scenario, check);
    const bool talk = find(map, "talk") != nullptr, steps = find(map, "steps") != nullptr;
    if (talk && steps) complaints_.key(*find(map, "steps"), "talk: or steps:, not both");
    if (!talk && !steps)
      complaints_.key(map.children.front(),
                      "also talk: or steps: (a rule needs a talk that makes it bytes to look at)");
    if (steps) {
      for (const auto key : {"mailbox", "state", "tls", "repeat", "strict_untagged"})
        if (const Node* found = find(map, key)) complaints_.key(*found, "this beside talk: only");
      read_story(map, complaints_, scenario);
      if (complaints_.empty())
        check_needs(find(map, "needs") != nullptr ? find(map, "needs") : find(root_, "needs"), complaints_, scenario);
    } else if (talk) {
      talk_parts(map, scenario, check);
    }
    scenario.check = std::move(check);
    out_.push_back(std::move(scenario));
  }

  void head(const Node& map, Scenario& scenario, Check& check) {
    if (const Node* title = find(map, "title"))
      scenario.title = read_text(*title, "one line of text", complaints_).value_or("");
    if (const Node* why = find(map, "why")) scenario.why = read_text(*why, "a sentence", complaints_).value_or("");
    if (const Node* level = find(map, "level"))
      if (const auto word = read_word(*level, kLevels, complaints_)) check.level = *word;
    if (const Node* harm = find(map, "harm")) {
      if (const auto word = read_word(*harm, kHarms, complaints_)) check.harm = *word;
      if (check.level != Level::practice) complaints_.key(*harm, "harm: beside level: PRACTICE only");
    }
    if (const Node* note = find(map, "note")) check.note = read_text(*note, "a sentence", complaints_).value_or("");
    if (const Node* rule = find(map, "rule"))
      check.rule = read_text(*rule, "the name of a wire rule", complaints_).value_or("");
    if (const Node* refs = own_or_file(map, "refs"))
      scenario.refs = read_texts(*refs, "a reference like RFC 1939 section 6", complaints_);
    if (const Node* tags = own_or_file(map, "tags")) scenario.tags = read_texts(*tags, "a tag", complaints_);
    scenario.needs = needs_;
    for (const Need need : read_needs(map, complaints_))
      if (std::find(scenario.needs.begin(), scenario.needs.end(), need) == scenario.needs.end())
        scenario.needs.push_back(need);
    if (const Node* when = find(map, "when")) check.when = read_texts(*when, "a capability, like STLS", complaints_);
    if (const Node* unless = find(map, "unless"))
      check.unless = read_texts(*unless, "a capability, like PIPELINING", complaints_);
    for (const auto& one : check.when) capability(*find(map, "when"), one);
    for (const auto& one : check.unless) capability(*find(map, "unless"), one);
    if (const Node* allow = find(map, "allow"))
      check.allow = read_texts(*allow, "what the target must permit, like failed-logins", complaints_);
  }

  /// A word that nobody knows is offered by no server: the check would be not-applicable for ever.
  void capability(const Node& node, const std::string& one) {
    const Protocol protocol = protocol_of_file(file_id_);
    const auto words = words_in(one);
    const auto near = [&](std::string_view word, const std::vector<std::string>& known) {
      const auto is = [&](const std::string& other) { return iequals(other, word); };
      if (std::any_of(known.begin(), known.end(), is)) return;
      if (nearest_word(word, known))
        complaints_.note(node.pos, word, "a capability that some server offers: this is none of the RFCs'", known);
    };
    if (!words.empty())
      near(words.front(), protocol == Protocol::imap   ? kImapCapabilities
                          : protocol == Protocol::pop3 ? kPop3Capabilities
                                                       : kMailCapabilities);
    if (words.size() > 1 && (iequals(words.front(), "SASL") || iequals(words.front(), "AUTH")))
      near(words[1], kMechanisms);
  }

  void talk_parts(const Node& map, Scenario& scenario, Check& check) {
    std::vector<std::optional<std::uint64_t>> quotas(1);
    const auto quota = [this](const Node& node) -> std::optional<std::uint64_t> {
      if (!is_map(node, "{quota: 64KiB}, or {}", complaints_)) return std::nullopt;
      check_keys(node, {"quota"}, complaints_);
      const Node* size = find(node, "quota");
      return size == nullptr ? std::nullopt : read_size(*size, complaints_);
    };
    const Node* node = find(map, "accounts");
    if (node != nullptr && node->kind == Node::Kind::list && node->children.size() <= 9) {
      quotas.clear();
      for (const Node& one : node->children) quotas.push_back(quota(one));
    } else if (node != nullptr && node->kind == Node::Kind::map) {
      quotas.front() = quota(*node);
    } else if (node != nullptr) {
      constexpr const char* kWanted = "{quota: 64KiB}, a list of such, or how many accounts are leased";
      quotas.resize(static_cast<std::size_t>(read_number(*node, 1, 9, kWanted, complaints_).value_or(1)));
    }
    const auto accounts = quotas.size();
    for (std::size_t i = 1; i <= accounts; ++i)
      scenario.accounts.push_back({i == 1 ? "user" : fmt::format("user{}", i), quotas[i - 1], scenario.id_pos});
    check.first.protocol = protocol_of_file(file_id_);
    check.first.standing = usual_standing(check.first.protocol);
    std::string connect;
    if (const Node* state = own_or_file(map, "state")) connect += state->text;
    if (const Node* tls = own_or_file(map, "tls"))
      connect += fmt::format("{}tls={}", connect.empty() ? "" : " ", tls->text);
    if (!connect.empty()) read_connect(connect, find(map, "talk")->key_pos, 1, complaints_, check.first);
    if (const Node* strict = find(map, "strict_untagged"))
      check.strict_untagged = read_flag(*strict, complaints_).value_or(false);
    if (const Node* repeat = find(map, "repeat"))
      check.repeat = static_cast<int>(read_number(*repeat, 1, 1000, "how many times", complaints_).value_or(1));

    Device mta;
    mta.name = "mta";
    mta.kind = DeviceKind::deliverer;
    Device client;
    client.name = "client";
    client.kind = check.first.protocol == Protocol::imap   ? DeviceKind::imap
                  : check.first.protocol == Protocol::pop3 ? DeviceKind::pop3
                                                           : DeviceKind::deliverer;
    Device watcher;
    watcher.name = "watcher";
    watcher.webmail = true;
    scenario.devices = {mta, client, watcher};
    if (const Node* mailbox = own_or_file(map, "mailbox")) fill(*mailbox, scenario);
    check.deliveries = scenario.steps.size();
    const Node& talk = *find(map, "talk");
    if (talk.kind != Node::Kind::scalar) {
      complaints_.value(talk, "lines of talk, in a block: talk: |");
    } else {
      read_talk(talk, accounts, complaints_, scenario, check);
    }
    if (!scenario.steps.empty() &&
        std::find(scenario.needs.begin(), scenario.needs.end(), Need::delivery) == scenario.needs.end())
      scenario.needs.push_back(Need::delivery);
  }

  /// mailbox: {messages: 3, kind: plain}, or a list of kinds, each of which may be a map.
  void fill(const Node& node, Scenario& scenario) {
    if (node.kind == Node::Kind::list) {
      for (const Node& one : node.children) fill_one(one, scenario);
    } else {
      fill_one(node, scenario);
    }
  }

  void fill_one(const Node& node, Scenario& scenario) {
    if (node.kind == Node::Kind::scalar) {
      if (auto read = read_fill(node.text, node.pos, complaints_)) keep(std::move(*read), node, scenario);
      return;
    }
    if (!is_map(node, "{messages: 3, kind: plain, size: 8KiB, via: append}, or a kind", complaints_)) return;
    check_keys(node, {"messages", "count", "kind", "size", "via", "mime"}, complaints_);
    auto read = read_fill("1", node.pos, complaints_);
    auto& deliver = read->get<Deliver>();
    for (const auto key : {"messages", "count"})
      if (const Node* count = find(node, key))
        deliver.count = static_cast<int>(read_number(*count, 0, 5000, "how many messages", complaints_).value_or(1));
    if (const Node* kind = find(node, "kind"); kind != nullptr && !read_fill_kind(kind->text, deliver))
      complaints_.value(*kind, either(words_of(kMessageKinds)), words_of(kMessageKinds));
    if (const Node* size = find(node, "size")) deliver.size = read_size(*size, complaints_).value_or(0);
    const Node* mime = find(node, "mime");
    if (mime != nullptr) {
      for (const auto key : {"kind", "size", "via"})
        if (const Node* found = find(node, key))
          complaints_.key(*found, "mime: without this; it is the whole message, and is appended");
      deliver.mime = read_mime(*mime);
      deliver.via = Way::append;  // an MTA may change it, or add what a check wants missing
    }
    if (const Node* via = find(node, "via")) deliver.via = read_word(*via, kWays, complaints_);
    if (deliver.count > 0) keep(std::move(*read), mime != nullptr ? *mime : node, scenario);
  }

  /// The text of a message as it goes over the wire: a line end of YAML is CRLF. What makes a message ours comes on top
  /// of it, so that it may not have that itself.
  std::string read_mime(const Node& node) {
    std::string out;
    const std::string text = read_text(node, "the text of a message, in a block: mime: |", complaints_).value_or("");
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
      out += text[i];
    }
    const auto end = out.find("\r\n\r\n");
    if (end == std::string::npos) complaints_.value(node, "a header, a blank line and a body");
    const std::string header = "\n" + out.substr(0, end);
    for (std::size_t at = 0; at != std::string::npos; at = header.find('\n', at + 1))
      for (const std::string_view own : {"Message-ID:", "X-Mailproof:"})
        if (istarts_with(std::string_view(header).substr(at + 1), own))
          complaints_.value(node, fmt::format("no {} in it: each message gets its own", own.substr(0, own.size() - 1)));
    return out;
  }

  static void keep(Step step, const Node& node, Scenario& scenario) {
    step.text = fmt::format("mailbox: {}", node.key == "mime" ? "a message of the check's own" : one_line(node));
    scenario.steps.push_back(std::move(step));
  }

  const Node& root_;
  Complaints& complaints_;
  std::string file_id_;
  std::vector<Need> needs_;
  std::vector<Scenario> out_;
};

}  // namespace

std::vector<Scenario> read_checks(const Node& root, Complaints& complaints) {
  return ChecksReader(root, complaints).run();
}

}  // namespace mailproof::scenario
