#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/outbox.h"
#include "session/imap/client.h"
#include "session/imap/literal_watch.h"
#include "session/imap/mailbox_view.h"
#include "session/patience.h"
#include "wire/imap/command.h"
#include "wire/imap/framer.h"
#include "wire/imap/response.h"
#include "wire/sasl/client.h"

namespace mailproof::session {

/// What a command changes here beyond its completion.
enum class ImapVerb : std::uint8_t {
  other,
  capability,
  name_space,
  starttls,
  login,
  authenticate,
  select,
  examine,
  close,
  unselect,
  idle,
  move,
  logout
};

/// One command from its asking to its tagged reply. Reused, so that a steady stream of commands allocates nothing.
struct ImapPending {
  CommandId id = 0;  ///< 0: our own, of the bring-up
  ImapVerb verb = ImapVerb::other;
  std::string_view name;  ///< "UID FETCH"; a literal
  std::string tag;
  std::string mailbox;                          ///< SELECT, EXAMINE
  std::unique_ptr<imap::CommandWriter> writer;  ///< none in a command that rests
  bool started = false;                         ///< its first byte is in the outbox
  std::uint64_t last_byte = 0;  ///< where it ends in the stream of sent bytes; 0 = not all is in the outbox
  std::optional<Time> asked;
  std::optional<Time> sent;
  std::uint32_t uidvalidity = 0;  ///< COPYUID of an untagged OK (RFC 6851 section 4.3)
  imap::SequenceSet source_uids, destination_uids;
  /// COPY, MOVE: so many messages were asked for, and no COPYUID names more. Nothing: as many as are there.
  std::optional<std::uint64_t> wanted = 0;

  /// Part of it waits for the server's "+".
  bool waiting() const { return writer != nullptr && writer->waiting(); }
  /// All of it was sent long before it is over: IDLE.
  void rest();
  /// What is small enough to be kept for the next command of any session.
  static void give_back(std::unique_ptr<ImapPending> done);
};

/// What a session needs only while it handles one line; the thread's sessions share it.
struct ImapScratch {
  imap::Response response;
  std::vector<std::string_view> flag_views;
  std::string content_text;
  const imap::LogicalLine* line = nullptr;
  std::string envelope, bodystructure;  ///< with the literals of the line in them
  ImapFetchRow row;
};

/// What a session needs until it is ready.
struct ImapEntry {
  Login login;
  std::unique_ptr<sasl::Client> client;
  std::optional<Secret> initial;  ///< waits for the server's first "+"
  std::string problem;            ///< why we cancelled the exchange
};

/// The state behind ImapClient. Split by concern over imap_bring_up.cc, imap_queue.cc, imap_responses.cc and
/// imap_client.cc.
struct ImapClient::Impl final : imap::FramerSink {
  enum class Phase : std::uint8_t {
    connecting,
    greeting,
    bring_up,  ///< CAPABILITY, STARTTLS, login
    securing,  ///< STARTTLS was granted, TLS is being set up
    ready,
    over,
  };
  enum class Idle : std::uint8_t { none, asked, on, done_sent };

  Impl(std::shared_ptr<const ClientConfig> config_in, Login login, ImapSink& sink_in);

  // imap_client.cc: life and time
  void opened(Time now);
  void feed(std::string_view in, Time now);
  void sent(std::size_t n, Time now);
  void advance(Time now);
  std::optional<Time> deadline() const;
  void ended(EndReason reason, std::string_view detail, Time now);
  void give_up(std::string_view why);
  void finish(Ended end);
  void broken(std::string why);   ///< the server broke the protocol
  void beyond(std::string why);   ///< ... or a limit of ours, of which no RFC knows
  void refused(std::string why);  ///< a step of the bring-up failed in an orderly way
  std::string step() const;
  void learn(Time now);
  void wake() const;
  void deviate(std::string_view code, std::string_view excerpt);
  void report_deviations();
  bool was_asked_for() const;

  // imap_bring_up.cc
  void greet(const imap::Response& r);
  void next_step();
  void log_in();
  void start_login_command();
  void start_authenticate(sasl::Mechanism mechanism);
  void authenticate_continues(std::string_view challenge);
  void send_sasl(const Secret& raw);
  void bring_up_completed(ImapPending& done, const imap::Response& r);
  void secured(const TlsFacts& facts, Time now);
  void grant_starttls();
  void become_ready();
  static std::shared_ptr<const std::vector<std::string>> kept_once(const std::vector<std::string_view>& words);
  void set_capabilities(const std::vector<std::string_view>& words);
  bool lists(std::string_view capability) const;  ///< among the capabilities, by this name
  bool has(std::string_view capability) const;

  // imap_queue.cc
  ImapPending& prepare(std::string_view name, ImapVerb verb);  ///< its writer has begun
  CommandId enqueue(ImapPending& command);
  void enqueue_own(ImapPending& command);
  void pump();
  void start(ImapPending& command);
  void hand_over(ImapPending& command);
  void continuation(std::string_view text);
  void idle_continues();
  void send_done();
  void finish_idle();
  void complete(const imap::Response& r);
  void report(ImapPending& done, ImapCompletion completion);
  bool restart_idle(ImapPending& idle);
  void begin(ImapPending& command);
  ImapPending* oldest();
  const ImapPending* oldest() const;
  std::unique_ptr<ImapPending> take(std::size_t index);
  bool busy() const;

  // imap_responses.cc
  class Handling;
  imap::LiteralAction on_literal_begin(const imap::LiteralBegin& begin) override;
  void on_literal_chunk(std::string_view octets) override;
  void on_literal_end() override;
  void on_number(std::uint32_t number) override;
  void on_line(const imap::LogicalLine& line) override;
  void handle(const imap::Response& r);
  void unreadable(const imap::LogicalLine& line, const imap::Response& r);
  void status_response(const imap::Response& r);
  void untagged_code(const imap::ResponseCode& code);
  void exists(std::uint32_t n);
  void expunge(std::uint32_t seq);
  bool worked(std::uint64_t messages);  ///< false: it was too much, and the session is over
  bool kept_too_much();
  void vanished(const imap::Response& r);
  void fetch(const imap::Response& r);
  void list(const imap::Response& r);
  void mailbox_status(const imap::Response& r);
  void esearch(const imap::Response& r);
  void quota(const imap::Response& r);
  void copied(ImapPending& command, const imap::ResponseCode& code);
  std::string mailbox_name(const imap::Text& name);
  bool names_are_utf8() const;
  void put_mailbox(ImapPending& command, std::string_view wire_name) const;

  // listen.cc
  CommandId heard(const Heard& command, Time now);
  void continuation_heard();

  // imap_namespace.cc
  void namespaces(const imap::Response& r);
  /// The name on the wire of a mailbox; what comes back is valid until the next call.
  std::string_view wire_name(std::string_view name) const;
  std::string people_name(std::string name) const;
  char peoples_separator(char on_the_wire, std::string_view name) const;  ///< in a name as people call it
  bool of_others(std::string_view name) const;                            ///< on the wire

  const std::shared_ptr<const ClientConfig> common;
  const ClientConfig& config;        ///< the common one; its login is another's
  std::unique_ptr<ImapEntry> entry;  ///< until the session is ready
  ImapSink& sink;
  Waker* waker = nullptr;
  Outbox out;
  imap::Framer framer;
  std::unique_ptr<LiteralWatch> watch;  ///< while a literal comes, and after one that swallowed a reply
  ImapScratch* scratch = nullptr;       ///< while a line is handled
  ImapMailboxView mailbox;
  std::shared_ptr<const std::vector<std::string>> capabilities;  ///< never null

  std::vector<std::unique_ptr<ImapPending>> queue;  ///< oldest first; the started ones are a prefix
  std::unique_ptr<ImapPending> written;             ///< the one that prepare() began

  imap::LiteralSupport literals = imap::LiteralSupport::synchronising;
  Phase phase = Phase::connecting;
  Idle idle_state = Idle::none;
  Wants wants = Wants::nothing;
  std::string namespace_prefix;  ///< "INBOX."
  char namespace_separator = '/';
  std::vector<std::string> others_prefixes;  ///< of other users' and shared namespaces
  bool tls_up = false;
  bool was_ready = false;
  bool pipelining = false;
  bool listening = false;  ///< to others: nothing is sent
  bool capabilities_fresh = false;
  bool authenticated = false;
  bool login_refused = false;
  bool finish_idle_asked = false;
  bool refreshing_idle = false;
  bool utf8_enabled = false;     ///< by ENABLE: mailbox names are UTF-8
  bool qresync_enabled = false;  ///< by ENABLE: ENABLED said so
  bool content_open = false;     ///< a literal's octets go to on_content
  bool time_unknown = false;     ///< something was asked for outside of a call that tells the time
  int calls = 0;                 ///< depth of calls from the driver
  CommandId last_id = 0;
  std::uint32_t last_tag = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t received = 0;
  std::uint64_t response_bytes = 0;  ///< since the last progress
  std::uint64_t responses = 0;
  std::uint64_t moved = 0;  ///< messages that the view gained, lost or moved since the last SELECT was sent
  std::uint64_t deviations_reported = 0;
  Time now{};
  Patience patience;  ///< with the oldest command, or the bring-up step
  Time idle_since{};
  std::optional<Time> bye_at;
  std::unique_ptr<std::string> bye_text;  ///< none: no BYE came
  std::string last_line;
  std::unique_ptr<std::string> gave_up;
  std::string_view bring_up_step;
  std::string_view completing;  ///< the command whose tagged reply is being handled

  imap::SequenceSet numbers;  ///< of a SEARCH whose line is not over yet
};

}  // namespace mailproof::session
