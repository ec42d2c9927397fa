#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/fate.h"
#include "core/network.h"
#include "core/time.h"
#include "scenario/check/check.h"
#include "scenario/step.h"

namespace mailproof::scenario {

/// What a scenario asks of the target. Missing = not-applicable, with this word as the reason.
enum class Need { imap, pop3, delivery, smtp, lmtp, quota, bounce, tls, admin };
std::string_view name(Need need);

/// A hosting customer: the accounts it owns share one limit beside their own.
struct Customer {
  std::string name;
  std::uint64_t quota = 0;  ///< needs a customer of the target with exactly this limit
  Pos pos;
};

struct Account {
  std::string name;                    ///< "alice": a name inside the scenario, leased from the target's pool
  std::optional<std::uint64_t> quota;  ///< needs an account of a class with exactly this quota
  Pos pos;
  std::optional<std::size_t> customer = {};  ///< index into Scenario::customers
};

enum class DeviceKind { deliverer, imap, pop3 };

struct Profile;

struct Device {
  std::string name;
  DeviceKind kind = DeviceKind::imap;
  std::size_t account = 0;          ///< index into Scenario::accounts (imap, pop3)
  Way way = Way::any;               ///< deliverer
  std::optional<std::size_t> from;  ///< deliverer: account that sends; none = the null-report-free pool address
                                    ///< "postmaster" of the first account
  std::string idle;                 ///< imap: mailbox it idles in from the start; "" = none
  bool webmail = false;             ///< imap: a new login per step, logged out afterwards
  AfterDownload after;              ///< pop3
  std::optional<TlsMode> tls;       ///< picks the target's endpoint with this mode; none = its first
  Pos pos;
  /// imap, pop3: the kind of client that it is, in everything that no step says. What of it stands above is there as if
  /// the story had said it.
  std::shared_ptr<const Profile> profile = {};
};

struct Scenario {
  std::string path;  ///< file it came from
  std::string id;
  Pos id_pos;
  std::string title;
  std::string why;
  std::vector<std::string> refs;
  std::vector<std::string> tags;
  std::vector<Need> needs;
  std::vector<Customer> customers;
  std::vector<Account> accounts;
  std::vector<Device> devices;
  std::vector<Step> steps;
  std::optional<Check> check = {};  ///< a check of a conformance file, not a story
  std::uint64_t hash = 0;           ///< ContentHash of the file's bytes
};

/// "MUST", "SHOULD", "PRACTICE" or "MAY" of a check; "" for a story.
std::string level_of(const Scenario& scenario);

/// One complaint about a file: "file:line:column: 'text'; expected ...; did you mean '...'?"
struct Problem {
  std::string file;
  Pos pos;           ///< line 0 = about the file as a whole
  std::string text;  ///< the offending text, shortened
  std::string expected;
  std::string hint;  ///< nearest known word, or empty
  std::string message() const;
};

struct Loaded {
  std::vector<Scenario> scenarios;
  std::vector<Problem> problems;    ///< nothing is played if any file is bad
  std::vector<Problem> notes = {};  ///< what is hardly meant, and no mistake
};

/// Reads scenario files. `paths` are files, folders (recursively, *.yaml, sorted) or what is looked up below `root`:
/// ids, first words of several ("sync"), folders by their name. What is in behaviour_folder(root) accuses nobody, and
/// is read only where it is asked for: a folder above it is read without.
Loaded load(const std::vector<std::string>& paths, const std::string& root);
/// Where the ways stand that `mailproof probe --behaviour` plays.
std::string behaviour_folder(const std::string& root);
/// Checks text as if it were file `name`. `root`: as of load(); "" = nobody said, and device profiles are looked for in
/// the folders above the file.
Loaded parse(std::string_view text, const std::string& name, const std::string& root = "");
/// What was understood, as JSON, for `mailproof check --json`.
std::string to_json(const Scenario& scenario);

}  // namespace mailproof::scenario
