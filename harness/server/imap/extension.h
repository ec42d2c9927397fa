#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/store.h"
#include "server/switches.h"
#include "wire/imap/cursor.h"

/// One IMAP extension of the built-in server is one file in extensions/, `NAME.cc`, that defines
///
///     const Extension& NAME_extension();
///
/// CMake finds the file and lists the function. Everything an extension adds is in the value it returns; what is not
/// mentioned stays as RFC 3501 has it. State lies in Extras (session.own<T>(), and in messages, mailboxes, accounts).

namespace mailproof::server {

class ImapSession;
class ImapView;
struct FetchItem;
struct FetchRequest;
struct SearchKey;
struct SearchRequest;
struct SearchResult;
struct ListRequest;

/// Where a command is valid.
inline constexpr std::uint8_t kNotAuthenticated = 1;
inline constexpr std::uint8_t kAuthenticated = 2;
inline constexpr std::uint8_t kSelected = 4;
inline constexpr std::uint8_t kLoggedIn = kAuthenticated | kSelected;
inline constexpr std::uint8_t kAnyState = kNotAuthenticated | kLoggedIn;

/// Other users' mailboxes are below this and their login (RFC 2342 section 5).
inline constexpr std::string_view kOthersPrefix = "Other Users/";

/// `run` reads what follows the name and gives exactly one tagged answer, unless the session is to read on
/// (ImapSession::next_line()).
struct ImapCommand {
  std::string_view name;
  std::uint8_t states;
  void (*run)(ImapSession&, imap::Cursor&);
  bool tells_expunges = true;  ///< false: no EXPUNGE while it runs (RFC 3501 section 7.4.1); the UID forms always may
  /// Not 0: the argument that names a mailbox, and the literals behind it are messages for it, as APPEND's are.
  unsigned mailbox_argument = 0;
  bool makes_room = false;  ///< whether there is room for them is looked at when all is read
};

/// ENABLE (RFC 5161). `run` is called once, where the word is new.
struct EnableWord {
  std::string_view name;
  void (*run)(ImapSession&) = nullptr;
};

/// fetch-att. `read` reads what follows the word (may be null) and `write` writes "NAME value".
struct FetchWord {
  std::string_view name;  ///< up to "[", "<" or a space
  void (*read)(imap::Cursor&, FetchItem&) = nullptr;
  void (*write)(ImapSession&, std::size_t index, const FetchItem&) = nullptr;
  /// "[CODE] text" where this message makes the whole FETCH a NO; else nothing. May be null.
  std::string_view (*refuses)(ImapSession&, std::size_t index, const FetchItem&) = nullptr;
};

/// fetch-modifier (RFC 4466), behind its name. It may set FetchRequest::narrow.
struct FetchModifier {
  std::string_view name;
  void (*read)(ImapSession&, imap::Cursor&, FetchRequest&);
};

/// search-key. `read` (may be null) fills number, text, name, set or children; `matches` is asked of each message.
struct SearchWord {
  std::string_view name;
  void (*read)(ImapSession&, imap::Cursor&, SearchKey&) = nullptr;
  bool (*matches)(const SearchKey&, const ImapView&, std::size_t index) = nullptr;
};

/// search-return-opt (RFC 4466). `write` writes " NAME value" into the ESEARCH, or does something with what was found.
struct SearchReturn {
  std::string_view name;
  void (*read)(ImapSession&, imap::Cursor&, SearchRequest&) = nullptr;
  void (*write)(ImapSession&, const SearchRequest&, const SearchResult&) = nullptr;
  bool silent = false;                      ///< with nothing else asked for no ESEARCH comes
  bool alone = false;                       ///< twice, or beside ALL or another such option: BAD
  void (*refused)(ImapSession&) = nullptr;  ///< the search was answered NO
};

/// status-att. The value as it stands on the wire.
struct StatusItem {
  std::string_view name;
  std::string (*value)(ImapSession&, Mailbox&);
};

/// select-param, create-param (RFC 4466), behind its name. False: it was answered with NO or BAD.
struct CommandParameter {
  std::string_view name;
  bool (*read)(ImapSession&, imap::Cursor&);
};

/// append-data that is no literal, behind its word (CATENATE, UTF8). False: it was answered.
struct AppendData {
  std::string_view name;
  bool (*read)(ImapSession&, imap::Cursor&, std::string& message);
};

/// A name that LIST may show; without a mailbox it is a superior of one, or only subscribed to.
struct Listed {
  std::string name;  ///< in modified UTF-7
  std::shared_ptr<Mailbox> mailbox;
  bool subscribed = false;
};

/// list-select-opt (RFC 5258). `selects` is null for those that only modify others.
struct ListSelection {
  std::string_view name;
  bool (*selects)(ImapSession&, const Listed&) = nullptr;
};

/// list return option (RFC 5258). What `read` reads behind the name it keeps in ListRequest::asked; `attributes` ("
/// \\X") go into the LIST response, `follow` writes responses behind it. A selection of the same name implies it.
struct ListReturn {
  std::string_view name;
  void (*read)(ImapSession&, imap::Cursor&, ListRequest&) = nullptr;
  std::string (*attributes)(ImapSession&, const Listed&) = nullptr;
  void (*follow)(ImapSession&, const Listed&, const ListRequest&) = nullptr;
};

struct Extension {
  std::string_view capabilities = {};      ///< words of CAPABILITY, separated by a space
  std::uint8_t announced = kAnyState;      ///< in which states
  std::vector<Latitude> absent_with = {};  ///< the latitudes that take the extension away
  std::optional<Latitude> only_with = {};  ///< the latitude without which it is not there
  std::vector<EnableWord> enables = {};
  std::vector<ImapCommand> commands = {};
  std::vector<ImapCommand> uid_commands = {};  ///< behind UID
  std::vector<FetchWord> fetch_words = {};
  std::vector<FetchModifier> fetch_modifiers = {};
  std::vector<SearchWord> search_words = {};
  std::vector<SearchReturn> search_returns = {};
  std::vector<StatusItem> status_items = {};
  std::vector<CommandParameter> select_parameters = {};
  std::vector<CommandParameter> create_parameters = {};
  std::vector<AppendData> append_data = {};
  std::vector<ListSelection> list_selections = {};
  std::vector<ListReturn> list_returns = {};

  bool several_messages = false;  ///< APPEND may bring more than one (RFC 3502)
  bool nul_in_literal8 = false;   ///< a message that comes as literal8 may hold NUL (RFC 3516)

  /// Whether an account may have let others see a mailbox of its own; they then are below kOthersPrefix.
  bool (*shares)(const AccountState&) = nullptr;

  // Hooks; null where nothing is to be done.
  std::string (*more_capabilities)(const ImapSession&) = nullptr;  ///< words that depend on something, or nothing
  void (*selected)(ImapSession&) = nullptr;    ///< SELECT and EXAMINE: untagged responses before the tagged one
  void (*deselected)(ImapSession&) = nullptr;  ///< the mailbox is selected no more; view() is null
  /// The changes of the selected mailbox are going to be told; `expunges`: those too.
  void (*telling)(ImapSession&, bool expunges) = nullptr;
  void (*told)(ImapSession&) = nullptr;  ///< ... and they were
  /// CREATE made it: a response code ("MAILBOXID (F1)"), or nothing.
  std::string (*created)(ImapSession&, Mailbox&) = nullptr;
  /// Why a command is BAD now ("[CODE] text"), or nothing.
  std::string_view (*refuses)(const ImapSession&, const ImapCommand&) = nullptr;
  /// Why a message that is appended is refused with NO ("[CODE] text"), or nothing.
  std::string_view (*refuses_message)(const ImapSession&, std::string_view message) = nullptr;
  /// Whether the user holds a right of RFC 4314 in a mailbox. Without such an extension owners hold all.
  bool (*permits)(const ImapSession&, const Mailbox&, char right) = nullptr;
  /// A long command came so far: `done` of `total`.
  void (*progress)(ImapSession&, std::size_t done, std::size_t total) = nullptr;
  /// "$" where a sequence set may stand (RFC 5182): the UIDs it means.
  std::vector<Uid> (*saved_result)(ImapSession&) = nullptr;
};

/// Those of the extensions that one server offers.
class Extensions {
 public:
  explicit Extensions(const Switches& switches);

  auto begin() const { return offered_.begin(); }
  auto end() const { return offered_.end(); }

  /// The row of that name in a list of any of them, e.g. find(&Extension::status_items, "SIZE"); null: nobody has it.
  template <class Row>
  const Row* find(std::vector<Row> Extension::*rows, std::string_view name) const {
    for (const auto* extension : offered_)
      for (const auto& row : extension->*rows)
        if (iequals(row.name, name)) return &row;
    return nullptr;
  }

 private:
  std::vector<const Extension*> offered_;
};

/// Of every file in extensions/, by name. CMake writes this function.
std::span<const Extension* const> all_extensions();

}  // namespace mailproof::server
