// What JavaMail prints with mail.debug: both sides of all connections as they pass, without a word who says it.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "import/read/literal_end.h"
#include "import/read/overheard.h"
#include "import/read/text_lines.h"

namespace mailproof::imports {
namespace {

/// "A14": each IMAP connection has letters of its own, and counts.
struct JavaMailTag {
  std::string letters;
  unsigned number = 0;

  static std::optional<JavaMailTag> read(std::string_view word) {
    const std::size_t digits = std::min(word.find_first_of("0123456789"), word.size());
    JavaMailTag out;
    out.letters = word.substr(0, digits);
    const auto [end, error] = std::from_chars(word.data() + digits, word.data() + word.size(), out.number);
    const bool upper_case =
        std::all_of(out.letters.begin(), out.letters.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    if (digits == 0 || digits > 4 || !upper_case || error != std::errc() || end != word.data() + word.size())
      return std::nullopt;
    return out;
  }
};

/// What is an answer is known by what was asked, whose it is by the tag; a line without one belongs to the connection
/// that was asked last and has no answer yet. Of a login it says that it is left out, so that a conversation begins
/// behind it.
class JavaMailLog {
 public:
  explicit JavaMailLog(std::string path) : path_(std::move(path)) {}

  void line(std::string_view text) {
    at_ += std::chrono::microseconds(1);
    Imap* asked = asked_.empty() ? nullptr : &imap_.at(asked_.back());
    if (asked != nullptr && (asked->literal > 0 || asked->goes_on)) return literal(*asked, text);
    const std::string_view word = text.substr(0, text.find(' '));
    const auto tag = JavaMailTag::read(word);
    const auto known = tag ? imap_.find(tag->letters) : imap_.end();
    if (known != imap_.end() && tag->number == known->second.next) return ask(known->first, known->second, text);
    if (text.starts_with("DEBUG")) return debug(text);
    if (asked != nullptr && asked->upload > 0) {
      asked->upload -= std::min(asked->upload, text.size() + 2);
      return add(asked->now, Piece::Kind::client, text);
    }
    if (known != imap_.end() && known->second.waiting.contains(std::string(word)))
      return answer(known->first, known->second, std::string(word), text);
    if (asked != nullptr) return untagged(*asked, word, text);
    if (pop3_) pop3(word, text);
  }

  std::vector<Overheard> all() {
    for (auto& [letters, one] : imap_) close(one.now);
    if (pop3_) close(*pop3_);
    return std::move(out_);
  }

 private:
  struct Imap {
    Overheard now;
    std::set<std::string> waiting;                  ///< tags without an answer
    std::size_t literal = 0, upload = 0, held = 0;  ///< octets to come: the server's, the client's, and those after "+"
    bool goes_on = false;                           ///< the response, behind a literal that ended with a line
    unsigned next = 0;                              ///< number of the next command
  };

  void literal(Imap& one, std::string_view text) {
    if (std::exchange(one.goes_on, false)) {
      one.literal = literal_at_end(text).value_or(0);
    } else {
      // What stands behind its end belongs to the response, which may announce another one.
      const std::size_t size = text.size() + 2, end = std::min(one.literal, size);
      one.literal -= end;
      if (end < text.size()) one.literal = literal_at_end(text.substr(end)).value_or(0);
      one.goes_on = one.literal == 0 && end == size;
    }
    add(one.now, Piece::Kind::server, text);
  }

  void ask(const std::string& letters, Imap& one, std::string_view text) {
    ++one.next;
    one.waiting.insert(std::string(text.substr(0, text.find(' '))));
    asked_.push_back(letters);
    // RFC 7888: with '+' nobody waits for the server.
    if (const auto octets = literal_at_end(text)) (text.ends_with("+}") ? one.upload : one.held) = *octets;
    add(one.now, Piece::Kind::client, text);
  }

  void answer(const std::string& letters, Imap& one, const std::string& tag, std::string_view text) {
    add(one.now, Piece::Kind::server, text);
    one.waiting.erase(tag);
    one.upload = one.held = 0;
    if (asked_.empty() || asked_.back() != letters) mixed();
    std::erase(asked_, letters);
  }

  /// Several threads wrote at once: what has no tag may be anybody's.
  void mixed() {
    for (auto& [letters, one] : imap_)
      if (!one.now.pieces.empty())
        one.now.pieces.push_back({Piece::Kind::gap, at_, "several connections were used at the same time", false});
  }

  void untagged(Imap& one, std::string_view word, std::string_view text) {
    if (word != "*" && word != "+")
      return add(one.now, Piece::Kind::client, text);  // the end of a command with a literal
    if (word == "*") one.literal = literal_at_end(text).value_or(0);
    if (word == "+") one.upload = std::exchange(one.held, 0);
    add(one.now, Piece::Kind::server, text);
  }

  void pop3(std::string_view word, std::string_view text) {
    if (block_) {
      block_ = text != ".";
      return add(*pop3_, Piece::Kind::server, text);
    }
    if (word == "+OK" || word == "-ERR") {
      block_ = std::exchange(multi_line_, false) && word == "+OK";
      return add(*pop3_, Piece::Kind::server, text);
    }
    const std::string verb = upper(word);
    const bool of_one = word.size() < text.size();
    multi_line_ = verb == "RETR" || verb == "TOP" || verb == "CAPA" || ((verb == "UIDL" || verb == "LIST") && !of_one);
    add(*pop3_, Piece::Kind::client, text);
  }

  void debug(std::string_view text) {
    const auto behind = [&](std::string_view words) {
      const std::size_t at = text.find(words);
      return at == std::string_view::npos ? std::string_view() : text.substr(at + words.size());
    };
    if (const auto host = behind("DEBUG IMAP: trying to connect to host \""); !host.empty()) {
      server_ = server_of(host);
      user_.clear();
    } else if (const auto pop = behind("DEBUG POP3: connecting to host \""); !pop.empty()) {
      if (pop3_) close(*pop3_);
      pop3_.emplace();
      pop3_->about.server = server_of(pop);
      block_ = multi_line_ = false;
    } else if (text.starts_with("DEBUG POP3: authentication command trace suppressed") && pop3_) {
      // What is asked is not there, so that the conversation is known from then on.
      pop3_->pieces.clear();
    }
    if (const auto user = behind(", user="); !user.empty() && text.find("protocolConnect") != std::string_view::npos)
      user_ = user.substr(0, user.find(", "));
    if (const auto reply = behind(" command result: "); !reply.empty()) logged_in(reply);
  }

  /// "A0 OK [CAPABILITY ...] Logged in"
  void logged_in(std::string_view reply) {
    const auto tag = JavaMailTag::read(reply.substr(0, reply.find(' ')));
    if (!tag || reply.find(" OK") != reply.find(' ')) return;
    Imap& one = imap_[tag->letters];
    close(one.now);
    one = {};
    one.next = tag->number + 1;
    one.now.about.server = server_;
    one.now.about.user = user_;
    add(one.now, Piece::Kind::server, reply);
  }

  /// 127.0.0.1", port 143, isSSL false
  static std::string server_of(std::string_view host) {
    std::string out(host.substr(0, host.find('"')));
    const std::size_t port = host.find("port ");
    if (port == std::string_view::npos) return out;
    host.remove_prefix(port + 5);
    return fmt::format("{}:{}", out, host.substr(0, host.find(',')));
  }

  void add(Overheard& to, Piece::Kind kind, std::string_view text) {
    to.pieces.push_back({kind, at_, fmt::format("{}\r\n", text), false});
  }

  void close(Overheard& one) {
    one.file = path_;
    if (!recognise(one)) return;
    if (one.about.begin == Begin::middle) one.about.begin = Begin::login;
    out_.push_back(std::move(one));
  }

  const std::string path_;
  std::vector<Overheard> out_;
  std::map<std::string, Imap> imap_;  ///< by the letters of its tags
  std::vector<std::string> asked_;    ///< those that wait for an answer; the one that was asked last is the last
  std::optional<Overheard> pop3_;
  bool block_ = false;       ///< POP3: a response that ends in a dot
  bool multi_line_ = false;  ///< ... which the next +OK begins
  std::string server_, user_;
  ClockTime at_{};
};

}  // namespace

bool is_javamail_log(std::string_view text) {
  TextLines lines(text);
  while (lines.number < 20 && lines.next())
    for (const std::string_view name : {"JavaMail", "Jakarta Mail"})
      if (lines.line.starts_with("DEBUG: ") &&
          lines.line.find(fmt::format("{} version", name)) != std::string_view::npos)
        return true;
  return false;
}

Result<std::vector<Overheard>> read_javamail_log(const std::string& path, const std::string& text) {
  JavaMailLog log(path);
  TextLines lines(text);
  while (lines.next()) log.line(lines.without_cr());
  return log.all();
}

}  // namespace mailproof::imports
