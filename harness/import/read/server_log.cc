// What servers write down of mail: the lines of Dovecot's mail_log plugin and of its LMTP, Exim's main log, Postfix's.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>

#include "core/bytes.h"
#include "import/read/log_time.h"
#include "import/read/text_lines.h"

namespace mailproof::imports {
namespace {

using Codes = std::pair<std::string_view, std::string_view>;  ///< the log's word, ours

std::string_view code_for(std::span<const Codes> codes, std::string_view word) {
  const auto at = std::find_if(codes.begin(), codes.end(), [&](const Codes& one) { return one.first == word; });
  return at == codes.end() ? std::string_view() : at->second;
}

/// What stands before `sign`, taken off the front with it. Nothing: it is not there.
std::optional<std::string_view> take_until(std::string_view& text, std::string_view sign) {
  const std::size_t at = text.find(sign);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view out = text.substr(0, at);
  text.remove_prefix(at + sign.size());
  return out;
}

/// What stands behind "name=", up to the next ", " or the end; "" = there is none.
std::string_view field_of(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    if ((at != 0 && text[at - 1] != ' ') || at + name.size() >= text.size() || text[at + name.size()] != '=') continue;
    const std::string_view out = text.substr(at + name.size() + 1);
    return out.substr(0, out.find(", "));
  }
  return {};
}

/// "<...>" of what a log calls a Message-ID, which may have lost its brackets.
std::string as_message_id(std::string_view text) {
  if (text.empty() || text == "<>") return {};
  return text.starts_with('<') ? std::string(text) : fmt::format("<{}>", text);
}

/// "imap(alice)<4711><session>: Info: expunge: box=INBOX, uid=8, msgid=<1@x>, size=651", "lmtp(alice)<..>: Info: msgid=
/// <1@x>: saved mail to INBOX".
std::optional<Witness> dovecot_line(std::string_view line) {
  constexpr std::array<std::string_view, 4> kServices = {"imap(", "pop3(", "lmtp(", "lda("};
  constexpr std::array kEvents = std::to_array<Codes>({{"delete", "marked"},
                                                       {"undelete", "unmarked"},
                                                       {"expunge", "expunged"},
                                                       {"save", "saved"},
                                                       {"append", "saved"}});
  std::size_t begin = std::string_view::npos;
  for (const std::string_view service : kServices) {
    const std::size_t at = line.find(service);
    if (at != std::string_view::npos && (at == 0 || line[at - 1] == ' ')) begin = std::min(begin, at);
  }
  if (begin == std::string_view::npos) return std::nullopt;
  Witness out;
  out.text = line.substr(begin);
  std::string_view rest = line.substr(begin);
  take_until(rest, "(");
  const auto user = take_until(rest, ")");
  if (!user || !take_until(rest, ": ")) return std::nullopt;
  out.user = *user;
  if (rest.starts_with("Info: ")) rest.remove_prefix(6);
  if (rest.starts_with("sieve: ")) rest.remove_prefix(7);
  if (rest.starts_with("msgid=")) {
    rest.remove_prefix(6);
    const auto id = take_until(rest, ": ");
    const bool here = rest.starts_with("saved mail to ") || rest.starts_with("stored mail into mailbox ");
    if (!id || !here) return std::nullopt;
    out.message_id = as_message_id(*id);
    out.code = "delivered";
    out.mailbox =
        rest.substr(rest.find(rest.starts_with("saved") ? " to " : "mailbox ") + (rest.starts_with("saved") ? 4 : 8));
    std::erase(out.mailbox, '\'');
    return out;
  }
  const auto event = take_until(rest, ": ");
  if (!event) return std::nullopt;
  out.code = event->starts_with("copy ") ? "copied" : code_for(kEvents, *event);
  if (out.code.empty()) return std::nullopt;
  out.mailbox = field_of(rest, "box");
  out.message_id = as_message_id(field_of(rest, "msgid"));
  const std::string_view uid = field_of(rest, "uid");
  std::from_chars(uid.data(), uid.data() + uid.size(), out.uid);
  return out;
}

/// "1xkzJL-0001Vo-1f => alice <alice@example.test> R=.. T=.. C="250 ..."": a queue id tells which message it is.
class EximLog {
 public:
  std::optional<Witness> line(std::string_view line) {
    if (line.starts_with('[')) {
      std::string_view rest = line;
      if (take_until(rest, "] ")) line = rest;
    }
    std::string_view rest = line;
    const auto id = take_until(rest, " ");
    if (!id || std::count(id->begin(), id->end(), '-') != 2 || id->size() < 16) return std::nullopt;
    constexpr std::array kArrows = std::to_array<Codes>(
        {{"<=", "accepted"}, {"=>", "delivered"}, {"->", "delivered"}, {"**", "bounced"}, {"==", "deferred"}});
    const std::string arrow(rest.substr(0, rest.find(' ')));
    Witness out;
    out.code = code_for(kArrows, arrow);
    if (out.code.empty()) return std::nullopt;
    rest.remove_prefix(std::min(rest.size(), arrow.size() + 1));
    out.text = fmt::format("exim: {}", line);
    if (arrow == "<=") {
      const std::size_t at = rest.find(" id=");
      if (at != std::string_view::npos) {
        std::string_view found = rest.substr(at + 4);
        ids_[std::string(*id)] = as_message_id(found.substr(0, found.find(' ')));
      }
    } else {
      const std::size_t open = rest.find('<'), close = rest.find('>');
      const std::string_view name = rest.substr(0, rest.find(' '));
      out.user =
          open == name.size() + 1 && close != std::string_view::npos ? rest.substr(open + 1, close - open - 1) : name;
      while (out.user.ends_with(':')) out.user.pop_back();
    }
    const auto known = ids_.find(*id);
    if (known == ids_.end()) return std::nullopt;  // which message that is nobody can say
    out.message_id = known->second;
    return out;
  }

 private:
  std::map<std::string, std::string, std::less<>> ids_;
};

/// "host postfix/lmtp[4711]: 4XYZ: to=<alice@example.test>, relay=.., dsn=2.0.0, status=sent (250 ...)".
class PostfixLog {
 public:
  std::optional<Witness> line(std::string_view line) {
    std::string_view rest = line;
    if (!take_until(rest, "postfix/") || !take_until(rest, "]: ")) return std::nullopt;
    const auto id = take_until(rest, ": ");
    if (!id || id->empty() || id->find(' ') != std::string_view::npos) return std::nullopt;
    Witness out;
    out.text = line.substr(line.find("postfix/"));
    if (rest.starts_with("message-id=")) {
      ids_[std::string(*id)] = as_message_id(rest.substr(11));
      out.code = "accepted";
    } else {
      constexpr std::array kStates = std::to_array<Codes>(
          {{"sent", "delivered"}, {"bounced", "bounced"}, {"deferred", "deferred"}, {"expired", "bounced"}});
      const std::string_view state = field_of(rest, "status");
      out.code = code_for(kStates, state.substr(0, state.find(' ')));
      // An alias that was written out: it goes on under another id, to who has it in the end.
      if (out.code.empty() || rest.find("status=sent (forwarded as ") != std::string_view::npos) return std::nullopt;
      out.user = field_of(rest, "to");
      std::erase_if(out.user, [](char c) { return c == '<' || c == '>'; });
    }
    const auto known = ids_.find(*id);
    if (known == ids_.end() || known->second.empty()) return std::nullopt;
    out.message_id = known->second;
    return out;
  }

 private:
  std::map<std::string, std::string, std::less<>> ids_;
};

constexpr std::size_t kLook = 50;  ///< lines by which a log is known

bool is_one_of(std::string_view line) {
  const auto has = [&](std::string_view words) { return line.find(words) != std::string_view::npos; };
  for (const std::string_view service : {"master: ", "imap-login: ", "pop3-login: ", "imap(", "pop3(", "lmtp(", "lda("})
    if (line.starts_with(service)) return true;
  if (has(" postfix/") || has("dovecot: ") || line.starts_with("exim 4") || has(" dovecot[")) return true;
  if (line.starts_with("Start queue run") || line.starts_with("End queue run")) return true;
  std::string_view rest = line;
  const auto id = take_until(rest, " ");
  return id && id->size() >= 16 && std::count(id->begin(), id->end(), '-') == 2;
}

constexpr ClockTime kAnyYear = std::chrono::seconds(7'258'000'000);  ///< the last that clock_time() knows

}  // namespace

bool is_server_log(std::string_view text) {
  TextLines lines(text);
  while (lines.number < kLook && lines.next()) {
    std::string_view line = lines.without_cr();
    if (take_log_time(line, kAnyYear) && is_one_of(line)) return true;
  }
  return false;
}

Result<std::vector<Overheard>> read_server_log(const std::string& path, const std::string& text, ClockTime newest) {
  Overheard log;
  log.file = path;
  EximLog exim;
  PostfixLog postfix;
  TextLines lines(text);
  while (lines.next()) {
    std::string_view line = lines.without_cr();
    const auto at = take_log_time(line, newest);
    if (!at) continue;  // what belongs to the line before it
    auto said = line.find("postfix/") != std::string_view::npos ? postfix.line(line) : dovecot_line(line);
    if (!said) said = exim.line(line);
    if (said) log.logged.push_back({*at, std::move(*said), false});
  }
  std::vector<Overheard> out;
  if (!log.logged.empty()) out.push_back(std::move(log));
  return out;
}

}  // namespace mailproof::imports
