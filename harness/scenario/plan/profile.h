#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/network.h"
#include "scenario/scenario.h"

namespace mailproof::scenario {

/// What one step of a profile asks the server for.
enum class Ask : std::uint8_t {
  id,
  enable,
  list,
  lsub,
  status,
  select,
  examine,
  unselect,
  noop,
  check,
  search,
  quota,
  my_rights,
  fetch,
  store,
  capability,
  name_space,
  close,
  uidl,  ///< from here on POP3; noop is of both
  stat,
  pop_list,
  top,
  retr,
  dele,
  last,
  each,          ///< `steps` for one message after the other
  end_if_empty,  ///< what follows is for a maildrop that holds something
};

/// Of which messages.
enum class Of : std::uint8_t {
  all,
  fresh,      ///< "new": that this device has not seen yet
  newest,     ///< the last `count` of the mailbox
  listed,     ///< whose number it knows, and the header not yet
  known,      ///< whose number it knows
  unread,     ///< whose text it has not got yet
  first_new,  ///< the first of those that came now
  one,        ///< the message that is read or deleted
};

struct ProfileStep {
  Ask ask = Ask::noop;
  std::string text;          ///< fetch: items; store: flag; list, lsub: pattern; search: keys; a mailbox
  Of of = Of::fresh;         ///< fetch, store, top, retr
  std::uint32_t count = 0;   ///< newest; top: lines
  bool dele = false;         ///< retr: DELE follows each RETR, where the policy says so
  std::string needs = {};    ///< is left out where the server does not offer this
  bool singly = false;       ///< fetch: a command a message
  std::string lacks = {};    ///< is left out where the server offers this
  bool by_number = false;    ///< fetch of new ones: by message sequence numbers instead of UIDs
  bool by_uid = false;       ///< fetch of the newest: by UIDs, as a search has found them
  bool then_read = false;    ///< search: what it finds is read
  bool then_list = false;    ///< search: what it finds is known from then on
  bool subscribed = false;   ///< list: (SUBSCRIBED), by LIST-EXTENDED
  std::string returns = {};  ///< list: what is asked for behind RETURN
  enum class When : std::uint8_t { always, changed, told, fresh };
  /// IMAP: only where this session set a flag; where the server told of news unasked; where a poll shows that something
  /// came or went since.
  When when = When::always;
  bool silent = true;                   ///< store: +FLAGS.SILENT
  bool gets_text = false;               ///< fetch: more than headers; is seen from the text when it is played
  std::vector<ProfileStep> steps = {};  ///< each
};

/// "10s..20s": drawn evenly from between.
struct Span {
  Duration least{}, most{};
};

/// What a customer does with a message that came, himself.
struct Habit {
  double share = 0;  ///< part of the messages; 0 = none
  Span after{};
};

enum class Removal : std::uint8_t {
  expunge,      ///< UID EXPUNGE where there is UIDPLUS
  expunge_all,  ///< EXPUNGE
  trash,
  flag,
};

/// Mail that its owner writes, to another account.
struct Letters {
  Duration every{};
  double jitter = 0;
  std::uint64_t least = 0, most = 0;  ///< octets
  std::string save_to;                ///< IMAP: a copy is put there by APPEND; "" = none is
};

/// When it asks what the server offers.
enum class CapabilityAsks : std::uint8_t {
  usual,         ///< IMAP: where the server does not say it unasked; POP3: before the login and after it
  before_login,  ///< IMAP: always; POP3: only then
  never,         ///< POP3
};

/// How a kind of mail client behaves: data, from a file in scenarios/devices/. Every section of the file says where its
/// facts are from; sources are kept for `mailproof list`.
struct Profile {
  std::string name;   ///< "thunderbird"
  std::string title;  ///< "Thunderbird, IMAP"
  std::string path;
  Protocol protocol = Protocol::imap;
  bool stays = false;                   ///< keeps its connection between polls
  std::vector<std::string> mechanisms;  ///< how it logs in: the first that is offered; else the best that is
  CapabilityAsks capabilities = CapabilityAsks::usual;
  std::optional<TlsMode> tls;                 ///< none: the target's first endpoint
  bool resume_tls = false;                    ///< takes up TLS sessions of its own
  std::vector<ProfileStep> login, poll;       ///< poll of POP3: all of a session, but for QUIT, which ends it
  std::vector<ProfileStep> news;              ///< once the server told of new messages, and after login
  std::vector<ProfileStep> reading;           ///< IMAP: to show one message
  Duration every{};                           ///< between polls; zero: none
  double jitter = 0;                          ///< part of `every` that a poll may come earlier or later
  std::optional<Duration> idle;               ///< listens by IDLE, which it begins anew after so long
  Duration retry = std::chrono::seconds(30);  ///< after a connection that failed
  Habit read, remove;                         ///< IMAP
  Removal how = Removal::expunge;             ///< IMAP
  bool at_poll = false;                       ///< IMAP: reads and deletes when it polls the next time
  std::vector<ProfileStep> leaving;           ///< IMAP: before it ends a session
  bool logout = true;                         ///< IMAP: ends it by LOGOUT, and not by closing the connection
  std::vector<Profile> beside;                ///< IMAP: further connections, each a profile with a login of its own
  AfterDownload after;                        ///< POP3
  std::optional<Letters> send;
  /// Whether it sends NAMESPACE, and so uses the names of mailboxes as people see them.
  bool asks_namespace() const;
  std::vector<std::string> sources;  ///< "login: comm-central nsImapProtocol.cpp"
};

struct LoadedProfile {
  Profile profile;
  std::vector<Problem> problems;
};
LoadedProfile parse_profile(std::string_view text, const std::string& file);
LoadedProfile load_profile(const std::string& path);
/// Whether a file's text is one, by its first key.
bool is_profile(std::string_view text);
/// Names of the profiles below `root`/devices, sorted.
std::vector<std::string> profile_names(const std::string& root);
/// Where the profiles are that a file names by words: `root`, or where nobody said it the nearest folder above the file
/// that has some, or `scenarios`.
std::string folder_of_profiles(const std::string& file, const std::string& root);
std::string profile_path(const std::string& root, const std::string& name);

}  // namespace mailproof::scenario
