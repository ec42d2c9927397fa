#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/network.h"
#include "history/history.h"
#include "history/wire_log.h"
#include "import/observe/known_mail.h"

namespace mailproof::imports {

/// From where on a conversation was heard.
enum class Begin {
  greeting,  ///< from the first octet
  login,     ///< the login is over, and nothing was done since
  middle,    ///< something came before: what is open, and what is known to whom, nobody can say
};

/// What is known of a conversation from elsewhere.
struct Conversation {
  Protocol protocol = Protocol::imap;
  std::string server;  ///< "127.0.0.1:143", or the file where it was found
  std::string client;  ///< its address without the port, to tell one device of a user from another; may be empty
  std::string user;    ///< "" = it is heard when somebody logs in, or never
  Begin begin = Begin::greeting;
  bool in_the_clear = false;  ///< also behind STARTTLS: whoever records takes TLS off
  /// Where its accounts are: the same login elsewhere is another account. A host, or the file of a recording that has
  /// no times, which is in no order to any other; "" = all that have none are one server's.
  std::string realm;
  bool unordered = false;        ///< it has no times, and there are others
  std::uint32_t resolution = 0;  ///< seconds that its stamps are apart, where they are whole ones
};

/// What somebody who was no part of a conversation wrote down about mail: a server in its log, a client in what it
/// keeps.
struct Witness {
  std::string code;  ///< "accepted", "delivered", "deferred", "bounced", "saved", "copied", "marked", "expunged", ...
  std::string user;  ///< a login or an address; "" = it names none
  std::string message_id;     ///< with its angle brackets; "" = it names none
  std::string mailbox, uidl;  ///< "" = it says none
  std::uint32_t uid = 0;
  std::string text;  ///< as it stands there, without the time
};

/// Listens to one conversation: in what it is fed it reads what is asked, what is answered, and what of that is a
/// secret. Time never goes back, over all conversations of a recording. After end() it is fed nothing more.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void client(std::string_view octets, Time now) = 0;
  virtual void server(std::string_view octets, Time now) = 0;
  /// What comes now cannot be read, or is missing: nothing that follows is believed, and nobody is to blame.
  virtual void blind(std::string_view why, Time now) = 0;
  /// `by_server`: it is known that the server ended it.
  virtual void end(EndReason reason, bool by_server, Time now) = 0;
  /// True once when the server agreed to begin TLS, of a conversation that is in the clear.
  virtual bool take_upgrade() = 0;
};

/// Other people's sessions, written down as if they had been played: one history, with the mail, the accounts and the
/// devices that turn up.
class Recording {
 public:
  /// `log`: octets that are kept of each conversation, for the evidence.
  explicit Recording(history::HistoryInfo info, std::size_t log = 256U << 10);

  std::unique_ptr<Observer> watch(Conversation conversation);
  /// It is told beside what was heard, and nobody is accused by it: clocks differ, and a log is what a program means to
  /// have done. What became of a message where nothing was heard of it follows from it (report/witnesses.h).
  void witness(const Witness& witness, Time now);

  /// It has as many events as are kept in memory: who listens for as long as he runs stops here.
  bool full() const { return history.events().size() >= kMostEvents; }
  static constexpr std::size_t kMostEvents = 1'000'000;

  history::History history;
  const std::vector<std::unique_ptr<history::WireLog>>& logs() const { return logs_; }  ///< by session
  KnownMail& mail() { return mail_; }

  // For observers.
  std::unique_ptr<history::WireLog> make_log() const;
  /// Of who logs in; of an address that mail is sent to. alice and alice@example.test are one, unless there are two of
  /// them. "" = nobody knows: it is nobody else's.
  std::uint32_t account(const std::string& login, const std::string& realm = "");
  std::uint32_t account_of_address(const std::string& address);
  std::uint32_t begin_session(const Conversation& about, std::uint32_t account, std::unique_ptr<history::WireLog> log);
  std::uint32_t append(history::Event event);

 private:
  std::uint32_t add_account(const std::string& login, const std::string& address, const std::string& realm = "");
  const std::vector<std::uint32_t>& alike(std::string_view name) const;
  std::uint32_t account_meant(const std::string& user);

  KnownMail mail_;
  std::vector<std::unique_ptr<history::WireLog>> logs_;
  std::map<std::tuple<std::uint32_t, Protocol, std::string>, std::uint32_t> devices_;  ///< account, protocol, client
  std::map<std::uint32_t, std::uint32_t> sessions_of_;                                 ///< device -> sessions so far
  std::vector<std::string> realms_;                                                    ///< by account - 1
  std::unordered_map<std::string, std::vector<std::uint32_t>> by_local_part_;          ///< in small letters
  std::size_t log_;
  std::uint32_t nameless_ = 0;
};

/// What observers of all protocols share: a session of the history that begins once it is known whose it is, and the
/// log of the conversation.
class Listener : public Observer {
 public:
  void end(EndReason reason, bool by_server, Time now) override;
  void blind(std::string_view why, Time now) override;
  bool take_upgrade() override { return std::exchange(upgrade_, false); }

 protected:
  Listener(Recording& recording, Conversation about);

  Recording& recording() { return recording_; }
  const Conversation& about() const { return about_; }
  history::WireLog& log() { return *log_; }
  bool deaf() const { return deaf_; }  ///< blind or ended: nothing is read any more
  bool begun() const { return session_ != 0; }
  std::uint32_t session() const { return session_; }
  std::uint32_t account() const { return account_; }
  Time now() const { return now_; }
  void at(Time now) {
    now_ = now;
    if (!first_) first_ = now;
  }

  /// Somebody has logged in: the session begins. "" = nobody knows who.
  void logged_in(const std::string& user);
  /// It begins for no account.
  void begin_without_account();
  history::Event event(history::Type type, history::What what) const;
  /// Before the session has begun only what belongs to no command, and it is kept until then.
  std::uint32_t append(history::Event event);
  void deviation(std::string_view code, std::string_view excerpt);
  /// What is still asked ends as unknown; called once, before the session's end is written.
  virtual void abandon(std::string_view why) = 0;
  /// `flags` and `code` as the event `end` has them.
  void over(std::string_view flags, std::string_view code, std::string_view text);

  /// The server agreed to STARTTLS or STLS.
  void tls_begins(std::string_view command);

  std::string refused_;  ///< what a login that was refused was told last

 private:
  void begin(std::uint32_t account);
  void ready();
  void tell_held();

  Recording& recording_;
  Conversation about_;
  std::unique_ptr<history::WireLog> own_log_;  ///< until the session begins
  history::WireLog* log_;
  std::uint32_t session_ = 0, account_ = 0;
  bool deaf_ = false, upgrade_ = false;
  Time now_{};
  std::optional<Time> first_;  ///< when it was first heard
  std::vector<history::Event> held_;
};

std::unique_ptr<Observer> observe_imap(Recording& recording, Conversation about);
std::unique_ptr<Observer> observe_pop3(Recording& recording, Conversation about);
std::unique_ptr<Observer> observe_smtp(Recording& recording, Conversation about);

}  // namespace mailproof::imports
