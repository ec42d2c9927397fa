#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/builtin.h"
#include "core/result.h"
#include "scenario/target.h"

namespace CLI {
class App;
class Validator;
}  // namespace CLI

namespace mailproof::cli {

inline constexpr const char* kVersion = "0.1.0";

/// Exit statuses that are not a verdict (reports/README.md, "Verdicts and the exit status").
inline constexpr int kWrongUse = 2;
inline constexpr int kTrouble = 3;

/// Which server is tested, as the flags say.
struct TargetFlags {
  std::string file;
  bool sim = false, sockets = false;
  std::vector<std::string> imap, pop3, lmtp, smtp;  ///< host:port
  std::string tls = "none";
  std::string user, address, password_env = "MAILPROOF_PASSWORD";
  std::string ca_file;
  bool insecure = false;
  std::string source;  ///< source address of every connection
  BuiltinOptions builtin;
};
void add_target_flags(CLI::App& app, TargetFlags& flags);

/// The target that the flags mean. The error says what to change.
Result<scenario::Target> make_target(const TargetFlags& flags);

/// CLI11 takes -1 for the largest number there is.
CLI::Validator whole_number();

/// What run and load share.
struct PlayFlags {
  TargetFlags target;
  std::vector<std::string> paths;
  std::string scenarios = "scenarios";  ///< where ids are looked up
  std::string out;
  std::uint64_t seed = 1;
  bool strict = false, keep = false, own_mailboxes = false;
  bool slow = false;  ///< also what waits out a server's timer
  double patience = 1;
};
void add_play_flags(CLI::App& app, PlayFlags& flags);

}  // namespace mailproof::cli
