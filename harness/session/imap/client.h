#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "session/client.h"
#include "wire/imap/sequence_set.h"

namespace mailproof::session {

/// One command's end. Views are valid during the call only.
struct ImapCompletion {
  CommandId id = 0;
  std::string_view command;  ///< "UID FETCH"
  Outcome outcome = Outcome::info;
  std::string_view status;        ///< "OK", "NO", "BAD"; "" when info
  std::string_view code;          ///< response code atom: "OVERQUOTA", "APPENDUID", "TRYCREATE"; "" = none
  std::string_view text;          ///< what the server said after the code, or why the outcome is unknown
  std::uint32_t uidvalidity = 0;  ///< APPENDUID, COPYUID: of the destination
  imap::SequenceSet source_uids, destination_uids;  ///< COPYUID in order; APPENDUID: destination only
  Time sent;  ///< when its last byte was handed to the link; for what was never sent the time it was asked for
  EndReason lost = EndReason::none;  ///< how the session ended, where that is why there is no answer
};

/// One FETCH row, solicited or not. Views are valid during the call only.
struct ImapFetchRow {
  std::uint32_t seq = 0;
  std::uint32_t uid = 0;  ///< from the row, else from the view, 0 = not known
  std::optional<std::vector<std::string_view>> flags;
  std::optional<std::uint64_t> size;  ///< RFC822.SIZE
  std::optional<std::uint64_t> modseq;
  std::string_view internaldate;        ///< as sent, without quotes; "" = absent
  std::string_view envelope;            ///< raw, with parentheses; "" = absent
  std::string_view bodystructure;       ///< raw; "" = absent
  bool has_content = false;             ///< a BODY[...] came: on_content_begin/../end were called before, unless nil
  bool content_nil = false;             ///< ... as NIL
  std::string_view section;             ///< "", "HEADER", "HEADER.FIELDS (X-MAILPROOF)"
  std::optional<std::uint32_t> origin;  ///< of a partial fetch, as the server tells it
  std::uint64_t content_size = 0;
};

struct ImapListRow {
  std::string_view name;                         ///< UTF-8, decoded from modified UTF-7
  char separator = '/';                          ///< in this name, which people write with /; 0 = NIL
  std::span<const std::string_view> attributes;  ///< "\\Noselect", "\\Trash"
  bool subscribed = false;                       ///< from LSUB
  std::string_view old_name;                     ///< under which it was asked for, where the server tells
};

/// What this session believes about the selected mailbox.
struct ImapView {
  std::string mailbox;  ///< "" = none selected
  bool read_only = false;
  std::uint32_t uidvalidity = 0;
  std::uint32_t uidnext = 0;  ///< 0 = not told
  std::uint64_t highestmodseq = 0;
  std::uint32_t exists = 0;
  /// [PERMANENTFLAGS]. None told: all can be changed for good (RFC 3501 section 7.1). What sessions are told alike is
  /// kept once.
  std::shared_ptr<const std::vector<std::string>> permanent_flags;
  /// Whether a change of this flag outlives the session. A keyword that is not among them may be made where "\*" is.
  bool keeps(std::string_view flag) const;
  /// By seq-1; 0 = not known yet. Ends behind the last one that is known: what EXISTS announces costs nothing.
  std::vector<std::uint32_t> uids;
};

/// Where an ImapClient tells what happens. All calls come from within feed/advance/secured/ended of the peer.
/// It is allowed to issue further commands from a call; not to destroy the client.
class ImapSink {
 public:
  virtual ~ImapSink() = default;
  virtual void on_greeting(std::string_view text, Time) { (void)text; }
  virtual void on_secured(const TlsFacts&, Time) {}                           ///< TLS is up, or failed
  virtual void on_capabilities(std::span<const std::string>, Stage, Time) {}  ///< once a stage of the bring-up
  virtual void on_ready(Time) = 0;                        ///< authenticated; capabilities() are the post-login ones
  virtual void on_done(const ImapCompletion&, Time) = 0;  ///< once for every CommandId, in completion order
  virtual void on_idling(Time) {}                         ///< the continuation of IDLE came
  virtual void on_exists(std::uint32_t n, std::uint32_t before, Time) = 0;
  virtual void on_recent(std::uint32_t, Time) {}
  /// uid 0 = never learnt, or no message of the view has that number; also called per message for VANISHED not EARLIER
  virtual void on_expunge(std::uint32_t seq, std::uint32_t uid, Time) = 0;
  virtual void on_vanished(const imap::SequenceSet& uids, bool earlier, Time) {
    (void)uids, (void)earlier;
  }  ///< as sent: ranges stay ranges, and name more than any mailbox holds if the server wants
  virtual void on_content_begin(std::uint32_t seq, std::string_view section, std::uint64_t size, Time) {
    (void)seq, (void)section, (void)size;
  }
  virtual void on_content(std::string_view chunk) { (void)chunk; }
  virtual void on_content_end() {}
  virtual void on_fetch(const ImapFetchRow&, Time) = 0;
  virtual void on_list(const ImapListRow&, Time) {}
  virtual void on_status(std::string_view mailbox, std::string_view item, std::uint64_t value, Time) {
    (void)mailbox, (void)item, (void)value;
  }
  virtual void on_search(const imap::SequenceSet& numbers, Time) { (void)numbers; }  ///< ranges stay ranges
  virtual void on_quota_root(std::string_view mailbox, std::string_view root, Time) { (void)mailbox, (void)root; }
  virtual void on_quota(std::string_view root, std::string_view resource, std::uint64_t used, std::uint64_t limit,
                        Time) {
    (void)root, (void)resource, (void)used, (void)limit;
  }  ///< as sent: STORAGE in units of 1024 octets
  virtual void on_deviation(const Deviation&, Time) {}
  virtual void on_ended(const Ended&, Time) = 0;  ///< once, last; pending commands were completed before
};

/// An IMAP4rev1 client session (RFC 3501/9051): greeting, STARTTLS if the endpoint says so, CAPABILITY, login, then
/// commands. Commands are queued and sent one at a time, or all at once when pipelining(true); a command issued while
/// idling ends IDLE first. Bounds of ClientConfig hold at every step: whatever the server sends, the session ends with
/// a reason and bounded memory.
class ImapClient final : public Peer {
 public:
  ImapClient(ClientConfig config, ImapSink& sink);
  /// One of many that differ only in who logs in: `common` is kept by all of them together, and its login is not looked
  /// at; `login` is forgotten as soon as the session is ready.
  ImapClient(std::shared_ptr<const ClientConfig> common, Login login, ImapSink& sink);
  ~ImapClient() override;

  // Commands. Sets are written as in the protocol ("1:*", "3,5:7"); mailbox names are UTF-8. All may be called once
  // ready.
  CommandId select(std::string_view mailbox, bool examine = false);
  CommandId select_qresync(std::string_view mailbox, std::uint32_t uidvalidity, std::uint64_t modseq,
                           std::string_view known_uids);
  CommandId unselect();  ///< UNSELECT where offered, else CLOSE of an examined mailbox or EXAMINE of none
  CommandId close();
  CommandId enable(std::string_view capabilities);
  CommandId id();
  CommandId noop();
  CommandId capability();
  CommandId check();
  CommandId idle();    ///< refreshed by itself every 29 minutes
  void finish_idle();  ///< DONE; the IDLE command completes with on_done
  CommandId uid_fetch(std::string_view set,
                      std::string_view items);  ///< items as in the protocol, e.g. "(UID FLAGS BODY.PEEK[])"
  CommandId fetch(std::string_view set, std::string_view items);
  CommandId uid_store(std::string_view set, std::string_view action,
                      std::span<const std::string> flags);  ///< action "+FLAGS.SILENT"
  CommandId uid_copy(std::string_view set, std::string_view mailbox);
  CommandId uid_move(std::string_view set, std::string_view mailbox);
  CommandId expunge();
  CommandId uid_expunge(std::string_view set);
  CommandId uid_search(std::string_view query);
  CommandId append(std::string_view mailbox, std::span<const std::string> flags,
                   std::shared_ptr<const std::string> message);
  CommandId create(std::string_view mailbox);
  CommandId remove(std::string_view mailbox);
  CommandId rename(std::string_view from, std::string_view to);
  CommandId subscribe(std::string_view mailbox);
  CommandId unsubscribe(std::string_view mailbox);
  CommandId list(std::string_view reference, std::string_view pattern);
  /// RFC 5258: `selection` as "(SUBSCRIBED)", `returns` as "(SPECIAL-USE)"; "" = none.
  CommandId list_extended(std::string_view selection, std::string_view reference, std::string_view pattern,
                          std::string_view returns);
  CommandId my_rights(std::string_view mailbox);
  CommandId lsub(std::string_view reference, std::string_view pattern);
  CommandId status(std::string_view mailbox, std::string_view items);  ///< "(MESSAGES UIDNEXT)"
  CommandId get_quota_root(std::string_view mailbox);
  CommandId logout();  ///< ends with Ended::clean
  /// What somebody else's client was heard to send, where this session only listens.
  struct Heard {
    std::string_view tag;
    std::string_view name;     ///< "UID FETCH", in upper case; it must stay where it is
    std::string_view mailbox;  ///< SELECT, EXAMINE: UTF-8
  };
  /// Instead of opened(): from now on it listens to a conversation of others and sends nothing. Whatever the server
  /// says is fed to it, what the client says is told with heard(), each before its answer. advance() is never called.
  void listen(Time now);
  CommandId heard(const Heard& command, Time now);
  void pipelining(bool on);
  void give_up(std::string_view why);  ///< our own bound was missed: pending commands end as info, the link is closed

  bool ready() const;
  bool idling() const;
  bool in_idle() const;  ///< idling, or DONE was said and not answered yet: what comes is told unasked all the same
  bool busy() const;     ///< commands pending (IDLE does not count once idling)
  bool has(std::string_view capability) const;  ///< "MOVE", "UIDPLUS", "LITERAL+"; case does not matter
  const std::vector<std::string>& capabilities() const;
  bool qresync() const;  ///< ENABLED said that it is on (RFC 7162 section 3.2.3)
  const ImapView& view() const;
  /// How LIST tells the mailbox that is called so: below a prefix "INBOX." (RFC 2342) "Kept" and "INBOX/Kept" are one.
  /// Once logged in.
  std::string listed_name(std::string_view mailbox) const;
  std::uint64_t received() const;  ///< bytes fed so far

  // Peer
  void attach(Waker* waker) override;
  void opened(Time now) override;
  void feed(Bytes in, Time now) override;
  std::span<const Output> output() override;
  void sent(std::size_t n, Time now) override;
  void advance(Time now) override;
  std::optional<Time> deadline() const override;
  void secured(const TlsFacts& facts, Time now) override;
  void ended(EndReason reason, std::string_view detail, Time now) override;
  Wants wants() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mailproof::session
