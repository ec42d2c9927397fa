// URLAUTH (RFC 4467): a URL with a token in it lets others fetch a message, or a part of one, without its mailbox. The
// owner's name in it must be the user's own, and whatever host it names is this one.
#include <fmt/format.h>

#include <algorithm>

#include "core/hash.h"
#include "server/imap/imap_url.h"
#include "server/imap/session.h"
#include "wire/mime/date.h"

namespace mailproof::server {
namespace {

constexpr std::string_view kMechanism = "INTERNAL";
/// Before every token: how it was made (section 10: a server should be able to change that).
constexpr std::string_view kAlgorithm = "01";

/// The mailbox access key of a mailbox; empty until it is first wanted.
struct AccessKey {
  std::string value;
};

/// Those of an account's sessions that are to hear of a new key.
struct Listeners {
  std::vector<ImapSession*> sessions;
};

/// Of one session: is among the account's listeners while a mailbox is selected.
class Listening {
 public:
  ~Listening() { end(); }
  void begin(ImapSession& session) {
    end();
    session_ = &session;
    account_ = &session.account();
    account_->extras.get<Listeners>().sessions.push_back(session_);
  }
  void end() {
    if (account_ != nullptr) std::erase(account_->extras.get<Listeners>().sessions, session_);
    account_ = nullptr;
  }

 private:
  ImapSession* session_ = nullptr;
  AccountState* account_ = nullptr;
};

void make_key(ImapSession& session, Mailbox& mailbox) {
  auto& key = mailbox.extras().get<AccessKey>().value;
  key.clear();
  for (int i = 0; i < 8; ++i) key += fmt::format("{:08x}", session.context().rng.next());
}

/// iurlauth-rump = [";EXPIRE=" date-time] ";URLAUTH=" access
struct Authorisation {
  std::optional<std::int64_t> expires;  ///< seconds since 1970
  std::string access;                   ///< "submit+fred", "user+fred", "authuser", "anonymous"
};

/// An authimapurl, with or without its ":mech:token". Nothing: it is none.
struct AuthorisedUrl {
  std::string owner;
  ImapUrlPath path;
  Authorisation authorisation;
  std::string mechanism, token;  ///< empty: not there
  std::string_view rump;         ///< what the token is made of, as it stands
};

/// date-time of RFC 3339: "2026-03-01T10:00:00Z", "...+01:00", with fractions of a second, which count for nothing.
std::optional<std::int64_t> read_date_time(std::string_view text) {
  const auto digits = [&](std::size_t from, std::size_t count) {
    int out = 0;
    for (std::size_t i = from; i < from + count; ++i) {
      if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
      out = out * 10 + (text[i] - '0');
    }
    return out;
  };
  const mime::DateTime date{.year = digits(0, 4),
                            .month = digits(5, 2),
                            .day = digits(8, 2),
                            .hour = digits(11, 2),
                            .minute = digits(14, 2),
                            .second = digits(17, 2)};
  const bool shaped = text.size() >= 20 && text[4] == '-' && text[7] == '-' && (text[10] == 'T' || text[10] == 't') &&
                      text[13] == ':' && text[16] == ':';
  const bool within = date.year > 0 && date.month >= 1 && date.month <= 12 && date.day >= 1 && date.day <= 31 &&
                      date.hour >= 0 && date.hour <= 23 && date.minute >= 0 && date.minute <= 59 && date.second >= 0 &&
                      date.second <= 60;
  if (!shaped || !within) return std::nullopt;
  std::size_t at = 19;
  if (text[at] == '.')
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9';) ++at;
  int zone = 0;
  if (at >= text.size()) return std::nullopt;
  if (text[at] == '+' || text[at] == '-') {
    const auto hours = digits(at + 1, 2), minutes = digits(at + 4, 2);
    if (text.size() != at + 6 || text[at + 3] != ':' || hours < 0 || minutes < 0) return std::nullopt;
    zone = (hours * 60 + minutes) * 60 * (text[at] == '-' ? -1 : 1);
  } else if (!iequals(text.substr(at), "Z")) {
    return std::nullopt;
  }
  return date.unix_seconds() - zone;
}

std::optional<AuthorisedUrl> read_url(std::string_view url) {
  constexpr std::string_view kScheme = "imap://";
  constexpr std::string_view kUrlAuth = ";URLAUTH=";
  constexpr std::string_view kExpire = ";EXPIRE=";
  if (!istarts_with(url, kScheme)) return std::nullopt;
  AuthorisedUrl out;
  const auto slash = url.find('/', kScheme.size());
  if (slash == std::string_view::npos) return std::nullopt;
  const auto server = url.substr(kScheme.size(), slash - kScheme.size());
  const auto at = server.find('@');
  if (at == std::string_view::npos) return std::nullopt;
  const auto user = server.substr(0, at);
  out.owner = percent_decoded(user.substr(0, std::min(user.find(';'), user.size())));
  const auto path = read_imap_url_path(url.substr(slash));
  if (!path || path->mailbox.empty() || out.owner.empty()) return std::nullopt;
  out.path = *path;
  std::string_view rest = path->rest;
  if (istarts_with(rest, kExpire)) {
    rest.remove_prefix(kExpire.size());
    const auto end = rest.find(';');
    out.authorisation.expires = read_date_time(percent_decoded(rest.substr(0, end)));
    if (!out.authorisation.expires || end == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(end);
  }
  if (!istarts_with(rest, kUrlAuth)) return std::nullopt;
  rest.remove_prefix(kUrlAuth.size());
  const auto colon = rest.find(':');
  out.rump = url.substr(0, colon == std::string_view::npos ? url.size() : url.size() - rest.size() + colon);
  out.authorisation.access = percent_decoded(rest.substr(0, colon));
  if (colon != std::string_view::npos) {
    rest.remove_prefix(colon + 1);
    const auto second = rest.find(':');
    if (second == std::string_view::npos) return std::nullopt;
    out.mechanism = rest.substr(0, second);
    out.token = rest.substr(second + 1);
  }
  const auto& access = out.authorisation.access;
  const auto named = [&](std::string_view prefix) {
    return istarts_with(access, prefix) && access.size() > prefix.size();
  };
  const bool known = iequals(access, "authuser") || iequals(access, "anonymous") || named("user+") || named("submit+");
  return known ? std::optional(std::move(out)) : std::nullopt;
}

std::string token_of(const Mailbox& mailbox, std::string_view rump) {
  return fmt::format("{}{}", kAlgorithm, hex(hmac_sha256(mailbox.extras().find<AccessKey>()->value, rump)));
}

/// Section 3. Nobody here is a message submission entity, so what is for one is for nobody.
bool may_use(const ImapSession& session, const std::string& access) {
  if (!istarts_with(access, "user+")) return !istarts_with(access, "submit+");
  const auto* user = session.context().store.by_login(std::string_view(access).substr(5));
  return user == &session.account();
}

/// Nothing: the URL is not valid, whatever the reason.
std::optional<std::string> fetched(ImapSession& session, std::string_view text) {
  const auto url = read_url(text);
  if (!url || !iequals(url->mechanism, kMechanism)) return std::nullopt;
  const auto* owner = session.context().store.by_login(url->owner);
  const auto mailbox = owner == nullptr ? nullptr : owner->mailbox(url->path.mailbox);
  if (!mailbox) return std::nullopt;
  const auto* key = mailbox->extras().find<AccessKey>();
  if (key == nullptr || key->value.empty() || !iequals(token_of(*mailbox, url->rump), url->token)) return std::nullopt;
  const auto& authorisation = url->authorisation;
  if (authorisation.expires && *authorisation.expires < internal_date(session.now()).seconds) return std::nullopt;
  if (!may_use(session, authorisation.access)) return std::nullopt;
  return url_text(*mailbox, url->path);
}

// genurlauth = "GENURLAUTH" 1*(SP url-rump SP mechanism)
void gen_url_auth(ImapSession& session, imap::Cursor& c) {
  std::string answer, wrong;
  bool mechanism_known = true;
  do {
    c.sp();
    const auto rump = session.literal_text(c.astring());
    c.sp();
    mechanism_known = iequals(c.atom(), kMechanism) && mechanism_known;
    if (!c.ok()) break;
    const auto url = read_url(rump);
    const bool own = url && session.context().store.by_login(url->owner) == &session.account();
    const auto mailbox = own ? session.account().mailbox(session.canonical(url->path.mailbox)) : nullptr;
    if (!mailbox || !url->token.empty()) {
      wrong = "A URL of a message of one's own is wanted, with an access identifier";
      continue;
    }
    if (mailbox->extras().get<AccessKey>().value.empty()) make_key(session, *mailbox);
    answer += ' ' + imap_string(fmt::format("{}:{}:{}", rump, "internal", token_of(*mailbox, rump)));
  } while (c.ok() && c.peek() == ' ');
  if (!c.end()) return session.bad(c);
  if (!wrong.empty()) return session.bad(wrong);
  if (!mechanism_known) return session.no("The only mechanism is INTERNAL");
  session.print("* GENURLAUTH{}\r\n", answer);
  session.ok("Done");
}

// urlfetch = "URLFETCH" 1*(SP url-full)
void url_fetch(ImapSession& session, imap::Cursor& c) {
  std::vector<std::string> urls;
  do {
    c.sp();
    urls.push_back(session.literal_text(c.astring()));
  } while (c.ok() && c.peek() == ' ');
  if (!c.end()) return session.bad(c);
  session.write("* URLFETCH");
  for (const auto& url : urls) {
    session.print(" {} ", imap_string(url));
    if (const auto text = fetched(session, url)) {
      session.print("{{{}}}\r\n", text->size());
      session.write(*text);
    } else {
      session.write("NIL");
    }
  }
  session.write("\r\n");
  session.ok("Done");
}

// resetkey = "RESETKEY" [SP mailbox *(SP mechanism)]
void reset_key(ImapSession& session, imap::Cursor& c) {
  if (c.rest().empty()) {
    for (const auto& [name, mailbox] : session.account().mailboxes()) mailbox->extras().get<AccessKey>().value.clear();
    return session.ok("All keys removed");
  }
  c.sp();
  const auto name = session.read_mailbox_name(c);
  bool known = true;
  while (c.ok() && c.accept(' ')) known = iequals(c.atom(), kMechanism) && known;
  if (!c.end()) return session.bad(c);
  const auto mailbox = session.existing(name, "[NONEXISTENT]");
  if (!mailbox) return;
  if (&mailbox->owner() != &session.account()) return session.no("[NOPERM] That is its owner's affair");
  if (!known) return session.no("The only mechanism is INTERNAL");
  make_key(session, *mailbox);
  for (auto* other : session.account().extras.get<Listeners>().sessions) {
    if (other == &session || other->view() == nullptr || &other->view()->mailbox() != mailbox.get()) continue;
    other->print("* OK [URLMECH {}] There is a new key\r\n", kMechanism);
    other->wake();
  }
  session.ok(fmt::format("[URLMECH {}] There is a new key", kMechanism));
}

}  // namespace

const Extension& urlauth_extension() {
  static const Extension extension{.capabilities = "URLAUTH",
                                   .commands = {{"GENURLAUTH", kLoggedIn, gen_url_auth},
                                                {"URLFETCH", kLoggedIn, url_fetch},
                                                {"RESETKEY", kLoggedIn, reset_key}},
                                   .selected =
                                       [](ImapSession& session) {
                                         session.print("* OK [URLMECH {}] URLs can be authorised\r\n", kMechanism);
                                         session.own<Listening>().begin(session);
                                       },
                                   .deselected = [](ImapSession& session) { session.own<Listening>().end(); }};
  return extension;
}

}  // namespace mailproof::server
