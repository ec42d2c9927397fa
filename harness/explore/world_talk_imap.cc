// IMAP on the wire, line by line: the maker keeps the mailbox as the connection was told of it, and expects what
// follows from that. Where the RFCs leave it to the server when it tells something, it is asked for until it does.
#include "explore/world_talk_imap.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace mailproof::explore {
namespace {

class ImapTalkMaker {
 public:
  explicit ImapTalkMaker(Rng& rng) : rng_(rng) {}

  using Theme = void (ImapTalkMaker::*)();
  static std::span<const Theme> themes() {
    static constexpr Theme kThemes[] = {&ImapTalkMaker::last_message, &ImapTalkMaker::others_expunge,
                                        &ImapTalkMaker::counts,       &ImapTalkMaker::rename_inbox,
                                        &ImapTalkMaker::delete_above, &ImapTalkMaker::own_append,
                                        &ImapTalkMaker::silent_store, &ImapTalkMaker::dates};
    return kThemes;
  }
  ImapTalk make(std::size_t theme) {
    (this->*themes()[theme])();
    return std::move(out_);
  }

 private:
  std::size_t below(std::size_t n) { return rng_.below(static_cast<std::uint32_t>(n)); }
  bool one_in(std::uint32_t n) { return rng_.one_in(n); }
  template <class... T>
  void line(fmt::format_string<T...> text, T&&... parts) {
    out_.talk += "      " + fmt::format(text, std::forward<T>(parts)...) + "\n";
  }
  void head(const std::string& title, const std::string& refs, std::size_t messages) {
    out_.head.title = title;
    out_.head.refs = refs;
    out_.head.needs = "imap";
    out_.head.mailbox = fmt::format("{{messages: {}}}", messages);
    view_.clear();
    for (std::size_t n = 1; n <= messages; ++n) view_.push_back(n);
  }

  /// All UIDs get their names.
  void learn() {
    line("C: UID FETCH 1:* (UID)");
    for (std::size_t n = 1; n <= view_.size(); ++n) line("S: * {} FETCH (UID ${{uid{}:uid}})", n, view_[n - 1]);
    line("S: OK");
  }
  void fetched(std::size_t number) { line("S: * {} FETCH (UID ${{uid{}}})", number, view_[number - 1]); }
  void forget(std::size_t number) { view_.erase(view_.begin() + static_cast<std::ptrdiff_t>(number) - 1); }

  // The last message is the last of what is there, also when what was behind it went a moment ago.
  void last_message() {
    head("The star is the last message, whatever went before", "RFC 3501 section 9", 2 + below(4));
    line("connect: imap selected");
    learn();
    for (std::size_t steps = 1 + below(3); steps > 0 && !view_.empty(); --steps) {
      if (view_.size() > 1 && one_in(2)) {
        const std::size_t gone = one_in(2) ? view_.size() : 1 + below(view_.size());
        line("C: STORE {} +FLAGS.SILENT (\\Deleted)", gone);
        line("P: OK");
        line("C: EXPUNGE");
        line("P: * {} EXPUNGE", gone);
        line("P: OK");
        forget(gone);
      }
      const std::size_t last = view_.size();
      switch (below(3)) {
        case 0:
          line("C: FETCH * (UID)");
          break;
        case 1:
          line("C: UID FETCH * (UID)");
          break;
        default:
          line("C: UID FETCH ${{uid{}}}:* (UID)", view_.back());
          break;
      }
      fetched(last);
      line("S: OK");
    }
  }

  // Numbers are those that the session was told, and they stay while FETCH, STORE and SEARCH run.
  void others_expunge() {
    head("Numbers stay as they were told until the session is told otherwise",
         "RFC 3501 section 5.2, RFC 3501 section 7.4.1", 3 + below(3));
    line("connect: imap selected");
    learn();
    const std::size_t gone = 1 + below(view_.size() - 1);
    line("2> connect: imap selected");
    line("2> C: STORE {} +FLAGS.SILENT (\\Deleted)", gone);
    line("2> P: OK");
    line("2> C: EXPUNGE");
    line("2> P: * {} EXPUNGE", gone);
    line("2> P: OK");
    for (std::size_t commands = 1 + below(3); commands > 0; --commands) {
      std::size_t number = 1 + below(view_.size());
      if (number == gone) ++number;  // what is gone, a server may refuse (RFC 2180 section 4.1)
      const bool store = one_in(3);
      if (store)
        line("C: STORE {} +FLAGS.SILENT (\\Flagged)", number);
      else
        line("C: FETCH {} (UID)", number);
      line("S!: * ${{_}} EXPUNGE");
      if (!store) fetched(number);
      line("S: OK");
    }
    line("ask: NOOP");
    line("S: * {} EXPUNGE", gone);
    line("S: OK");
    forget(gone);
    const std::size_t number = 1 + below(view_.size());
    line("C: FETCH {} (UID)", number);
    fetched(number);
    line("S: OK");
  }

  // Of a mailbox that nobody has selected (RFC 3501 section 6.3.10).
  void counts() {
    head("STATUS counts the messages, and those without \\Seen", "RFC 3501 section 6.3.10", 1);
    line("connect: imap authenticated");
    line("C: CREATE ${{box}}");
    line("A: OK");
    std::size_t there = 0;
    std::vector<std::size_t> seen;
    const auto asked = [&] {
      line("C: STATUS ${{box}} (MESSAGES UNSEEN)");
      line("S: * STATUS ${{box}} (MESSAGES {} UNSEEN {})", there, there - seen.size());
      line("S: OK");
    };
    for (std::size_t rounds = 1 + below(3); rounds > 0; --rounds) {
      if (one_in(3)) asked();
      for (std::size_t more = 1 + below(2); more > 0; --more, ++there) {
        line("C: APPEND ${{box}} {{mail.1}}");
        line("P: OK");
      }
      asked();
      const std::size_t which = 1 + below(there);
      if (!one_in(2) || std::find(seen.begin(), seen.end(), which) != seen.end()) continue;
      line("C: SELECT ${{box}}");
      line("P: OK");
      line("C: STORE {} +FLAGS.SILENT (\\Seen)", which);
      line("P: OK");
      line("C: CLOSE");
      line("P: OK");
      seen.push_back(which);
      asked();
    }
  }

  void rename_inbox() {
    head("RENAME of INBOX takes all its messages along and leaves it empty", "RFC 3501 section 6.3.5", 1 + below(4));
    line("connect: imap authenticated");
    if (one_in(2)) {
      line("2> connect: imap selected");
      line("2> C: STORE 1 +FLAGS.SILENT (\\{})", one_in(2) ? "Flagged" : "Deleted");
      line("2> P: OK");
      line("2> C: LOGOUT");
      line("2> P: OK");
    }
    line("C: RENAME INBOX ${{box}}");
    line("S!: BAD");
    line("A: OK");
    const auto holds = [&](const char* box, std::size_t messages) {
      line("C: EXAMINE {}", box);
      line("S: * {} EXISTS", messages);
      line("S: OK");
    };
    const bool target_first = one_in(2);
    if (target_first) holds("${box}", view_.size());
    holds("INBOX", 0);
    if (!target_first) holds("${box}", view_.size());
  }

  void delete_above() {
    head("DELETE leaves the mailboxes below, and what is in them", "RFC 3501 section 6.3.4", 1);
    line("connect: imap authenticated");
    std::vector<std::pair<std::string, std::size_t>> below_it;
    line("C: CREATE ${{box}}");
    line("A: OK");
    for (const char* name : {"${box/a}", "${box/b}", "${box/a/c}"}) {
      if (!below_it.empty() && one_in(2)) continue;
      line("C: CREATE {}", name);
      line("A: OK");
      const std::size_t messages = below(3);
      for (std::size_t n = 0; n < messages; ++n) {
        line("C: APPEND {} {{mail.1}}", name);
        line("P: OK");
      }
      below_it.emplace_back(name, messages);
    }
    line("C: DELETE ${{box}}");
    line("P: OK | NO");
    for (const auto& [name, messages] : below_it) {
      line("C: EXAMINE {}", name);
      line("S: * {} EXISTS", messages);
      line("S: OK");
    }
  }

  // SHOULD, at once: a server that does otherwise has a latitude.
  void own_append() {
    head("What a session appends to the mailbox that it has selected, it is told of", "RFC 3501 section 6.3.11", 1);
    out_.head.level = "SHOULD";
    line("connect: imap authenticated");
    line("C: CREATE ${{box}}");
    line("A: OK");
    std::size_t there = below(3);
    for (std::size_t n = 0; n < there; ++n) {
      line("C: APPEND ${{box}} {{mail.1}}");
      line("P: OK");
    }
    line("C: SELECT ${{box}}");
    line("P: * {} EXISTS", there);
    line("P: OK");
    for (std::size_t more = 1 + below(2); more > 0; --more) {
      line("C: APPEND ${{box}} {{mail.1}}");
      line("S: * {} EXISTS", ++there);
      line("P: OK");
    }
  }

  void silent_store() {
    head("A conditional STORE tells the new mod-sequence even where it is silent", "RFC 7162 section 3.1.3",
         2 + below(3));
    line("connect: imap authenticated");
    line("C: SELECT INBOX (CONDSTORE)");
    line("A: * OK [HIGHESTMODSEQ ${{highest}}]");
    line("P: OK");
    for (std::size_t stores = 1 + below(view_.size()), number = 1; stores > 0; --stores, ++number) {
      line("C: STORE {} (UNCHANGEDSINCE ${{highest}}) +FLAGS.SILENT (\\{})", number,
           one_in(2) ? "Flagged" : "Answered");
      line("S: * {} FETCH (MODSEQ (${{new{}:modseq}}))", number, number);
      line("S: OK");
      line("C: FETCH {} (MODSEQ)", number);
      line("S: * {} FETCH (MODSEQ (${{new{}}}))", number, number);
      line("S: OK");
      line("fewer: ${{highest}} ${{new{}}}", number);
    }
  }

  // SHOULD: a server that does otherwise has a latitude.
  void dates() {
    static constexpr const char* kDates[] = {"01-Feb-2003 04:05:06 +0700", "31-Dec-1999 23:59:59 -0830",
                                             "29-Feb-2024 00:00:00 +0000", "07-Nov-2011 12:30:00 +0100"};
    head("The date-time of APPEND becomes the INTERNALDATE", "RFC 3501 section 6.3.11", 1);
    out_.head.level = "SHOULD";
    line("connect: imap authenticated");
    line("C: CREATE ${{box}}");
    line("A: OK");
    std::vector<const char*> given;
    for (std::size_t n = 1 + below(3); n > 0; --n) {
      given.push_back(kDates[below(std::size(kDates))]);
      line("C: APPEND ${{box}} \"{}\" {{mail.1}}", given.back());
      line("P: OK");
    }
    line("C: EXAMINE ${{box}}");
    line("P: * {} EXISTS", given.size());
    line("P: OK");
    line("C: FETCH 1:* (INTERNALDATE)");
    for (std::size_t n = 1; n <= given.size(); ++n) line("S: * {} FETCH (INTERNALDATE ${{_:at {}}})", n, given[n - 1]);
    line("S: OK");
  }

  Rng& rng_;
  ImapTalk out_;
  std::vector<std::size_t> view_;  ///< what the first connection was told: which message is at which number
};

}  // namespace

ImapTalk imap_talk(std::size_t theme, Rng& rng) { return ImapTalkMaker(rng).make(theme); }
std::size_t imap_themes() { return ImapTalkMaker::themes().size(); }

}  // namespace mailproof::explore
