#pragma once
#include <functional>
#include <map>
#include <set>

#include "core/pop3_delete.h"
#include "core/pop3_download.h"
#include "core/result.h"
#include "core/secret.h"
#include "scenario/scenario.h"

namespace mailproof::scenario {

/// A pool account of the target.
struct PoolAccount {
  std::string login;
  std::string address;
  Secret password;
  std::optional<std::uint64_t> quota = {};
  std::string customer = {};  ///< accounts with the same one share customer_quota
  std::optional<std::uint64_t> customer_quota = {};
};

/// An expected deviation; see ci/README.md, "What fails and what does not".
struct Known {
  std::string id;
  std::string why;
  std::string until;  ///< "2027-03-01" or empty
};

/// How many connections somebody may have at the same time; 0 = as many as he likes.
struct Connections {
  std::size_t user = 0;     ///< one account, over IMAP and POP3 together
  std::size_t address = 0;  ///< this host
};

/// The server under test, as its target file says.
struct Target {
  std::string name;
  std::vector<Endpoint> imap, pop3, smtp, lmtp;
  std::vector<Way> delivery;  ///< in order of preference
  std::string ca_file;        ///< relative names are relative to the target file
  bool insecure = false;      ///< certificates are not verified; said in the report
  Duration settle = std::chrono::seconds(10);
  std::optional<Pop3Delete> pop3_delete;      ///< nothing: whichever it is
  std::optional<Pop3Download> pop3_download;  ///< nothing: as it announces, or whichever it is
  std::optional<Duration> gives_up_after;     ///< how long its MTA tries to deliver; nothing: perhaps for days
  std::set<std::string> password_envs;        ///< variables that hold passwords: nobody else is to inherit them
  std::vector<PoolAccount> accounts;          ///< classes expanded, in file order
  /// Verb -> command line, with {login}, {address}, {octets} (0 = no limit), {customer} and {milliseconds} to be
  /// filled in.
  std::map<std::string, std::vector<std::string>> admin;
  std::vector<std::string> allow;
  Connections connections = {};
  bool behind_proxy = false;  ///< what is announced before login is a proxy's, what comes after it the backend's
  std::vector<Known> known;
};

struct LoadedTarget {
  Target target;
  std::vector<Problem> problems;
};

/// Reads a target file (scenarios/targets.md). Passwords come from the environment variable or file
/// that a class names; `environment` answers for a variable's name (null when unset) so that tests need no real one.
LoadedTarget load_target(const std::string& path, const std::function<const char*(const std::string&)>& environment);
LoadedTarget parse_target(std::string_view text, const std::string& name,
                          const std::function<const char*(const std::string&)>& environment);

}  // namespace mailproof::scenario
