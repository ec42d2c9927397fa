// How an IMAP server's lines end, and that each command is completed once.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "core/bytes.h"
#include "judge/rules/imap_rules.h"
#include "wire/imap/line_scan.h"

namespace mailproof::judge::imap_rules {
namespace {

/// What the server said until TLS came up or until its end, in order; lines of the client between them by their first
/// words.
struct Line {
  bool from_server = false;
  std::string text;   ///< with its line end; of a server's line with literals the first physical line
  bool first = true;  ///< of a response: no literal stands before it
};

/// Takes the lines off one side's bytes. Octets of the server's literals are passed over; those of the client's are
/// lines like others, which only lets more pass.
class Side {
 public:
  explicit Side(bool server) : server_(server) {}

  void feed(std::string_view bytes, const std::function<void(const Line&)>& line) {
    while (!bytes.empty()) {
      if (literal_ > 0) {
        const auto octets = static_cast<std::size_t>(std::min<std::uint64_t>(literal_, bytes.size()));
        literal_ -= octets;
        bytes.remove_prefix(octets);
        continue;
      }
      const std::size_t end = bytes.find('\n');
      buffer_ += bytes.substr(0, end == std::string_view::npos ? end : end + 1);
      // A server may answer a line that is too long before it ends: the client's counts from its first blank on.
      if (!server_ && !told_ && buffer_.find_first_of(" \r\n") != std::string::npos) {
        line({false, buffer_, true});
        told_ = true;
      }
      if (end == std::string_view::npos) return;
      bytes.remove_prefix(end + 1);
      if (server_) {
        line({true, buffer_, !goes_on_});
        scan();
      }
      told_ = false;
      buffer_.clear();
    }
  }

 private:
  void scan() {
    std::string_view text = buffer_;
    text.remove_suffix(text.ends_with("\r\n") ? 2 : 1);
    if (!scan_.begun()) scan_.begin_response(text);
    scan_.scan(text);
    const auto announced = scan_.announcement();
    goes_on_ = announced.verdict == imap::LineScan::Verdict::literal;
    if (goes_on_) {
      literal_ = announced.size;
      scan_.resume_after_literal();
    } else {
      scan_.reset();
    }
  }

  bool server_;
  bool goes_on_ = false;
  bool told_ = false;  ///< of the line that the client has begun
  std::string buffer_;
  std::uint64_t literal_ = 0;
  imap::LineScan scan_;
};

void each_line(const history::WireBytes& bytes, const std::function<void(const Line&)>& line) {
  Side server(true), client(false);
  bool secured = false;
  for (const auto& piece : bytes.pieces) {
    if (piece.secured != std::exchange(secured, piece.secured)) {
      server = Side(true);
      client = Side(false);
    }
    (piece.from_server ? server : client).feed(piece.bytes, line);
  }
}

std::string_view first_word(std::string_view text) { return text.substr(0, text.find_first_of(" \r\n")); }

}  // namespace

void crlf(const history::WireBytes& bytes, Found& found) {
  each_line(bytes, [&](const Line& line) {
    if (!line.from_server) return;
    const bool ends_in_crlf = line.text.ends_with("\r\n");
    const bool lone_cr = line.text.substr(0, line.text.size() - (ends_in_crlf ? 2 : 1)).find('\r') != std::string::npos;
    if (ends_in_crlf && !lone_cr) return;
    found.push_back({"lines that end in CRLF, and no CR or LF elsewhere but in literals",
                     ends_in_crlf ? "a line with a CR that no LF follows" : "a line that ends in LF without CR",
                     fmt::format("S: {}", printable(line.text, 120))});
  });
}

/// A tag may come back as often as a line of the client's began with it, whatever the client meant by that line.
void completion_once(const history::WireBytes& bytes, Found& found) {
  std::map<std::string, int, std::less<>> open;
  each_line(bytes, [&](const Line& line) {
    const std::string_view word = first_word(line.text);
    if (!line.from_server) {
      ++open[std::string(word)];
      return;
    }
    if (!line.first || word == "*" || word == "+" || word.empty()) return;
    const auto known = open.find(word);
    const bool owed = known != open.end() && known->second-- > 0;
    if (owed) return;
    found.push_back({"one completion for each command, with its tag",
                     known == open.end() ? fmt::format("a line that begins with {}, which is no tag of the client's",
                                                       printable(word, 40))
                                         : fmt::format("another completion of {}", printable(word, 40)),
                     fmt::format("S: {}", printable(line.text, 120))});
  });
}

}  // namespace mailproof::judge::imap_rules
