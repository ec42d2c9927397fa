#include "import/read/overheard.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <queue>
#include <tuple>

#include "core/bytes.h"
#include "import/observe/imap_command.h"
#include "wire/pop3/command.h"

namespace mailproof::imports {

namespace fs = std::filesystem;

namespace {

/// The beginning of what one side says, and when.
struct First {
  std::string text;
  ClockTime at{};
  std::size_t place = 0;
};

First first_of(const Overheard& conversation, Piece::Kind kind) {
  constexpr std::size_t kEnough = 200;
  First out;
  for (std::size_t i = 0; i < conversation.pieces.size() && out.text.size() < kEnough; ++i) {
    const Piece& piece = conversation.pieces[i];
    if (piece.kind != kind) continue;
    if (out.text.empty()) {
      out.at = piece.at;
      out.place = i;
    }
    out.text += piece.text;
  }
  return out;
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find_first_of("\r\n")); }

bool begins_with_one_of(std::string_view line, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return istarts_with(line, word) && (line.size() == word.size() || line[word.size()] == ' ');
  });
}

/// "A1 OK ...", "1 OK [CAPABILITY ...] Logged in".
bool tagged(std::string_view line) {
  const std::size_t space = line.find(' ');
  return space != std::string_view::npos && space > 0 &&
         begins_with_one_of(line.substr(space + 1), {"OK", "NO", "BAD"});
}

/// What an IMAP server said before it was asked anything is the reply to a login, with nothing but "* CAPABILITY"
/// before it: more would be the middle of something else.
bool begins_behind_login(const Overheard& conversation) {
  std::string said;
  for (const Piece& piece : conversation.pieces) {
    if (piece.kind != Piece::Kind::server) break;
    said += piece.text;
  }
  for (std::string_view rest = said; !rest.empty();) {
    const std::string_view line = first_line(rest);
    if (tagged(line)) return true;
    if (!istarts_with(line, "* CAPABILITY ")) return false;
    rest.remove_prefix(std::min(rest.size(), std::min(rest.find('\n'), rest.size() - 1) + 1));
  }
  return false;
}

/// What the server said before the client said anything, up to so much.
std::string said_before(const Overheard& conversation) {
  constexpr std::size_t kEnough = 4096;
  std::string said;
  for (const Piece& piece : conversation.pieces) {
    if (piece.kind != Piece::Kind::server || said.size() > kEnough) break;
    said += piece.text;
  }
  return said;
}

/// A status line and then something else, with nothing asked between: the rest of an answer.
bool goes_on(std::string_view said) {
  while (!said.empty()) {
    if (!begins_with_one_of(first_line(said), {"+OK", "-ERR", "+"})) return true;
    said.remove_prefix(std::min(said.size(), std::min(said.find('\n'), said.size() - 1) + 1));
  }
  return false;
}

/// Before anybody has logged in nothing is asked of mailboxes: "* OK" may also be said to who idles, and every now and
/// then.
bool asks_of_mail(std::string_view asked) {
  if (asked.empty()) return false;
  const std::size_t blank = asked.find(' ');
  if (blank == std::string_view::npos) return true;  // DONE, or a response to SASL
  return begins_with_one_of(
      asked.substr(blank + 1),
      {"SELECT", "EXAMINE", "CREATE", "DELETE", "RENAME",   "SUBSCRIBE", "UNSUBSCRIBE", "LIST",  "LSUB",
       "STATUS", "APPEND",  "CHECK",  "CLOSE",  "UNSELECT", "EXPUNGE",   "SEARCH",      "FETCH", "STORE",
       "COPY",   "MOVE",    "UID",    "IDLE",   "SORT",     "THREAD",    "REPLACE"});
}

/// One side alone tells little: "A1 LOGIN", and not "GET / HTTP/1.1".
bool is_tagged_command(std::string_view line) {
  const std::size_t blank = line.find(' ');
  if (blank == 0 || blank == std::string_view::npos) return false;
  const std::string_view rest = line.substr(blank + 1);
  return is_imap_command(rest.substr(0, rest.find(' ')));
}

bool is_pop3_command(std::string_view line) { return pop3::parse_command(line).verb != pop3::Verb::unknown; }

/// A recording is held as a whole, and what is heard in it a few times over; captures are not.
constexpr std::size_t kMostOctets = 64U << 20;
/// What it is shows in its first lines.
constexpr std::size_t kHead = 1U << 20;

/// The file, or so many octets of it.
Result<std::string> beginning_of(const std::string& path, std::size_t most) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  std::array<char, 65536> block{};
  while (in && text.size() < most) {
    in.read(block.data(), static_cast<std::streamsize>(std::min(block.size(), most - text.size())));
    text.append(block.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad() || (!in && !in.eof())) return Error{path, "expected a file that can be read"};
  return text;
}

Result<std::string> text_of(const std::string& path) {
  auto text = beginning_of(path, kMostOctets + 1);
  if (text && text->size() > kMostOctets)
    return Error{path,
                 fmt::format("expected a recording of at most {} MiB: one of more is split first", kMostOctets >> 20)};
  return text;
}

/// The two files of a connection by the name of either, without its end.
Result<std::vector<Overheard>> read_pair(const std::string& base) {
  std::string client, server;
  for (const auto& [end, into] : {std::pair{".in", &client}, std::pair{".out", &server}}) {
    if (!fs::exists(base + end)) continue;  // a side that said nothing has no file
    auto text = text_of(base + end);
    if (!text) return text.error();
    *into = std::move(*text);
  }
  return read_dovecot_rawlog(base, client, server);
}

bool is_rawlog_name(const fs::path& path) { return path.extension() == ".in" || path.extension() == ".out"; }

/// pcap in either order of octets, with micro- or nanoseconds; pcapng.
bool is_capture(std::string_view text) {
  using namespace std::string_view_literals;
  for (const std::string_view magic :
       {"\xa1\xb2\xc3\xd4"sv, "\xd4\xc3\xb2\xa1"sv, "\xa1\xb2\x3c\x4d"sv, "\x4d\x3c\xb2\xa1"sv, "\x0a\x0d\x0d\x0a"sv})
    if (text.starts_with(magic)) return true;
  return false;
}

/// "== Info: ", with or without the time and the number of the transfer in front.
bool is_curl_trace(std::string_view line) {
  for (const std::string_view arrow : {"== Info:", "=> Send ", "<= Recv "}) {
    const std::size_t at = line.find(arrow);
    if (at != std::string_view::npos && at < 40) return true;
  }
  return false;
}

/// When a file was changed last.
ClockTime written_at(const std::string& path) {
  std::error_code error;
  const auto at = fs::last_write_time(path, error);
  if (error) return {};
  return std::chrono::duration_cast<ClockTime>(std::chrono::file_clock::to_sys(at).time_since_epoch());
}

bool is_imaptest_rawlog(std::string_view line) {
  const std::size_t space = line.find(' ');
  return space != std::string_view::npos && begins_with_one_of(line.substr(space + 1), {"I:", "O:", "I>", "O>"});
}

bool is_any(std::string_view text) {
  const std::string_view line = first_line(text);
  return line.starts_with("---------- ") || is_curl_trace(line) || is_imaptest_rawlog(line) ||
         is_thunderbird_log(text) || is_mailkit_log(text) || is_javamail_log(text) || is_popstate(text) ||
         is_server_log(text);
}

/// `unknown`: it has none of the forms.
Result<std::vector<Overheard>> read_file(const std::string& path, bool* unknown = nullptr) {
  if (is_rawlog_name(path)) return read_pair(fs::path(path).replace_extension().string());
  auto text = beginning_of(path, kHead);
  if (!text) return text.error();
  if (is_capture(*text)) return read_capture(path);
  // Of what is no recording no more than that is read, however long it is.
  if (text->size() == kHead && is_any(text->substr(0, text->rfind('\n') + 1))) {
    text = text_of(path);
    if (!text) return text.error();
  }
  const std::string_view line = first_line(*text);
  if (line.starts_with("---------- ")) return read_cyrus_telemetry(path, *text);
  if (is_curl_trace(line)) return read_curl_trace(path, *text);
  if (is_imaptest_rawlog(line)) return read_imaptest_rawlog(path, *text);
  if (is_thunderbird_log(*text)) return read_thunderbird_log(path, *text);
  if (is_mailkit_log(*text)) return read_mailkit_log(path, *text);
  if (is_javamail_log(*text)) return read_javamail_log(path, *text);
  if (is_popstate(*text)) return read_popstate(path, *text);
  if (is_server_log(*text)) return read_server_log(path, *text, written_at(path));
  if (unknown != nullptr) *unknown = true;
  return Error{fmt::format("{}:1:1", path),
               fmt::format("expected a directory of Dovecot's rawlogs (DATE.PID.N.in and .out), an ImapTest rawlog, "
                           "Cyrus telemetry, a capture (pcap, pcapng), what curl --trace writes, a log of Thunderbird, "
                           "MailKit or JavaMail, a popstate.dat, or a log of Dovecot, Exim or Postfix, and it {}",
                           text->empty() ? "is empty" : "begins with: " + printable(line, 60))};
}

}  // namespace

bool recognise(Overheard& conversation) {
  const First client = first_of(conversation, Piece::Kind::client),
              server = first_of(conversation, Piece::Kind::server);
  if (client.text.empty() && server.text.empty()) return false;
  const std::string_view asked = first_line(client.text), said = first_line(server.text);
  const bool server_first = !server.text.empty() && (client.text.empty() || server.place < client.place);
  Conversation& about = conversation.about;
  const bool mta = begins_with_one_of(asked, {"LHLO", "EHLO", "HELO"});
  if (mta || (said.starts_with("220") && client.text.empty())) {
    about.protocol = istarts_with(asked, "LHLO") ? Protocol::lmtp : Protocol::smtp;
    about.begin = server_first && said.starts_with("220") ? Begin::greeting : Begin::middle;
    return true;
  }
  if (begins_with_one_of(said, {"+OK", "-ERR"})) {
    // Others speak so as well: a Redis server says "+OK", and nothing before it is asked.
    if (!asked.empty() && !is_pop3_command(asked) && (!server_first || asked.starts_with('*'))) return false;
    about.protocol = Protocol::pop3;
    const bool login = begins_with_one_of(asked, {"USER", "AUTH", "APOP", "CAPA", "STLS"});
    about.begin = !server_first || goes_on(said_before(conversation)) ? Begin::middle
                  : login || client.text.empty()                      ? Begin::greeting
                                                                      : Begin::login;
    return true;
  }
  // An SMTP or LMTP connection that began earlier: "250 OK" has the shape of what answers the tag 250.
  if (begins_with_one_of(asked, {"MAIL", "RCPT", "DATA", "BDAT", "RSET"}) && tagged(said)) return false;
  about.protocol = Protocol::imap;
  const bool greeting = begins_with_one_of(said, {"* OK", "* PREAUTH", "* BYE"});
  if (!greeting && !tagged(said) && !said.starts_with("* ") && !(said.empty() && is_tagged_command(asked)))
    return false;
  about.begin = !server_first ? Begin::middle
                : greeting    ? (said.starts_with("* OK") && asks_of_mail(asked) ? Begin::middle : Begin::greeting)
                : begins_behind_login(conversation) ? Begin::login
                                                    : Begin::middle;
  return true;
}

Result<std::vector<Overheard>> read_recording(const std::string& path, std::vector<std::string>& others) {
  std::error_code error;
  if (!fs::exists(path, error)) return Error{path, "expected a file or a directory, and there is none of that name"};
  if (!fs::is_directory(path, error)) return read_file(path);
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(path, error))
    if (entry.is_regular_file()) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  std::vector<Overheard> out;
  for (const std::string& file : files) {
    const fs::path name(file);
    // A pair is read once, by the first of its files.
    if (name.extension() == ".out" && fs::exists(fs::path(file).replace_extension(".in"))) continue;
    bool unknown = false;
    auto read = read_file(file, &unknown);
    if (unknown) {
      others.push_back(file);
      continue;
    }
    if (!read) return read.error();
    std::move(read->begin(), read->end(), std::back_inserter(out));
  }
  if (out.empty()) return Error{path, "expected recordings in this directory, and there are none"};
  return out;
}

void keep_apart(std::vector<Overheard>& all) {
  for (Overheard& one : all) {
    if (!one.without_date() || one.pieces.empty()) continue;
    one.about.realm = one.file;
    one.about.unordered = std::any_of(all.begin(), all.end(), [&](const Overheard& other) {
      return other.file != one.file && !other.pieces.empty();
    });
  }
}

ClockTime replay(const std::vector<Overheard>& all, Recording& recording) {
  using Next = std::tuple<ClockTime, std::size_t, std::size_t>;  // when, which conversation, which piece of it
  std::priority_queue<Next, std::vector<Next>, std::greater<>> next;
  std::vector<const Logged*> in_the_end;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& logged = all[i].logged;
    if (!logged.empty() && logged.front().in_the_end)
      for (const Logged& line : logged) in_the_end.push_back(&line);
    else if (const auto begins = all[i].begins())
      next.emplace(*begins, i, 0);
  }
  if (next.empty()) {
    for (const Logged* line : in_the_end) recording.witness(line->said, Time());
    return in_the_end.empty() ? ClockTime{} : in_the_end.front()->at;
  }
  const ClockTime begin = std::get<0>(next.top());
  std::vector<std::unique_ptr<Observer>> observers(all.size());
  ClockTime latest = begin;
  while (!next.empty()) {
    const auto [at, i, place] = next.top();
    next.pop();
    latest = std::max(latest, at);
    const Time now = Time(latest - begin);
    if (const auto& logged = all[i].logged; !logged.empty()) {
      recording.witness(logged[place].said, now);
      if (place + 1 < logged.size()) next.emplace(std::max(logged[place + 1].at, at), i, place + 1);
      continue;
    }
    const Piece& piece = all[i].pieces[place];
    if (!observers[i]) observers[i] = recording.watch(all[i].about);
    switch (piece.kind) {
      case Piece::Kind::client:
        observers[i]->client(piece.text, now);
        break;
      case Piece::Kind::server:
        observers[i]->server(piece.text, now);
        break;
      case Piece::Kind::gap:
        observers[i]->blind(piece.text, now);
        break;
      case Piece::Kind::end:
        observers[i]->end(EndReason::closed, piece.by_server, now);
        break;
    }
    // Where a clock went back what is written later came later.
    if (place + 1 < all[i].pieces.size()) {
      next.emplace(std::max(all[i].pieces[place + 1].at, at), i, place + 1);
    } else {
      observers[i]->end(EndReason::none, false, now);
      observers[i].reset();
    }
  }
  for (const Logged* line : in_the_end) recording.witness(line->said, Time(latest - begin));
  return begin;
}

}  // namespace mailproof::imports
