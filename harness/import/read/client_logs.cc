// What clients write down: MailKit's ProtocolLogger, JavaMail's debug output, and what Thunderbird remembers of POP3.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <optional>
#include <set>

#include "core/bytes.h"
#include "import/read/log_time.h"
#include "import/read/text_lines.h"

namespace mailproof::imports {
namespace {

constexpr std::string_view kConnected = "Connected to ";
constexpr ClockTime kNext = std::chrono::microseconds(1);  ///< between lines that have no time

/// "imap://mail.example.test:143/" as "mail.example.test:143".
std::string host_of(std::string_view url) {
  if (const std::size_t at = url.find("://"); at != std::string_view::npos) url.remove_prefix(at + 3);
  return std::string(url.substr(0, url.find('/')));
}

/// Octets of the literal that a line ends in, "{123}" or "{123+}".
std::optional<std::size_t> literal_at_end(std::string_view line) {
  if (!line.ends_with('}')) return std::nullopt;
  std::string_view count = line.substr(line.rfind('{') == std::string_view::npos ? line.size() : line.rfind('{') + 1);
  if (count.empty()) return std::nullopt;
  count.remove_suffix(1);
  if (count.ends_with('+')) count.remove_suffix(1);
  std::size_t out = 0;
  const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), out);
  if (count.empty() || error != std::errc() || end != count.data() + count.size()) return std::nullopt;
  return out;
}

}  // namespace

bool is_mailkit_log(std::string_view text) { return text.starts_with(kConnected); }

/// "Connected to imap://host:143/", then "C: " and "S: " before each line, perhaps with a time before that.
Result<std::vector<Overheard>> read_mailkit_log(const std::string& path, const std::string& text) {
  std::vector<Overheard> out;
  Overheard now;
  ClockTime at{};
  const auto close = [&] {
    if (recognise(now)) out.push_back(std::move(now));
    now = {};
  };
  TextLines lines(text);
  while (lines.next()) {
    std::string_view line = lines.without_cr();
    if (line.starts_with(kConnected)) {
      close();
      now.file = path;
      now.about.server = host_of(line.substr(kConnected.size()));
      continue;
    }
    at += kNext;
    if (const auto told = take_log_time(line, {})) at = std::max(at, *told);
    const bool server = line.starts_with("S: ");
    if (!server && !line.starts_with("C: ")) {
      if (line.empty()) continue;
      return Error{
          fmt::format("{}:{}:1", path, lines.number),
          fmt::format("expected \"C: \", \"S: \" or \"Connected to \", as MailKit's ProtocolLogger writes, and "
                      "here is: {}",
                      printable(line, 60))};
    }
    now.pieces.push_back({server ? Piece::Kind::server : Piece::Kind::client, at,
                          std::string(line.substr(3)) + (lines.ended ? "\r\n" : ""), false});
  }
  close();
  return out;
}

bool is_javamail_log(std::string_view text) {
  TextLines lines(text);
  while (lines.number < 20 && lines.next())
    if (lines.line.starts_with("DEBUG: JavaMail version") || lines.line.starts_with("DEBUG: Jakarta Mail version") ||
        lines.line.starts_with("DEBUG: setDebug: JavaMail") || lines.line.starts_with("DEBUG: setDebug: Jakarta Mail"))
      return true;
  return false;
}

namespace {

/// JavaMail writes down both sides as they pass, without saying who says it: what is an answer is known by what was
/// asked. Of a login it says that it is left out, so that a conversation begins behind it.
class JavaMailLog {
 public:
  explicit JavaMailLog(std::string path) : path_(std::move(path)) {}

  void line(std::string_view text) {
    at_ += kNext;
    if (literal_ > 0) {
      // What stands behind its end belongs to the response, which may announce another one.
      const std::size_t size = text.size() + 2, end = std::min(literal_, size);
      literal_ -= end;
      if (end < text.size()) literal_ = literal_at_end(text.substr(end)).value_or(0);
      goes_on_ = literal_ == 0 && end == size;
      return add(Piece::Kind::server, text);
    }
    if (std::exchange(goes_on_, false)) {
      literal_ = literal_at_end(text).value_or(0);
      return add(Piece::Kind::server, text);
    }
    if (upload_ > 0) {
      upload_ -= std::min(upload_, text.size() + 2);
      return add(Piece::Kind::client, text);
    }
    if (block_) {
      block_ = text != ".";
      return add(Piece::Kind::server, text);
    }
    if (text.starts_with("DEBUG")) return debug(text);
    if (text.empty()) return add(Piece::Kind::client, text);  // behind a literal of its own
    const std::string_view first = text.substr(0, text.find(' '));
    if (first == "+OK" || first == "-ERR" || first == "*" || first == "+" || asked_.contains(std::string(first)))
      return answer(first, text);
    ask(first, text);
  }

  std::vector<Overheard> all() {
    close();
    return std::move(out_);
  }

 private:
  void debug(std::string_view text) {
    const auto behind = [&](std::string_view words) {
      const std::size_t at = text.find(words);
      return at == std::string_view::npos ? std::string_view() : text.substr(at + words.size());
    };
    if (const auto host = behind("connect to host \""); !host.empty()) begin(host);
    if (const auto host = behind("connecting to host \""); !host.empty()) begin(host);
    if (const auto user = behind(", user="); !user.empty() && text.find("protocolConnect") != std::string_view::npos)
      now_.about.user = user.substr(0, user.find(", "));
    if (text.ends_with("command trace suppressed")) {
      // What is asked is not there, so that the conversation is known from the answer on.
      now_.pieces.clear();
      login_ = true;
    }
    if (const auto reply = behind("command result: "); login_ && !reply.empty()) add(Piece::Kind::server, reply);
  }

  /// 127.0.0.1", port 143, isSSL false
  void begin(std::string_view host) {
    close();
    const std::size_t quote = std::min(host.find('"'), host.size()), port = host.find("port ");
    now_.about.server = host.substr(0, quote);
    if (port == std::string_view::npos) return;
    host.remove_prefix(port + 5);
    now_.about.server += fmt::format(":{}", host.substr(0, host.find(',')));
  }

  void answer(std::string_view first, std::string_view text) {
    add(Piece::Kind::server, text);
    if (first == "*" || first == "+") {
      if (const auto octets = literal_at_end(text); octets && first == "*") literal_ = *octets;
      if (first == "+" && held_ > 0) upload_ = std::exchange(held_, 0);
      return;
    }
    if (first == "+OK" && !multi_.empty()) block_ = std::exchange(multi_, {}) == "yes";
    if (first == "-ERR") multi_.clear();
    asked_.erase(std::string(first));
  }

  void ask(std::string_view first, std::string_view text) {
    add(Piece::Kind::client, text);
    // RFC 7888: with '+' nobody waits for the server.
    if (const auto octets = literal_at_end(text)) (text.ends_with("+}") ? upload_ : held_) = *octets;
    const std::string verb = upper(first);
    const bool numbered = text.find(' ') != std::string_view::npos;
    const bool pop = verb == "STAT" || verb == "RETR" || verb == "TOP" || verb == "UIDL" || verb == "LIST" ||
                     verb == "DELE" || verb == "QUIT" || verb == "NOOP" || verb == "RSET" || verb == "CAPA";
    if (!pop) return void(asked_.insert(std::string(first)));
    const bool block = verb == "RETR" || verb == "TOP" || verb == "CAPA" || (verb == "UIDL" && !numbered) ||
                       (verb == "LIST" && !numbered);
    multi_ = block ? "yes" : "no";
  }

  void add(Piece::Kind kind, std::string_view text) {
    now_.pieces.push_back({kind, at_, fmt::format("{}\r\n", text), false});
  }

  void close() {
    now_.file = path_;
    if (recognise(now_)) {
      if (login_) now_.about.begin = Begin::login;
      out_.push_back(std::move(now_));
    }
    now_ = {};
    now_.about.server = path_;
    login_ = goes_on_ = false;
    asked_.clear();
    literal_ = upload_ = held_ = 0;
    block_ = false;
    multi_.clear();
  }

  const std::string path_;
  std::vector<Overheard> out_;
  Overheard now_;
  ClockTime at_{};
  std::set<std::string> asked_;  ///< tags without an answer
  std::size_t literal_ = 0, upload_ = 0, held_ = 0;
  bool login_ = false;    ///< was left out
  bool goes_on_ = false;  ///< the response, behind a literal that ended with a line
  bool block_ = false;    ///< a POP3 response that ends in a dot
  std::string multi_;     ///< whether the next +OK begins one: "yes", "no"; "" = nothing is asked
};

}  // namespace

Result<std::vector<Overheard>> read_javamail_log(const std::string& path, const std::string& text) {
  JavaMailLog log(path);
  TextLines lines(text);
  while (lines.next()) log.line(lines.without_cr());
  return log.all();
}

bool is_popstate(std::string_view text) {
  TextLines lines(text);
  bool account = false;
  while (lines.next()) {
    const std::string_view line = lines.without_cr();
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with('*')) {
      account = line.find(' ') != std::string_view::npos;
      if (!account) return false;
      continue;
    }
    const bool form = line.size() > 2 && line[1] == ' ' && std::string_view("kdbf").find(line[0]) != std::string::npos;
    return account && form;
  }
  return account;
}

/// "*mail.example.test alice", then "k 000000036b0c2bb5 1795342502" for each message that Thunderbird has taken or
/// left.
Result<std::vector<Overheard>> read_popstate(const std::string& path, const std::string& text) {
  Overheard state;
  state.file = path;
  std::string host, user;
  TextLines lines(text);
  while (lines.next()) {
    std::string_view line = lines.without_cr();
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t space = line.find(' ');
    const auto wrong = [&](std::string_view expected) {
      return Error{fmt::format("{}:{}:1", path, lines.number),
                   fmt::format("expected {}, and here is: {}", expected, printable(line, 60))};
    };
    if (space == std::string_view::npos) return wrong("\"*HOST USER\" or \"k UNIQUE-ID SECONDS\"");
    if (line.front() == '*') {
      host = line.substr(1, space - 1);
      user = line.substr(space + 1);
      continue;
    }
    const std::string_view rest = line.substr(space + 1), uidl = rest.substr(0, rest.find(' '));
    const std::string_view when = uidl.size() < rest.size() ? rest.substr(uidl.size() + 1) : std::string_view();
    std::int64_t seconds = 0;
    std::from_chars(when.data(), when.data() + when.size(), seconds);
    const std::string_view state_of = line.front() == 'k'   ? "taken, and left on the server"
                                      : line.front() == 'd' ? "taken, and to be deleted"
                                      : line.front() == 'b' ? "left there, because it is too big"
                                      : line.front() == 'f' ? "to be taken whole"
                                                            : "";
    if (space != 1 || state_of.empty() || user.empty()) return wrong("k, d, b or f behind a line \"*HOST USER\"");
    Logged out;
    out.at = std::chrono::seconds(seconds);
    out.in_the_end = true;
    out.said.code = line.front() == 'd' ? "to-be-deleted" : "kept";
    out.said.user = user;
    out.said.uidl = uidl;
    out.said.text = fmt::format("popstate.dat of {} on {}: {}; known since {:%Y-%m-%d %H:%M:%S} UTC", user, host,
                                state_of, fmt::gmtime(static_cast<std::time_t>(seconds)));
    state.logged.push_back(std::move(out));
  }
  std::vector<Overheard> all;
  if (!state.logged.empty()) all.push_back(std::move(state));
  return all;
}

}  // namespace mailproof::imports
