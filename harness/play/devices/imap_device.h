#pragma once
#include <map>
#include <optional>
#include <set>

#include "play/devices/actor.h"
#include "play/devices/cut_short.h"
#include "play/devices/login.h"
#include "play/devices/mailbox_reader.h"
#include "play/devices/others.h"
#include "play/recorded/imap.h"

namespace mailproof::play {

/// A phone, tablet, desktop client or webmail on IMAP.
class ImapDevice final : public Actor, public Alarm {
 public:
  /// `resync`: how it will come back from being offline; what that takes is asked for from the start.
  ImapDevice(Context& context, const scenario::Device& device, std::uint32_t number, scenario::Resync resync);
  ~ImapDevice() override;

  void prepare(Finish done) override;
  void perform(const scenario::Step& step, Finish done) override;
  void leave(Finish done) override;
  void ring(Time now) override;

 private:
  using Then = std::function<void(bool ok)>;
  /// see and lose: what is awaited, until when.
  struct Wait {
    const scenario::Await* what = nullptr;
    bool see = true;  ///< or lose
    std::vector<std::uint32_t> messages;
    std::uint32_t expectation = 0;
    Time since;
    Duration bound{};                 ///< the scenario's
    std::size_t left = 0;             ///< of the messages, those that are not as awaited yet
    std::optional<Time> stays_until;  ///< all are as awaited, and must stay so
    Time deadline;                    ///< earlier where the run has learnt that nothing will come
    Finish done;
  };
  using Flags = std::set<std::string>;
  using Listing = std::map<std::uint32_t, Flags>;  ///< UID -> flags, without \Recent
  /// What a device keeps while it is offline.
  struct Cache {
    std::string mailbox;
    std::uint32_t uidvalidity = 0;
    std::uint64_t modseq = 0;
    Listing messages;
  };
  /// A resync that was answered, and how far it says that it goes; `begun`: events, before it was asked for.
  struct Resynced {
    scenario::Resync how;
    std::uint32_t expectation;
    std::size_t begun;
    std::uint32_t uidnext;
    std::uint64_t highestmodseq;
  };

  // Connection (imap_device.cc)
  RecordedImap& begin_session(const Endpoint& endpoint, const std::string& mechanism = "");
  void connected(Then then);                               ///< a session that is ready, a new one if need be
  void in_mailbox(const std::string& mailbox, Then then);  ///< ... with this mailbox selected and known
  void log_out(Finish done);
  void rest(Finish done);  ///< after a step: back to IDLE; webmail logs out
  /// After a step that adds or removes: what it did to the quota's usage is told while nothing else has changed it.
  void ask_quota(const scenario::Step& step, Finish done);
  void start_idle(Finish done);
  void listen(Finish done);
  void news();  ///< the mailbox changed under us
  /// The mailbox that is meant: this one, or where none is named the open one.
  std::string box(const std::string& named = "") const;
  std::uint32_t session_number() const { return session_ ? session_->number() : 0; }
  Others others() const { return {context_.history, account_, session_number()}; }

  // Waiting (imap_wait.cc)
  void wait_for(const scenario::Step& step, Finish done);
  std::vector<std::uint32_t> not_yet() const;
  bool in_view() const;
  bool nowhere(const std::vector<std::uint32_t>& messages) const;
  bool check_wait();
  /// Another session has changed something that matters since this one was told last, and was answered.
  bool stale(bool (*matters)(history::What)) const;
  void refresh();
  void poll();
  bool looks_rarely() const;
  Time next_look(Time end) const;
  void met();
  void missed();
  void went();
  void ask_again(Wait wait, std::vector<std::uint32_t> missing);

  // Verbs (imap_verbs.cc)
  void act(const scenario::Step& step, Finish done);
  void with_messages(const scenario::InMailbox& what, Finish done, std::function<void(const OwnedUids&)> then);
  void note_undone(const std::vector<std::uint32_t>& wanted);
  void note_unopened(const std::vector<std::uint32_t>& messages);
  void sync(Finish done);
  void read(const scenario::Read& read, Finish done);
  void show(const OwnedUids& uids, std::size_t from, Finish done);
  void read_in_pieces(const scenario::Read& read, Finish done);
  void if_ours(const std::string& mailbox, Finish done, std::function<void(const OwnedMailbox&)> then,
               MailboxCheck::Name name = MailboxCheck::Name::was_there);
  void try_names(const std::vector<std::string>& names, Finish done);
  // `text` of the step, for what it expects.
  void connect(const scenario::Connect& connect, const std::string& text, Finish done);
  void connect_by(const std::string& mechanism, const scenario::Connect& connect,
                  const std::shared_ptr<Welcome>& welcome, Finish done);
  void compare(const std::string& text, Finish done);
  // imap_search.cc
  void search(const scenario::Search& what, const std::string& text, Finish done);
  void find(const scenario::Search& what, std::vector<std::uint32_t> wanted, std::uint32_t expectation, Finish done);
  // imap_changes.cc
  using Attempt = std::function<void(std::function<void(const Completion&)>)>;
  void flag(const scenario::Flag& flag, bool set, Finish done);
  void remove(const scenario::Delete& remove, Finish done);
  void expunge(Finish done);
  void expunge(const OwnedUids& uids, Finish done);
  void move(const OwnedUids& uids, const std::string& to, Finish done);
  void copy(const OwnedUids& uids, const std::string& to, Finish done);
  void save(const scenario::Save& save, Finish done);
  void upload(const scenario::Upload& upload, Finish done);
  void put(const std::string& to, std::uint32_t message, std::shared_ptr<const std::string> text, Finish done);
  void put_into(const std::string& to, std::vector<std::uint32_t> messages, std::string command, Attempt attempt,
                std::function<void(const Completion&)> then);
  void rename(const scenario::Rename& rename, Finish done);
  void remove_mailbox(const std::string& name, Finish done);
  std::vector<std::uint32_t> messages_in_view() const;
  std::vector<std::uint32_t> may_be_in(const std::string& mailbox) const;
  enum class Leaves { room_as_it_was, mail_that_was_to_go };
  /// What the server refuses it may refuse, and then nobody owes what was to come of it.
  void note_refused(const std::vector<std::uint32_t>& messages, const std::string& command, const Completion& result,
                    Leaves leaves = Leaves::room_as_it_was);
  bool keeps(std::string_view flag) const;
  void note_not_kept(std::string_view flag, Leaves leaves = Leaves::room_as_it_was);
  void store(const OwnedUids& uids, const std::string& action, const std::vector<std::string>& flags, Leaves leaves,
             std::function<void(const Completion&)> then);
  void go_offline(Finish done);
  void go_online(scenario::Resync how, const std::string& text, Finish done);
  // imap_resync.cc
  void enable(Then then);
  Listing listing() const;
  void resync(scenario::Resync how, const std::string& mailbox, std::uint32_t expectation, Finish done);
  void hold_against_listing(Listing believed, const Resynced& until, bool listed);

  Context& context_;
  const scenario::Device& device_;
  std::uint32_t number_;
  std::uint32_t account_;
  std::vector<std::unique_ptr<RecordedImap>> sessions_;  ///< all of them: continuations may still refer to old ones
  std::vector<std::unique_ptr<MailboxReader>> readers_;
  std::vector<std::unique_ptr<MailboxCheck>> checks_;
  std::vector<std::unique_ptr<Smuggle>> smuggles_;
  RecordedImap* session_ = nullptr;
  MailboxReader* reader_ = nullptr;
  std::optional<Wait> wait_;
  Cache cache_;
  std::vector<std::uint32_t> about_;  ///< what the step that is under way changes
  std::function<void()> postponed_;   ///< a step that begins once the news are looked at
  bool busy_ = false;                 ///< a chain of commands is under way
  bool news_ = false;                 ///< something changed meanwhile
  bool offline_ = false;
  const scenario::Resync resync_;
  std::string not_enabled_ = {};  ///< how ENABLE was refused in this session
};

}  // namespace mailproof::play
