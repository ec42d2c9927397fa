// Thunderbird's IMAP log (MOZ_LOG=IMAP:5,timestamp): a line for what is sent and for each line that is received.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "core/bytes.h"
#include "import/read/log_time.h"
#include "import/read/text_lines.h"

namespace mailproof::imports {
namespace {

constexpr std::string_view kModule = "/IMAP ";  ///< behind D, I, W or E, the level
constexpr std::string_view kSends = ":SendData: ", kReceives = ":CreateNewLineFromSocket: ";

/// "7f9fdc166b00:mail.test:S-INBOX:SendData: 5 select "INBOX"": a connection, and what passed.
struct Said {
  std::string connection, server, data;
  Piece::Kind kind = Piece::Kind::client;
};

std::optional<Said> read_said(std::string_view text) {
  const std::size_t sends = text.find(kSends), receives = text.find(kReceives);
  const std::size_t at = std::min(sends, receives);
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon >= at ||
      text.substr(0, colon).find_first_not_of("0123456789abcdefABCDEFx") != std::string_view::npos)
    return std::nullopt;
  const std::string_view rest = text.substr(colon + 1, at - colon - 1);
  Said out;
  out.connection = text.substr(0, colon);
  out.server = rest.substr(0, rest.find(':'));
  out.kind = at == sends ? Piece::Kind::client : Piece::Kind::server;
  out.data = text.substr(at + (at == sends ? kSends : kReceives).size());
  return out;
}

/// What stands behind "[Parent 812: IMAP]: I/IMAP ", or behind "1344[3f74b68]: " as it was long ago.
std::optional<std::string_view> message_of(std::string_view line) {
  const std::size_t module = line.find(kModule);
  if (module != std::string_view::npos && module > 0 && module < 100) return line.substr(module + kModule.size());
  const std::size_t bracket = line.find("]: ");
  if (bracket == std::string_view::npos || bracket > 60 || line.find('[') > bracket) return std::nullopt;
  return line.substr(bracket + 3);
}

class ThunderbirdLog {
 public:
  explicit ThunderbirdLog(std::string path) : path_(std::move(path)) {}

  void line(std::string_view line) {
    const auto told = take_log_time(line, {});
    at_ = std::max(at_ + std::chrono::microseconds(1), told.value_or(at_));
    while (line.starts_with("UTC ") || line.starts_with("- ")) line.remove_prefix(line.find(' ') + 1);
    const auto text = message_of(line);
    if (!text) return;
    if (text->starts_with("ReadNextLine") || text->empty()) return;
    if (auto said = read_said(*text)) return begin(std::move(*said));
    // What is longer than a line of the log goes on in the next one.
    if (open_ != nullptr && text->find(':') != 8 && !is_other(*text)) open_->text += *text;
  }

  std::vector<Overheard> all() {
    finish();
    for (auto& [name, connection] : by_connection_) over_.push_back(std::move(connection.heard));
    std::vector<Overheard> out;
    for (Overheard& conversation : over_)
      if (recognise(conversation)) out.push_back(std::move(conversation));
    return out;
  }

 private:
  /// Told of the connection, and no part of what passed: "7f9f:mail.test:NA:SetupWithUrl: ...".
  static bool is_other(std::string_view text) {
    const std::size_t colon = text.find(':');
    return colon != std::string_view::npos && colon >= 6 &&
           text.substr(0, colon).find_first_not_of("0123456789abcdefABCDEFx") == std::string_view::npos;
  }

  void begin(Said said) {
    finish();
    Connection& connection = by_connection_[said.connection];
    Overheard& conversation = connection.heard;
    const bool client = said.kind == Piece::Kind::client;
    if (client && said.data.find("Logging suppressed") != std::string::npos) {
      // A login: the conversation is known from its answer on. One that had its login is over: connections are named by
      // where they lie in memory, which is given out again.
      if (connection.asked) over_.push_back(std::move(conversation));
      connection = {};
      connection.login = true;
      return;
    }
    connection.asked = connection.asked || (client && connection.login);
    conversation.file = path_;
    conversation.about.server = said.server.empty() ? path_ : said.server;
    conversation.about.realm = said.server;
    conversation.pieces.push_back({said.kind, at_, std::move(said.data), false});
    open_ = &conversation.pieces.back();
  }

  void finish() {
    if (open_ != nullptr) open_->text += "\r\n";
    open_ = nullptr;
  }

  struct Connection {
    Overheard heard;
    bool login = false, asked = false;  ///< it had a login, and something was asked behind it
  };

  const std::string path_;
  std::map<std::string, Connection> by_connection_;
  std::vector<Overheard> over_;
  Piece* open_ = nullptr;
  ClockTime at_{};
};

}  // namespace

bool is_thunderbird_log(std::string_view text) {
  TextLines lines(text);
  while (lines.number < 200 && lines.next()) {
    const auto message = message_of(lines.line);
    if (message && read_said(*message)) return true;
  }
  return false;
}

Result<std::vector<Overheard>> read_thunderbird_log(const std::string& path, const std::string& text) {
  ThunderbirdLog log(path);
  TextLines lines(text);
  while (lines.next()) log.line(lines.without_cr());
  return log.all();
}

}  // namespace mailproof::imports
