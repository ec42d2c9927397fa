#include "explore/world_talk.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "core/rng.h"
#include "core/units.h"
#include "explore/world_talk_imap.h"

namespace mailproof::explore {
namespace {

constexpr std::uint32_t kTalks = 4;  ///< one world in so many

class TalkMaker {
 public:
  TalkMaker(std::uint64_t seed, const Offer& offer) : seed_(seed), offer_(offer), rng_(derive_seed(seed, "talk")) {}

  std::optional<std::string> text() {
    auto kinds = this->kinds();
    if (kinds.empty()) return std::nullopt;
    // By turns, in another order each time: what is drawn anew for each talk may be missing in a hundred of them.
    const std::uint64_t turn = seed_ / kTalks;
    Rng order(derive_seed(turn / kinds.size(), "turns"));
    for (std::size_t i = kinds.size() - 1; i > 0; --i)
      std::swap(kinds[i], kinds[order.below(static_cast<std::uint32_t>(i + 1))]);
    const Kind& kind = kinds[turn % kinds.size()];
    (this->*kind.make)(kind.theme);
    std::string out = fmt::format(
        "id: {}\ntitle: The random world of seed {}\nchecks:\n  - id: {}\n    level: {}\n    title: {}\n    refs: "
        "[{}]\n    needs: [{}]\n",
        world_id(seed_), seed_, kTalkSlug, head_.level, head_.title, head_.refs, head_.needs);
    if (!head_.when.empty()) out += fmt::format("    when: [{}]\n", head_.when);
    if (!head_.mailbox.empty()) out += fmt::format("    mailbox: {}\n", head_.mailbox);
    return out + head_.more + "    talk: |\n" + talk_;
  }

 private:
  struct Kind {
    void (TalkMaker::*make)(std::size_t theme);
    std::size_t theme = 0;
  };
  std::vector<Kind> kinds() {
    std::vector<Kind> out;
    if (offer_.pop3 && (offer_.lmtp || offer_.append))
      out = {{&TalkMaker::pop3}, {&TalkMaker::pop3}, {&TalkMaker::top}};
    if (offer_.pop3 && offer_.imap && offer_.append) out.push_back({&TalkMaker::unfinished});
    if (offer_.imap && (offer_.lmtp || offer_.append))
      for (std::size_t theme = 0; theme < imap_themes(); ++theme) out.push_back({&TalkMaker::imap, theme});
    if (offer_.smtp && offer_.imap) out.insert(out.end(), 2, {&TalkMaker::odd_line_ends});
    if (offer_.smtp_tls) out.push_back({&TalkMaker::starttls});
    const auto small = std::find_if(offer_.quotas.begin(), offer_.quotas.end(),
                                    [](std::uint64_t q) { return q >= 16 * 1024 && q <= 256 * 1024; });
    if (offer_.smtp && offer_.imap && offer_.lmtp && offer_.accounts >= 2 && small != offer_.quotas.end()) {
      quota_ = *small;
      out.push_back({&TalkMaker::unwanted_report});
    }
    return out;
  }

  std::uint32_t below(std::size_t n) { return rng_.below(static_cast<std::uint32_t>(n)); }
  bool one_in(std::uint32_t n) { return rng_.one_in(n); }
  template <class... T>
  void line(fmt::format_string<T...> text, T&&... parts) {
    talk_ += "      " + fmt::format(text, std::forward<T>(parts)...) + "\n";
  }

  void imap(std::size_t theme) {
    ImapTalk made = imap_talk(theme, rng_);
    head_ = std::move(made.head);
    talk_ = std::move(made.talk);
  }

  // POP3: commands in pieces of one to six, each of which sees what those before it did (RFC 2449 section 6.6), also
  // over the pieces. No RFC says in which order a server numbers what came: only with one message is it known which.
  struct Pop3Message {
    bool marked = false, read = false;
    bool listed = false, named = false;  ///< its octets, and its unique-id, have a value
  };

  // A last line that does not end: the final dot stands on a line of its own all the same (RFC 1939 section 3).
  void unfinished(std::size_t) {
    head_ = {"The final dot stands on a line of its own, also behind a message without a last line end",
             "RFC 1939 section 3",
             "",
             "pop3, imap",
             "[{kind: no-final-newline, via: append}]",
             ""};
    std::size_t commands = 1 + below(3);
    line("C: LIST 1");
    line("P: +OK 1 ${{listed:number}}");
    for (; commands > 0; --commands) {
      line("C: RETR 1");
      line("S: +OK");
      line("S: ${{body:block}}");
      line("S: ${{got{}:octets}}", commands);
      line("S: .");
      line("at-most: ${{listed}} ${{got{}}}", commands);
      line("C: NOOP");
      line("S: +OK");
    }
  }

  // TOP counts lines of the body, and sends the header whole (RFC 1939 section 7).
  void top(std::size_t) {
    static const std::vector<std::string> kLetters = {"plain", "office", "dot-lines"};
    head_ = {"TOP brings the header, the blank line and as many lines of the body as were asked for",
             "RFC 1939 section 7",
             "TOP",
             "pop3",
             fmt::format("[{}]", kLetters[below(kLetters.size())]),
             ""};
    for (std::size_t commands = 1 + below(4); commands > 0; --commands) {
      const std::size_t lines = one_in(4) ? 0 : 1 + below(40);
      line("C: TOP 1 {}", lines);
      line("S: +OK");
      line("S: {{mail.1 top {}}}", lines);
      line("S: .");
    }
  }

  void pop3(std::size_t) {
    static const std::vector<std::string> kMailboxes[] = {{"plain"},
                                                          {"dot-lines"},
                                                          {"office"},
                                                          {"plain", "dot-lines"},
                                                          {"office", "plain", "dot-lines"},
                                                          {"dot-lines", "plain", "header-only", "office"}};
    const auto& kinds = kMailboxes[below(std::size(kMailboxes))];
    head_ = {"Commands that come in one piece are carried out and answered one after the other",
             "RFC 2449 section 6.6, RFC 1939 section 5",
             "PIPELINING, UIDL, TOP",
             "pop3",
             fmt::format("[{}]", fmt::join(kinds, ", ")),
             ""};
    maildrop_.assign(kinds.size() + 1, {});
    for (std::size_t pieces = 2 + below(4); pieces > 0; --pieces) {
      std::string replies;
      for (std::size_t commands = 1 + below(6); commands > 0; --commands) pop3_command(replies);
      talk_ += replies;
    }
    line("C: QUIT");
    line("S: +OK");
    line("closed");
    // What was sent and not marked a site may remove as well (RFC 1939 section 8).
    std::size_t left = 0;
    for (std::size_t n = 1; n < maildrop_.size(); ++n) {
      if (maildrop_[n].read && !maildrop_[n].marked) return;
      left += maildrop_[n].marked ? 0 : 1;
    }
    line("connect: transaction");
    line("C: STAT");
    line("S: +OK {} ${{_:number}}", left);
  }

  void pop3_command(std::string& replies) {
    const std::size_t n = 1 + below(maildrop_.size() - 1);
    Pop3Message& message = maildrop_[n];
    const auto reply = [&](const std::string& text) { replies += "      S: " + text + "\n"; };
    const auto there = [&] {
      return std::count_if(maildrop_.begin() + 1, maildrop_.end(), [](const Pop3Message& m) { return !m.marked; });
    };
    const auto value = [&](bool& known, const std::string& name, const std::string& type) {
      return std::exchange(known, true) ? fmt::format("${{{}}}", name) : fmt::format("${{{}:{}}}", name, type);
    };
    const auto octets = [&](std::size_t of) {
      return value(maildrop_[of].listed, fmt::format("octets{}", of), "number");
    };
    const auto uidl = [&](std::size_t of) { return value(maildrop_[of].named, fmt::format("id{}", of), "uidl"); };
    switch (below(9)) {
      case 0:
        line("C: STAT");
        return reply(fmt::format("+OK {} ${{_:number}}", there()));
      case 1:
        line("C: LIST");
        reply("+OK");
        for (std::size_t of = 1; of < maildrop_.size(); ++of)
          if (!maildrop_[of].marked) reply(fmt::format("{} {}", of, octets(of)));
        return reply(".");
      case 2:
        line("C: LIST {}", n);
        return reply(message.marked ? "-ERR" : fmt::format("+OK {} {}", n, octets(n)));
      case 3:
        line("C: UIDL {}", n);
        return reply(message.marked ? "-ERR" : fmt::format("+OK {} {}", n, uidl(n)));
      case 4:
      case 5:
        line("C: DELE {}", n);
        // Who may not remove anything is told so (RFC 3206 section 4), and the rest is not asked for.
        replies += message.marked ? "      S: -ERR\n" : "      A: +OK\n";
        message.marked = true;
        return;
      case 6:
        if (!one_in(2)) {
          line("C: NOOP");
          return reply("+OK");
        }
        line("C: RSET");
        for (Pop3Message& one : maildrop_) one.marked = false;
        return reply("+OK");
      case 7:
        line("C: RETR {}", n);
        if (message.marked) return reply("-ERR");
        reply("+OK");
        body(reply, n, message.read);
        message.read = true;
        return reply(".");
      default:
        break;
    }
    const std::size_t lines = one_in(2) ? 0 : below(12);
    line("C: TOP {} {}", n, lines);
    if (message.marked) return reply("-ERR");
    reply("+OK");
    reply(maildrop_.size() == 2 ? fmt::format("{{mail.1 top {}}}", lines) : "...");
    reply(".");
  }

  template <class Reply>
  void body(const Reply& reply, std::size_t n, bool again) {
    if (!again) reply(maildrop_.size() == 2 ? "{mail.1}" : "{mail.*}");
    reply(fmt::format("${{text{}:block}}", n));
  }

  // SMTP: only CRLF, a dot and CRLF end a message. What a server ends earlier it reads as a command, and answers. It
  // may refuse such mail, and close.
  void odd_line_ends(std::size_t) {
    static constexpr std::string_view kFalseEnds[] = {"\\n.\\n",    "\\n.\\r\\n", "\\r\\n.\\n", "\\r.\\r",
                                                      "\\r\\n.\\r", "\\n\\n.\\n", "\\r.\\r\\n"};
    head_ = {"Only CRLF, a dot and CRLF end a message",
             "RFC 5321 section 4.1.1.4, RFC 5321 section 2.3.8, CVE-2023-51764",
             "",
             "smtp",
             "",
             "    state: smtp\n"};
    const std::size_t connections = 1 + below(3);
    for (std::size_t i = 1; i <= connections; ++i) {
      const std::string on = i == 1 ? "" : fmt::format("{}> ", i);
      if (i > 1) line("{}connect: smtp", on);
      line("{}C: MAIL FROM:<${{address}}>", on);
      line("{}P: 250", on);
      line("{}C: RCPT TO:<${{address}}>", on);
      line("{}P: 250 | 251", on);
      line("{}C: DATA", on);
      line("{}P: 354", on);
      line("{}C!: ${{head}}Hello,\\r\\nthis goes on{}{}\\r\\nand ends here.\\r\\n.\\r\\n", on,
           kFalseEnds[below(std::size(kFalseEnds))], one_in(2) ? "RSET" : "NOOP");
      line("{}S: 250 | 4xx | 5xx | closed", on);
      line("{}C: QUIT", on);
      line("{}S: 221 | closed", on);
    }
  }

  // SMTP: what came in clear text behind STARTTLS is not obeyed under TLS. A server may refuse the command for it.
  void starttls(std::size_t) {
    static constexpr std::string_view kSmuggled[] = {"NOOP", "RSET", "EHLO smuggled.example", "HELP"};
    head_ = {"What came in clear text behind STARTTLS is not obeyed under TLS",
             "RFC 3207 section 4.2, CVE-2011-0411",
             "",
             "smtp, tls",
             "",
             "    state: smtp\n    tls: clear\n"};
    if (one_in(2)) {
      line("C: NOOP");
      line("S: 250");
    }
    line("C!: STARTTLS\\r\\n{}\\r\\n", kSmuggled[below(std::size(kSmuggled))]);
    line("S: 220 | 4xx | 5xx | closed");
    line("tls: either");
    line("quiet: 300ms");
    line("C: EHLO client.example");
    line("S: 250");
  }

  // SMTP: one of two recipients has no room, and the sender is nobody, or wants no report (RFC 3461 sections 5.2 and
  // 5.2.6). A server that refuses before it is responsible has nothing to report.
  void unwanted_report(std::size_t) {
    const bool null_sender = one_in(2);
    const bool full_first = one_in(2);
    head_ = {null_sender ? "Of mail with a null reverse-path nothing is reported" : "Who wants no report gets none",
             null_sender ? "RFC 3461 section 5.2, RFC 5321 section 4.5.5" : "RFC 3461 section 5.2.6",
             null_sender ? "" : "DSN",
             "smtp, imap, quota",
             fmt::format("{{messages: 4, size: {}}}", format_size(quota_ / 8)),
             fmt::format("    state: smtp\n    accounts: [{{quota: {}}}, {{}}, {{}}]\n", format_size(quota_))};
    const std::string to_full = null_sender ? "C: RCPT TO:<${address}>" : "C: RCPT TO:<${address}> NOTIFY=NEVER";
    const std::string to_other =
        null_sender || one_in(2) ? "C: RCPT TO:<${address2}>" : "C: RCPT TO:<${address2}> NOTIFY=NEVER";
    line("C: MAIL FROM:<{}>", null_sender ? "" : "${address3}");
    line("P: 250");
    for (const bool full : {full_first, !full_first}) {
      line("{}", full ? to_full : to_other);
      line("{}: 250 | 251", full ? "A" : "P");
    }
    line("C: DATA");
    line("P: 354");
    line("C: {{mail {} {}}}", one_in(2) ? "office" : "plain", format_size(quota_ / 1024 * 15 / 16 * 1024));
    line("A: 250");
    line("await: mail.last user2");
    line("no-report: mail.last");
  }

  std::uint64_t seed_;
  const Offer& offer_;
  Rng rng_;
  TalkHead head_;
  std::string talk_;
  std::vector<Pop3Message> maildrop_;  ///< from 1
  std::uint64_t quota_ = 0;
};

}  // namespace

bool is_talk(std::uint64_t seed) { return Rng(derive_seed(seed / kTalks, "shape")).below(kTalks) == seed % kTalks; }

std::optional<std::string> talk(std::uint64_t seed, const Offer& offer) { return TalkMaker(seed, offer).text(); }

}  // namespace mailproof::explore
