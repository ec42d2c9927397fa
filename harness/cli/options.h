#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/version.h"
#include "host/builtin.h"
#include "load/plan.h"
#include "run/setup.h"
#include "scenario/target/target.h"

namespace CLI {
class App;
class Option;
class Validator;
}  // namespace CLI

namespace mailproof::cli {

/// Exit statuses that are not a verdict (reports/README.md, "Verdicts and the exit status").
inline constexpr int kWrongUse = 2;
inline constexpr int kTrouble = 3;

/// Where ids are looked up unless --scenarios says so: "scenarios" in the working folder, and where there is none, what
/// was installed with the program (its prefix's share/mailproof/scenarios).
std::string default_scenarios();

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
  host::BuiltinOptions builtin;
};
void add_target_flags(CLI::App& app, TargetFlags& flags);

/// The target that the flags mean. The error says what to change.
Result<scenario::Target> make_target(const TargetFlags& flags);

/// CLI11 takes -1, and whatever is too large, for the largest number there is.
CLI::Validator whole_number();

/// What run and load share.
struct PlayFlags {
  TargetFlags target;
  std::vector<std::string> paths;
  std::string scenarios = default_scenarios();
  std::string out;
  std::uint64_t seed = 1;
  bool strict = false, keep = false, own_mailboxes = false;
  bool slow = false;  ///< also what waits out a server's timer
  double patience = 1;
};
CLI::Option* add_play_flags(CLI::App& app, PlayFlags& flags);  ///< returns that of the scenarios
struct LoadFlags : PlayFlags, load::Options {
  std::string serves;  ///< --serves, as it is written; "" = the built-in server answers at once
  std::string live;    ///< where a page shows it, "-": wherever there is room; "" = there is none
  bool copies_given = false, accounts_given = false;  ///< on the command line, not by default
};
/// What only shows under load is shown again by the same load.
std::string load_command(const LoadFlags& flags, const std::vector<scenario::Scenario>& stories);
std::string plan_command(const LoadFlags& flags);
/// By its id where the scenarios folder has it, which is everybody's; or by its file all the same, where that may be
/// new.
enum class Named { by_id, by_file };
/// The command that plays a scenario again, and thereby shows what was found in it.
std::string reproduce_command(const PlayFlags& flags, const scenario::Scenario& scenario, Named named = Named::by_id);
/// " --imap HOST:PORT --tls none --user U": the options that name the same server again.
std::string target_words(const TargetFlags& flags);

}  // namespace mailproof::cli
