#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "play/devices/actor.h"
#include "play/talk/bring_up.h"
#include "play/talk/connection.h"
#include "play/talk/imaptest_match.h"
#include "play/talk/match.h"
#include "play/talk/own_look.h"
#include "play/talk/own_mailboxes.h"

namespace mailproof::play {

/// Plays the talk of a check (scenarios/conformance/README.md, "Talk"): line by line, over connections that it opens as
/// they are needed, and writes down how each awaited line came out. The first that comes out wrong ends it.
class Talk final : public Alarm {
 public:
  /// Performs a delivery that stands in the talk.
  using Deliver = std::function<void(const scenario::Step&, Finish)>;
  /// Looks into every mailbox of every account, with fresh sessions.
  using LookInside = std::function<void(Finish)>;
  Talk(Context& context, const scenario::Scenario& scenario, Deliver deliver, LookInside look_inside);
  ~Talk() override;

  /// Whether the server offers what the check is about; else records why it is not applicable. `then(true)`: play on.
  void look(std::function<void(bool)> then);
  void play(Finish done);
  void ring(Time now) override;
  /// Over SMTP or LMTP it sent something that a mailbox may have now or later.
  bool sent_mail() const { return sent_mail_; }
  /// Messages that were taken over SMTP, and may be on their way still.
  std::size_t taken_mail() const;

 private:
  using Pieces = std::vector<TalkConnection::Piece>;
  /// A part of what is sent, and what is awaited after the one before it. A literal is sent after the server's "+" (RFC
  /// 3501 section 7.5), and not at all when the server refuses its command.
  struct Segment {
    enum class After { pause, plus, nothing };
    Pieces pieces;
    After after = After::pause;
    std::string tag = {};  ///< of the literal's command
  };
  using TalkLine = scenario::TalkLine;
  static constexpr std::uint32_t kClient = 2;  ///< number of the device that all connections of a talk belong to
  static constexpr Duration kBound = std::chrono::seconds(10);
  /// RFC 1939 section 4 gives a maildrop that is locked no time: servers wait before they refuse, too.
  static constexpr Duration kLockPatience = std::chrono::seconds(30);
  static constexpr Duration kAskRetry = std::chrono::milliseconds(100);
  static constexpr Duration kLockRetry =
      std::chrono::milliseconds(200);  ///< a maildrop that somebody has is asked again

  /// A connection by its number in the talk.
  struct Line {
    std::unique_ptr<TalkConnection> connection;
    std::unique_ptr<TalkBringUp> bring_up;  ///< until it is where the talk wants it
    const Endpoint* endpoint = nullptr;
    scenario::TalkConnect how;
    int number = 1;  ///< as the talk calls it
    Time opened{};
    Time attempt{};                            ///< since when the newest try to bring it up is waited for
    std::optional<Time> retry_at;              ///< the login was refused for a moment
    std::string refusal;                       ///< ... in these words
    Time said{}, heard{};                      ///< when the newest C line began, and when the newest reply was right
    bool end_taken = false;                    ///< a line of the talk took note that the server ended it
    bool refused = false;                      ///< the reply that was read last was -ERR, NO, BAD, 4xx or 5xx
    std::optional<TalkReply> farewell = {};    ///< SMTP, LMTP: the reply that was right last was a 421
    std::vector<std::size_t> recipients = {};  ///< SMTP, LMTP: accounts that RCPT named since MAIL
    bool skipped = false;  ///< "tls: either" came out as no TLS: the rest of its lines is not played
    // POP3: the messages of its maildrop are looked at before one is taken.
    enum class Looking { not_yet, asked_count, asked_header, asked_inbox, over };
    Looking looking = Looking::not_yet;
    std::uint32_t looked = 0;  ///< the newest number that was asked for ...
    std::uint32_t count = 0;   ///< ... of so many
    std::size_t unread = 0;    ///< replies of the talk's own lines, which nobody took yet
    std::size_t reports = 0;   ///< of those looked at: delivery reports, by their header
    // IMAP
    std::vector<std::string> tags;         ///< of the open commands, the oldest first
    std::vector<TalkReply> untagged;       ///< since the oldest was sent
    std::vector<const TalkLine*> awaited;  ///< untagged lines, to be compared at the status
    std::size_t in_order = 0;              ///< where the next EXISTS, EXPUNGE or VANISHED may be
    bool behind_earlier = false;           ///< ... and FETCH, because VANISHED (EARLIER) was awaited before it
    int made_tags = 0;
    bool continued = false;  ///< "+" was awaited and came: the next C line is no command
    /// "ask:": what is said until its untagged lines have come, since when, and when it is said again.
    struct Asking {
      const TalkLine* line = nullptr;
      Time since{};
      std::optional<Time> again = {};
    };
    std::optional<Asking> asking;
  };
  enum class Came { on, blocked, ended };

  // The lines, one by one (talk.cc).
  void run();
  void again();
  Came step(const TalkLine& line);
  Came up(Line& at);
  Came open(int number, const scenario::TalkConnect& how);
  Came reopen(Line& at);
  void leave(Line line);
  Came deliver(const TalkLine& line);
  const history::Event* missed_delivery() const;
  Came compare(const TalkLine& line);
  void done(const Line& at, const TalkLine& line);
  Came passed(Duration span);
  bool name_own_mailboxes();
  bool use_names(const Hierarchy& hierarchy);
  void next();
  void end();
  Duration bound() const;
  std::string offered_key() const;
  void ask_what_is_offered();
  void looking(Time now);
  const Offered* offered_before(const std::vector<WantedOffer>& asked) const;
  WantedOffer used_in_its_state(const std::string& capability) const;
  bool applicable(const Offered& offered);
  void not_applicable(std::string why);

  // What is sent (send.cc).
  Came send(Line& at);
  void put(std::vector<Segment> more);
  std::string bytes_to_send() const;
  std::vector<Segment> segments(Line& at, const TalkLine& line);
  std::vector<Segment> imap_segments(Line& at, std::string text);
  Came may_go_on(Line& at);
  Pieces fill_in(Line& at, std::string_view text, bool raw);
  void give_addresses();
  std::string nobodys_name() const;
  void fill_variable(Line& at, const TalkVariable& variable, bool raw, Pieces& out);
  std::optional<std::string> own_mailbox(const std::string& name, bool raw, bool quoted) const;
  void unbound(const std::string& name);
  bool says_secret_aloud(const Line& at) const;
  std::optional<std::string> message(std::string_view name) const;

  // Whose mail it takes: over POP3 (own_only.cc), over IMAP (own_imap.cc).
  bool next_write_takes(int connection) const;
  std::size_t known_reports(const Line& at) const;
  Came only_ours(Line& at, std::string_view bytes);  ///< before these are sent; none: whatever is
  Came without_top(Line& at, std::string_view reply);
  Came not_ours(const std::string& why);
  Came takes_ours(Line& at);
  Came keeps_flags(Line& at);
  bool restricts() const;
  bool seen_matters() const;
  void look_into(std::size_t account);
  void write_stars(const TakingWrite& write);
  bool guarded() const { return !context_.options.alone && !context_.options.own_mailboxes; }

  // SMTP and LMTP (smtp.cc).
  std::vector<Segment> mail_segments(Line& at, const TalkLine& line);
  Messages::Made new_mail(const Line& at, const scenario::NewMessages& wanted);
  void note_recipients(Line& at, std::string_view line);
  Came mail_reply(Line& at, const TalkLine& line, const TalkReply& reply);
  Came arrives(const TalkLine& line);
  Duration absence_counts_after(const TalkLine& line) const;
  bool may_be_queued(const TalkLine& line, Duration waited) const;
  enum class Arrival : std::uint8_t { none, unclear, there };
  Arrival arrival(const TalkLine& line, std::string_view wanted, std::size_t since, std::string& what) const;
  Arrival arrival(const TalkLine& line, std::size_t since, std::string& what) const;

  // What must come (replies.cc).
  Came reply(Line& at, const TalkLine& line);
  Came pop3_reply(Line& at, const TalkLine& line, const TalkReply& reply);
  Came maybe(Line& at, const TalkLine& line);
  Came never(Line& at, const TalkLine& line);
  Came closed(Line& at, const TalkLine& line);
  Came quiet(Line& at, const TalkLine& line);
  Came tls(Line& at, const TalkLine& line);
  bool waits();
  Came wait_for(Line& at, const TalkLine& line);

  // What may pass, and what no server said (passing.cc).
  bool was(std::string_view code) const;      ///< the check ended so, and is played once more
  bool again_at(const TalkLine& line) const;  ///< ... at this line
  bool certificate_refused(std::string_view trouble) const;
  bool names(std::string_view word) const;
  bool says_not_now(const Line& at, const TalkReply& reply) const;
  Came refused(Line& at, const TalkLine& line, std::string wanted, const TalkReply& reply);
  Came gone(Line& at, const TalkLine& line, std::string wanted, std::string actual);

  // What did not come (silence.cc).
  Came silent(Line& at, const TalkLine& line, std::string wanted, std::string actual);
  Came after_silence(Line& at, const TalkLine& line);
  void ask_after(Line& at);
  std::vector<std::string> answers_after(const Line& at) const;
  bool still_owed(const Line& at) const;
  Came unanswered(Line* at, const TalkLine& line, std::string wanted, std::string actual);

  Came without_reply(Line& at, const TalkLine& line);
  const TalkReply* goodbye(const Line& at) const;
  bool one_of(const Line& at, const TalkLine& line, const TalkReply& reply, std::string_view tag);
  bool may_close(const TalkLine& line) const;
  std::string how_it_ended(const Line& at) const;
  std::string expected(const TalkLine& line) const;
  Came right(Line* at, const TalkLine& line, std::string actual);
  Came ended(Line& at, const TalkLine& line, std::string actual);
  Came unsaid(Line& at, const scenario::TalkLine& line, std::string actual);
  Came wrong(Line* at, const TalkLine& line, std::string expected, std::string actual);
  void record(Line* at, const TalkLine& line, history::Type type, std::string expected, std::string actual,
              std::string code = {});

  // IMAP (imap_replies.cc).
  Came imap(Line& at, const TalkLine& line);
  Came imap_status(Line& at, const TalkLine& line);
  static std::string awaited_tag(const Line& at, const TalkLine& line, const TalkReply& reply);
  Came imap_untagged(Line& at, const TalkLine& line, bool complete);
  bool untagged_fits(const TalkLine& line, const std::string& text);
  std::string nearest(const TalkLine& line, const Line& at);
  bool together_fit(const TalkLine& line, const std::vector<TalkReply>& replies, const std::vector<std::size_t>& rows);
  std::vector<std::size_t> fitting(const TalkLine& line, const std::vector<TalkReply>& replies, std::size_t from,
                                   const std::vector<bool>& taken = {});
  Came ask(Line& at, const TalkLine& line);
  Came ask_again(Line& at);
  void say(Line& at, const TalkLine& line);
  const TalkLine* not_come(const Line& at);
  void sort_replies(Line& at);
  void note_departures(const Line& at, std::string_view reply);

  // A group of an ImapTest script (imaptest_replies.cc).
  struct ImapTestGroup {
    std::vector<bool> found;  ///< of the untagged replies that it wants
    std::size_t open = 0;     ///< commands that have no reply yet
    std::string came;
    std::string wanted, wrong;  ///< the first mismatch
  };
  Came imaptest(Line& at, const TalkLine& line);
  void imaptest_untagged(const scenario::ImapTestReplies& replies, const std::string& reply);
  void imaptest_mismatch(std::string wanted, std::string came, int line);

  Context& context_;
  const scenario::Scenario& scenario_;
  const scenario::Check& check_;
  Deliver deliver_;
  LookInside look_inside_;
  Finish done_;
  TalkVariables variables_;
  ImapTestMatcher matcher_{variables_};
  std::optional<ImapTestGroup> imaptest_;  ///< the one that is awaited
  std::map<int, Line> lines_;
  std::vector<Line> past_;  ///< connections whose number was opened again, or of an earlier round
  std::size_t next_ = 0;    ///< line to be played
  int round_ = 0;
  int times_ = 0;         ///< of S*n:, how many came
  bool begun_ = false;    ///< the line was looked at before
  Time since_{};          ///< ... and when first
  bool waiting_ = false;  ///< for replies that are owed, before a look
  std::uint64_t octets_ = 0;
  std::optional<Duration> within_;
  std::optional<Time> look_at_;   ///< when the line wants to be looked at again
  std::vector<Segment> to_send_;  ///< segments of a split write
  std::size_t lines_sent_ = 0;    ///< that a write covers
  bool sending_ = false;          ///< ... and that may go out
  /// The mailboxes that a write of IMAP takes messages of are looked into before it goes out.
  struct Look {
    std::set<std::string> mailboxes;
    std::vector<std::size_t> accounts;  ///< still to be looked into
    bool over = false;
    std::map<std::string, OwnedSoFar> looked = {};
    std::string why = {};
  };
  std::optional<Look> look_;
  unsigned looks_ = 0;  ///< begun, or given up
  std::vector<std::unique_ptr<OwnLook>> own_looks_;
  /// The line's reply did not come: what is asked after it, to see whether the server is silent or swallowed it.
  struct After {
    std::string wanted, actual;
    int asked = 0;
    bool waiting = false;  ///< nothing more is asked
    Time since{};
    std::string said = {};  ///< the newest command
    std::string tag = {};   ///< IMAP: of the command that is not answered
    bool began_in_block = false;
    std::size_t in_block = 0;  ///< lines of the block that had come
  };
  std::optional<After> after_;
  bool delivering_ = false, delivered_ = false;
  std::size_t events_before_ = 0;  ///< the delivery
  bool looking_inside_ = false, looked_inside_ = false;
  Time asked_inside_{};  ///< when it was looked last
  bool sent_mail_ = false;
  bool over_ = false;

  std::unique_ptr<OwnMailboxes> own_mailboxes_;
  std::map<std::string, std::string, std::less<>> own_;  ///< "box" and the like, once the server was asked
  Time own_until_{};

  std::unique_ptr<TalkProbe> probe_;
  std::function<void(bool)> looked_;
  std::vector<WantedOffer> asked_;  ///< when: and unless:
  bool delays_ = false;             ///< a refused login says nothing, see Offered::has
  Time look_until_{};
};

}  // namespace mailproof::play
