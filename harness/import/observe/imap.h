#pragma once
#include <map>
#include <memory>
#include <string>

#include "import/observe/imap_command.h"
#include "import/observe/login.h"
#include "import/observe/mail_scan.h"
#include "import/observe/recording.h"
#include "session/imap/client.h"
#include "wire/imap/framer.h"

namespace mailproof::imports {

/// Listens to an IMAP session: reads the client's commands itself, and what the server says with the client session
/// that plays use, which only listens here.
class ImapObserver final : public Listener, session::ImapSink {
 public:
  ImapObserver(Recording& recording, Conversation about);

  void client(std::string_view octets, Time now) override;
  void server(std::string_view octets, Time now) override;

 private:
  /// What one command is told as beside its first event: APPEND of several messages, REPLACE.
  struct Also {
    history::What what{};
    std::uint32_t event = 0, message = 0;
  };
  /// A command that has no answer yet.
  struct Pending {
    std::uint32_t event = 0;  ///< its invoke; 0 = the history has none
    ImapAsked asked;
    std::uint32_t message = 0;  ///< APPEND
    std::vector<Also> also;
    std::uint32_t unknown = 0;  ///< the event that tells that nobody knows what it does
  };

  /// The client's side.
  class Commands final : public imap::FramerSink {
   public:
    explicit Commands(ImapObserver& to) : to_(to) {}
    imap::LiteralAction on_literal_begin(const imap::LiteralBegin& begin) override { return to_.literal_begins(begin); }
    void on_literal_chunk(std::string_view octets) override { to_.literal(octets); }
    void on_line(const imap::LogicalLine& line) override { to_.command_line(line); }

   private:
    ImapObserver& to_;
  };
  imap::LiteralAction literal_begins(const imap::LiteralBegin& begin);
  void literal(std::string_view octets);
  void command_line(const imap::LogicalLine& line);
  void log_command(const ImapAsked& asked, std::string_view line);
  void asked(ImapAsked asked);
  void pipelined(ImapAsked& read) const;
  std::vector<Sight> messages_of_line();
  bool answered_early(std::string_view tag);
  void start();

  // session::ImapSink
  void on_ready(Time) override {}
  void on_done(const session::ImapCompletion& done, Time) override;
  void on_exists(std::uint32_t n, std::uint32_t before, Time) override;
  void on_expunge(std::uint32_t seq, std::uint32_t uid, Time) override;
  void on_vanished(const imap::SequenceSet& uids, bool earlier, Time) override;
  void on_content_begin(std::uint32_t seq, std::string_view section, std::uint64_t size, Time) override;
  void on_content(std::string_view chunk) override;
  void on_content_end() override;
  void on_fetch(const session::ImapFetchRow& row, Time) override;
  void on_list(const session::ImapListRow& row, Time) override;
  void on_search(const imap::SequenceSet& numbers, Time) override;
  void on_quota(std::string_view root, std::string_view resource, std::uint64_t used, std::uint64_t limit,
                Time) override;
  void on_deviation(const session::Deviation& deviation, Time) override;
  void on_ended(const session::Ended& ended, Time) override;

  void abandon(std::string_view why) override;
  static std::uint32_t nth(const imap::SequenceSet& uids, std::size_t n, std::size_t all);
  void completed(const Pending& pending, const session::ImapCompletion& done, history::Event e);
  bool telling() const { return begun() && sure_ && !deaf(); }
  history::Event data(history::What what) const;  ///< an obs of the open mailbox
  std::string place(std::uint32_t uid) const;
  void content(const session::ImapFetchRow& row);

  Commands commands_sink_;
  imap::Framer commands_;
  session::ImapClient heard_;
  LoginHeard login_;
  std::map<session::CommandId, Pending> pending_;
  std::string selecting_;  ///< of a SELECT without an answer
  bool started_ = false;
  bool sure_;                    ///< what is selected, and how many messages it has, is known
  bool counted_ = false;         ///< EXISTS came since the newest SELECT was asked for
  bool authenticating_ = false;  ///< the client's lines are SASL responses
  bool refused_sasl_ = false;    ///< ... were, and who did not wait for the answer sends them yet
  std::size_t stray_ = 0;        ///< of these so many have no answer: their first word passes for a tag
  bool abandoning_ = false;
  bool login_answered_ = false;  ///< of a conversation that begins behind the login
  std::size_t logged_ = 0;       ///< octets of the unfinished command line that are in the log
  std::string appending_;        ///< tag of an APPEND whose message is on its way
  bool answered_ = false;        ///< ... and that has its answer already
  std::string literal_tag_;      ///< of a line whose literal that must be asked for is owed
  std::uint64_t literal_size_ = 0;
  bool commanded_ = false;   ///< a command that is known was heard
  std::string append_head_;  ///< its line up to the message
  MailScan append_, scan_;
  std::vector<Sight> appends_;               ///< messages of this line before append_'s (RFC 3502)
  bool catenates_ = false;                   ///< its message is made of parts (RFC 4469)
  bool appended_ = false;                    ///< append_ has the message of this line
  bool scanning_ = false, scanned_ = false;  ///< scan_ has content of this FETCH row
  std::string scanned_section_;
  imap::SequenceSet found_;
};

}  // namespace mailproof::imports
