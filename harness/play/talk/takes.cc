#include "play/talk/takes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "core/bytes.h"
#include "history/flags.h"
#include "wire/imap/line_scan.h"
#include "wire/imap/sequence_set.h"

namespace mailproof::play {
namespace {

using Takes = Taking::What;

/// More than can come in between a look and the line behind it: a number that is so far above the last one is nobody's.
constexpr std::uint64_t kFar = 64;

/// The words of a command line, one after the other. Lenient, as servers are: any number of blanks.
class Words {
 public:
  explicit Words(std::string_view line) : line_(line) {}

  std::size_t at() {
    while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t')) ++at_;
    return at_;
  }
  std::string_view word() {
    const std::size_t from = at();
    while (at_ < line_.size() && line_[at_] != ' ' && line_[at_] != '\t') ++at_;
    return line_.substr(from, at_ - from);
  }
  /// A mailbox: an atom, a quoted string or a literal.
  std::string name() {
    const std::size_t from = at();
    std::string out;
    if (from < line_.size() && line_[from] == '"') {
      for (++at_; at_ < line_.size() && line_[at_] != '"'; ++at_) {
        if (line_[at_] == '\\' && at_ + 1 < line_.size()) ++at_;
        out += line_[at_];
      }
      ++at_;
    } else if (const auto end = line_.find("}\r\n", from);
               from < line_.size() && line_[from] == '{' && end != std::string_view::npos) {
      std::size_t size = 0;
      std::from_chars(line_.data() + from + 1, line_.data() + end, size);
      out = line_.substr(end + 3, size);
      at_ = std::min(line_.size(), end + 3 + out.size());
    } else {
      out = word();
    }
    return iequals(out, "INBOX") ? "INBOX" : out;
  }
  std::string_view rest() { return line_.substr(at()); }

 private:
  std::string_view line_;
  std::size_t at_ = 0;
};

/// FETCH items and modifiers that show no text of a message, and change nothing.
bool harmless(std::string_view item) {
  static constexpr std::string_view kKnown[] = {
      "FLAGS",    "UID",         "INTERNALDATE",  "ENVELOPE",     "BODY",     "BODYSTRUCTURE",
      "ALL",      "FAST",        "FULL",          "MODSEQ",       "EMAILID",  "THREADID",
      "SAVEDATE", "RFC822.SIZE", "RFC822.HEADER", "CHANGEDSINCE", "VANISHED", "PARTIAL"};
  if (std::find(std::begin(kKnown), std::end(kKnown), item) != std::end(kKnown)) return true;
  return item.starts_with("BODY.PEEK[HEADER") || item.starts_with("BINARY.SIZE[") ||
         item.find_first_not_of("0123456789:,*-$") == std::string_view::npos;
}

/// Commands that leave messages as they are and show none of their text, whatever stands behind them.
bool takes_nothing(std::string_view command) {
  static constexpr std::string_view kKnown[] = {"",
                                                "CAPABILITY",
                                                "NOOP",
                                                "LOGOUT",
                                                "STARTTLS",
                                                "AUTHENTICATE",
                                                "LOGIN",
                                                "ENABLE",
                                                "CREATE",
                                                "SUBSCRIBE",
                                                "LIST",
                                                "LSUB",
                                                "UNSUBSCRIBE",
                                                "STATUS",
                                                "NAMESPACE",
                                                "APPEND",
                                                "IDLE",
                                                "DONE",
                                                "CHECK",
                                                "UNSELECT",
                                                "SEARCH",
                                                "SORT",
                                                "THREAD",
                                                "ESEARCH",
                                                "ID",
                                                "COMPRESS",
                                                "NOTIFY",
                                                "GETQUOTA",
                                                "GETQUOTAROOT",
                                                "SETQUOTA",
                                                "GETACL",
                                                "MYRIGHTS",
                                                "LISTRIGHTS",
                                                "SETACL",
                                                "DELETEACL",
                                                "GETMETADATA",
                                                "SETMETADATA",
                                                "GENURLAUTH",
                                                "URLFETCH",
                                                "RESETKEY",
                                                "LANGUAGE",
                                                "COMPARATOR",
                                                "GETJMAPACCESS",
                                                "UNAUTHENTICATE",
                                                "CANCELUPDATE",
                                                "CONVERSIONS"};
  return std::find(std::begin(kKnown), std::end(kKnown), command) != std::end(kKnown);
}

/// "+" of a literal that is sent without waiting counts as well as none.
bool announces(std::string_view text, std::uint64_t& octets) {
  imap::LineScan scan;
  scan.begin_command();
  scan.scan(text);
  const auto announced = scan.announcement();
  octets = announced.size;
  return announced.verdict == imap::LineScan::Verdict::literal;
}

/// The command behind the tag, without UID.
std::string command_of(Words& words) {
  words.word();  // the tag
  const std::string command = upper(words.word());
  return command == "UID" ? upper(words.word()) : command;
}

/// FETCH items, in capitals, what stands in brackets as part of its item.
std::vector<std::string> items_of(std::string_view text) {
  std::vector<std::string> out;
  std::string item;
  int depth = 0;
  for (const char c : upper(text) + " ") {
    if (depth == 0 && (c == ' ' || c == '(' || c == ')')) {
      if (!item.empty()) out.push_back(std::exchange(item, {}));
      continue;
    }
    depth += c == '[' ? 1 : c == ']' ? -1 : 0;
    item += c;
  }
  if (!item.empty()) out.push_back("[" + item);  // which nobody closed: what it asks for is not known
  return out;
}

}  // namespace

/// RFC 3501 section 6.4.5: BODY[...], RFC822 and RFC822.TEXT set \Seen; the others but headers show the text.
bool reads_text(std::string_view items) { return !std::ranges::all_of(items_of(items), harmless); }

Taking what_it_takes(std::string_view line) {
  Words words(line);
  words.word();  // the tag
  std::string command = upper(words.word());
  const bool uid = command == "UID";
  if (uid) command = upper(words.word());
  if (command == "SELECT" || command == "EXAMINE") return {Takes::opens, words.name()};
  if (command == "DELETE" || command == "RENAME") return {Takes::mailbox, words.name()};
  if (command == "EXPUNGE" || command == "CLOSE") return {Takes::marked};
  const bool changes = command == "STORE" || command == "MOVE" || command == "COPY" || command == "REPLACE";
  if (!changes && command != "FETCH") return {takes_nothing(command) ? Takes::nothing : Takes::unknown};
  Taking out{uid ? Takes::uids : Takes::numbers, {}, words.at(), 0};
  out.set_octets = words.word().size();
  return changes || reads_text(words.rest()) ? out : Taking{};
}

std::vector<CommandLine> command_lines(std::string_view bytes) {
  std::vector<CommandLine> out;
  std::size_t begins = 0, from = 0;
  for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n', from)) {
    std::size_t text_end = end;
    if (text_end > begins && bytes[text_end - 1] == '\r') --text_end;
    std::uint64_t octets = 0;
    if (announces(bytes.substr(from, text_end - from), octets)) {
      if (octets >= bytes.size() - end) break;
      from = end + 1 + static_cast<std::size_t>(octets);
      continue;
    }
    out.push_back({begins, bytes.substr(begins, text_end - begins)});
    begins = from = end + 1;
  }
  return out;
}

void OpenMailbox::said(std::string_view bytes) {
  unfinished_ += bytes;
  std::size_t finished = 0;
  for (const CommandLine& line : command_lines(unfinished_)) {
    finished = line.at + line.text.size();
    finished = unfinished_.find('\n', finished) + 1;
    const Taking taking = what_it_takes(line.text);
    if (taking.what != Takes::opens) continue;
    names_.insert(taking.mailbox);
    Words words(line.text);
    words.word();
    examined_ = iequals(words.word(), "EXAMINE");
    read_only_ = false;
    permanent_.reset();
    selects_[std::string(line.text.substr(0, line.text.find(' ')))] = taking.mailbox;
  }
  unfinished_.erase(0, finished);
}

void OpenMailbox::heard(std::string_view line) {
  Words words(line);
  const std::string_view tag = words.word();
  if (tag != "*") {
    const auto select = selects_.find(tag);
    if (select == selects_.end()) return;
    // Refused, the one before is closed (RFC 3501 section 6.3.1); whether a server keeps to that nobody knows.
    if (iequals(words.word(), "OK")) {
      names_ = {select->second};
      for (const auto& other : selects_) names_.insert(other.second);
      read_only_ = !examined_ && iequals(words.word(), "[READ-ONLY]");
    }
    selects_.erase(select);
    return;
  }
  const std::string_view first = words.word(), second = words.word();
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(first.data(), first.data() + first.size(), number);
  if (error == std::errc() && end == first.data() + first.size()) {
    if (iequals(second, "EXISTS")) messages_ = number;
    if (iequals(second, "EXPUNGE") && messages_ != 0) --messages_;
  } else if (iequals(first, "VANISHED") && !iequals(second, "(EARLIER)")) {
    const auto commas = static_cast<std::uint32_t>(std::count(second.begin(), second.end(), ','));
    messages_ -= std::min(messages_, commas + 1);
  } else if (iequals(first, "OK") && iequals(second, "[PERMANENTFLAGS")) {
    permanent_ = upper(words.rest());
  }
}

std::string_view OpenMailbox::not_kept(std::string_view line) const {
  if (!permanent_ || examined_) return {};
  const auto has = [](const std::string& list, std::string_view flag) {
    const auto at = list.find(upper(flag)), end = at + flag.size();
    return at != std::string::npos && (end == list.size() || list[end] == ' ' || list[end] == ')');
  };
  Words words(line);
  const std::string command = command_of(words);
  words.word();  // the set
  if (command == "FETCH") return history::sets_seen(words.rest()) && !has(*permanent_, "\\Seen") ? "\\Seen" : "";
  if (command != "STORE") return {};
  const std::string change = upper(words.rest());
  const auto flags = change.find("FLAGS");  // behind UNCHANGEDSINCE
  if (flags == std::string::npos || (flags > 0 && change[flags - 1] == '-')) return {};
  constexpr std::string_view kFlags[] = {"\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"};
  const auto* const lost =
      std::ranges::find_if(kFlags, [&](auto flag) { return has(change, flag) && !has(*permanent_, flag); });
  return lost == std::end(kFlags) ? std::string_view() : *lost;
}

bool OpenMailbox::not_let(std::string_view line) const {
  if (!read_only_) return false;
  Words words(line);
  const std::string command = command_of(words);
  words.word();  // the set
  return command == "STORE" || command == "EXPUNGE" || command == "MOVE" || command == "REPLACE" ||
         (command == "FETCH" && history::sets_seen(words.rest()));
}

TakingWrite::TakingWrite(const OpenMailbox& open, std::string_view bytes) {
  const std::string all = open.unfinished() + std::string(bytes);
  const auto begun = static_cast<std::ptrdiff_t>(open.unfinished().size());
  std::set<std::string> selected = open.names();
  std::uint32_t in_view = open.messages();
  bool removal = false, saves = false;
  const auto takes_in = [this](const std::set<std::string>& names) {
    for (const std::string& name : names)
      if (!named_as_ours(name)) mailboxes_.insert(name);
  };
  for (const CommandLine& line : command_lines(all)) {
    const Taking taking = what_it_takes(line.text);
    switch (taking.what) {
      case Takes::nothing:
        saves = saves || upper(line.text).find("SAVE") != std::string::npos;
        break;
      case Takes::unknown:  // another that was named need not be there
        if (selected.contains("INBOX")) takes_in({"INBOX"});
        break;
      case Takes::opens:
        selected.insert(taking.mailbox);
        in_view = 0;
        break;
      case Takes::mailbox:
        takes_in({taking.mailbox});
        break;
      case Takes::marked:
        takes_in(selected);
        removal = true;
        break;
      case Takes::numbers:
      case Takes::uids:
        takes_in(selected);
        if (std::all_of(selected.begin(), selected.end(), [](const auto& name) { return named_as_ours(name); })) break;
        sets_.push_back({std::string(line.text.substr(taking.set_at, taking.set_octets)),
                         static_cast<std::ptrdiff_t>(line.at + taking.set_at) - begun, taking.what == Takes::uids,
                         removal && taking.what == Takes::numbers, saves, selected, in_view});
        removal = removal || upper(line.text).find(" MOVE ") != std::string::npos ||
                  upper(line.text).find(" REPLACE ") != std::string::npos;
        break;
    }
  }
}

std::string TakingWrite::refused(const std::map<std::string, OwnedSoFar>& looked) {
  for (const Set& set : sets_) {
    std::uint32_t newest = std::numeric_limits<std::uint32_t>::max(), last = newest;
    for (const std::string& mailbox : set.mailboxes) {
      if (named_as_ours(mailbox)) continue;
      const auto found = looked.find(mailbox);
      if (found == looked.end()) return fmt::format("{} was not looked into", mailbox);
      const OwnedSoFar& owned = found->second;
      newest = std::min(newest, set.by_uid ? owned.newest_uid() : owned.messages());
      last = std::min(last, set.by_uid ? owned.last_uid() : std::max(owned.messages(), set.in_view));
    }
    if (std::string why = refused(set, newest, last); !why.empty()) return why;
  }
  return {};
}

/// A number, or a range, is either not above the last that was looked at, or so far above it that nothing is there.
std::string TakingWrite::refused(const Set& set, std::uint32_t newest, std::uint32_t last) {
  const auto why = [&](std::string_view part) {
    return fmt::format("by then {} {} may be somebody else's", set.by_uid ? "UID" : "number", part);
  };
  if (set.behind_removal) return why(set.text);
  if (set.behind_search && set.text.find('$') != std::string::npos) return why(set.text);
  const std::string_view text = set.text;
  std::size_t from = 0;
  while (from <= text.size()) {
    const std::size_t end = std::min(text.find(',', from), text.size());
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max(), most = 0;
    bool any = false;
    for (std::size_t i = from; i < end;) {
      const std::size_t digits = std::min(text.find_first_not_of("0123456789", i), end);
      std::uint64_t number = std::numeric_limits<std::uint64_t>::max();
      if (text[i] == '*') {
        if (newest == 0 || set.at < 0) return why(text.substr(from, end - from));
        number = newest;
        stars_[static_cast<std::size_t>(set.at) + i] = fmt::to_string(newest);
        ++i;
      } else if (digits > i) {
        std::from_chars(text.data() + i, text.data() + digits, number);
        i = digits;
      } else {
        ++i;
        continue;
      }
      any = true;
      least = std::min(least, number);
      most = std::max(most, number);
    }
    if (any && most > last && least < last + kFar) return why(text.substr(from, end - from));
    from = end + 1;
  }
  return {};
}

}  // namespace mailproof::play
