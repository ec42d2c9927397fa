#include "judge/rules/pop3_exchanges.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "wire/pop3/command.h"
#include "wire/text/dot_stuffing.h"

namespace mailproof::judge {
namespace {

constexpr std::size_t kCommandLine = 253;  // RFC 2449 section 4: 255 octets with CRLF

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// A line of the client and the last piece of the connection that holds any of it.
struct Said {
  std::string text;
  bool crlf = false;
  std::size_t piece = 0;
};

/// command = keyword *(SP param) CRLF ;255 octets maximum. Octets above 127 are let through: RFC 6856 has them in names
/// and passwords.
bool grammatical(const Said& line) {
  if (!line.crlf || line.text.empty() || line.text.size() > kCommandLine) return false;
  if (std::any_of(line.text.begin(), line.text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
    return false;
  return line.text.front() != ' ' && (line.text.back() != ' ' || istarts_with(line.text, "PASS "));
}

std::string_view without_cr(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

Pop3Exchange::Indicator Pop3Exchange::indicator() const {
  for (const auto& [word, kind] : {std::pair("+OK", Indicator::ok), std::pair("-ERR", Indicator::err)}) {
    if (!istarts_with(status, word)) continue;
    const std::string_view rest = status.substr(std::string_view(word).size());
    const bool word_ends = rest.empty() || std::isalnum(static_cast<unsigned char>(rest.front())) == 0;
    if (word_ends) return kind;
  }
  return Indicator::neither;
}

bool Pop3Exchange::challenge() const {
  const bool place = to == To::response || (to == To::command && keyword == "AUTH" && !argument.empty());
  return place && (status == "+" || status.starts_with("+ "));
}

std::string_view Pop3Exchange::text() const {
  const std::size_t space = status.find(' ');
  return space == std::string_view::npos ? std::string_view() : status.substr(space + 1);
}

std::string Pop3Exchange::said() const {
  if (to == To::connection) return "the greeting";
  if (to == To::response) return "a response within AUTH";
  if (argument.empty()) return printable(keyword);
  if (keyword == "AUTH") return "AUTH " + printable(argument.substr(0, argument.find(' ')));
  const bool shown = one_of(keyword, {"LIST", "UIDL", "RETR", "TOP", "DELE", "LANG", "CAPA", "STAT", "NOOP"});
  return printable(keyword) + " " + (shown ? printable(argument) : "***");
}

std::string Pop3Exchange::excerpt() const {
  const std::string client = to == To::connection ? "" : fmt::format("C: {}\n", to == To::response ? "***" : said());
  return fmt::format("{}S: {}", client, printable(status));
}

std::string Pop3Exchange::excerpt(std::string_view line) const {
  return fmt::format("{}\nS: {}", excerpt(), printable(line));
}

/// One direction each of what passed before TLS, or under it.
class Pop3Exchanges::Layer {
 public:
  Layer(const history::WireBytes& bytes, bool secured, std::string& server) : server_(server), secured_(secured) {
    bool fresh = true;
    for (std::size_t i = 0; i < bytes.pieces.size(); ++i) {
      const auto& piece = bytes.pieces[i];
      if (piece.secured != secured) continue;
      if (piece.from_server) {
        arrivals_.emplace_back(server.size(), i);
        server += piece.bytes;
        continue;
      }
      for (const char c : piece.bytes) {
        if (std::exchange(fresh, false)) client_.emplace_back();
        Said& line = client_.back();
        line.piece = i;
        if (c != '\n') {
          line.text += c;
          continue;
        }
        line.crlf = line.text.ends_with('\r');
        if (line.crlf) line.text.pop_back();
        fresh = true;
      }
    }
    unfinished_ = !fresh;
  }

  bool silent() const { return server_.empty(); }
  /// Nothing stands behind the STLS that was asked for: TLS begins with nothing outstanding.
  bool ends_with_stls() const {
    return !client_.empty() && !unfinished_ && client_.back().crlf && iequals(client_.back().text, "STLS");
  }

  void pair(bool greeting, std::vector<Pop3Exchange>& out) {
    bool within_auth = false;
    for (rest_ = server_; rest_.find('\n') != std::string_view::npos;) {
      Pop3Exchange exchange;
      exchange.secured = secured_;
      if (!std::exchange(greeting, false)) {
        const Said* said = asked();
        if (said == nullptr || !(within_auth ? said->crlf : grammatical(*said))) return;
        ++next_;
        if (within_auth) {
          exchange.to = Pop3Exchange::To::response;
          exchange.keyword = "AUTH";
        } else {
          const std::size_t space = said->text.find(' ');
          exchange.to = Pop3Exchange::To::command;
          exchange.keyword = upper(said->text.substr(0, space));
          if (space != std::string::npos) exchange.argument = said->text.substr(space + 1);
        }
      }
      take_status(exchange);
      within_auth = exchange.challenge();
      const pop3::Success success = exchange.to == Pop3Exchange::To::command && exchange.positive()
                                        ? pop3::success_of({pop3::Verb::unknown, exchange.keyword, exchange.argument})
                                        : pop3::Success::one_line;
      if (success == pop3::Success::lines) take_list(exchange);
      if (success == pop3::Success::message) take_message(exchange);
      const bool over =
          exchange.positive() && exchange.to == Pop3Exchange::To::command && one_of(exchange.keyword, {"STLS", "QUIT"});
      out.push_back(std::move(exchange));
      if (over || success == pop3::Success::unknown) return;
    }
  }

 private:
  /// The command that the next line of the server answers: one that was said before the line began to arrive.
  const Said* asked() const {
    if (next_ >= client_.size() || (unfinished_ && next_ + 1 == client_.size())) return nullptr;
    const std::size_t offset = server_.size() - rest_.size();
    const auto after = std::upper_bound(arrivals_.begin(), arrivals_.end(), offset,
                                        [](std::size_t at, const auto& arrival) { return at < arrival.first; });
    return client_[next_].piece < std::prev(after)->second ? &client_[next_] : nullptr;
  }

  std::string_view take_line() {
    const std::size_t end = rest_.find('\n');
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return line;
  }

  void take_status(Pop3Exchange& exchange) {
    const std::string_view line = take_line();
    exchange.ends_in_crlf = line.ends_with('\r');
    exchange.status = without_cr(line);
  }

  void take_list(Pop3Exchange& exchange) {
    exchange.multi_line = true;
    const std::string_view from = rest_;
    while (rest_.find('\n') != std::string_view::npos) {
      const std::size_t length = from.size() - rest_.size();
      const std::string_view line = take_line();
      if (without_cr(line) != ".") continue;
      exchange.body = from.substr(0, length);
      exchange.whole = true;
      exchange.terminator_is_crlf = line.ends_with('\r');
      return;
    }
    exchange.body = from.substr(0, from.size() - rest_.size());
    rest_ = {};
  }

  void take_message(Pop3Exchange& exchange) {
    exchange.multi_line = true;
    text::DotReader reader;
    while (!rest_.empty() && !reader.done()) reader.take(rest_);
    exchange.whole = reader.done();
    exchange.octets = reader.stats().octets;
  }

  const std::string& server_;
  bool secured_;
  bool unfinished_ = false;  ///< the last line of client_ has no end
  std::vector<Said> client_;
  std::size_t next_ = 0;
  std::vector<std::pair<std::size_t, std::size_t>> arrivals_;  ///< offset in server_, piece it came in
  std::string_view rest_;
};

Pop3Exchanges::Pop3Exchanges(const history::WireBytes& bytes) {
  if (bytes.protocol != Protocol::pop3) return;
  Layer clear(bytes, false, clear_), secured(bytes, true, secured_);
  const bool implicit = clear.silent();
  clear.pair(true, all_);
  if (implicit || clear.ends_with_stls()) secured.pair(implicit, all_);
}

std::vector<BodyLine> body_lines(const Pop3Exchange& exchange) {
  std::vector<BodyLine> out;
  std::string_view rest = exchange.body;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    std::string_view text = without_cr(line);
    if (text.starts_with('.')) text.remove_prefix(1);
    out.push_back({text, line.ends_with('\r')});
  }
  return out;
}

}  // namespace mailproof::judge
