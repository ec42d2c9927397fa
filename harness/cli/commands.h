#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "host/temporary_files.h"
#include "scenario/scenario.h"

namespace CLI {
class App;
}

namespace mailproof::cli {

// One file a subcommand; each adds itself and leaves its exit status in `status`.
void add_run(CLI::App& app, int& status);
void add_explore(CLI::App& app, int& status);
void add_load(CLI::App& app, int& status);
void add_capacity(CLI::App& app, int& status);
void add_list(CLI::App& app, int& status);
void add_check(CLI::App& app, int& status);
void add_server(CLI::App& app, int& status);
void add_judge(CLI::App& app, int& status);
void add_explain(CLI::App& app, int& status);
void add_shrink(CLI::App& app, int& status);
void add_probe(CLI::App& app, int& status);
void add_prove(CLI::App& app, int& status);
void add_matrix(CLI::App& app, int& status);
void add_import(CLI::App& app, int& status);
void add_record(CLI::App& app, int& status);
void add_anonymise(CLI::App& app, int& status);
void add_compare(CLI::App& app, int& status);
void add_merge(CLI::App& app, int& status);
void add_manual(CLI::App& app, int& status);  ///< `manual` and `completion`; last, because they tell of all others

/// "mailproof: ..." on standard error; the status of wrong use.
int complain(const std::string& text);

/// Why ids and default folders cannot be looked up where `paths` need it: there is no scenarios folder. "" = nothing.
std::string missing_folder(const std::vector<std::string>& paths, const std::string& root);

/// Reads scenarios; nothing, after printing every problem, if any file is bad.
std::optional<std::vector<scenario::Scenario>> load_scenarios(const std::vector<std::string>& paths,
                                                              const std::string& root);

/// A target that can be played: with --sockets the built-in server was started for it.
struct Hosted {
  scenario::Target target;
  host::BuiltinOptions builtin;                 ///< as it was set up
  std::unique_ptr<host::TemporaryFiles> files;  ///< its certificate, which the target trusts
  std::unique_ptr<host::HostedServer> server;
  std::unique_ptr<host::Owed> owed;  ///< what is to be set back there; what becomes of it is said on standard error
};
Result<Hosted> host_builtin(const TargetFlags& flags, const scenario::Target& target);

/// What every command that plays has in common; it begins now. `hosted` outlives it. Still to come: a pool of accounts
/// and the mutex (run::Setup::quiet), which belong to the caller, and what is written.
run::Setup setup_of(const PlayFlags& flags, const Hosted& hosted);

std::uint64_t fresh_run_id();  ///< differs from run to run
std::string clock_now();       ///< RFC 3339, in UTC: "2026-11-29T01:30:00Z"

}  // namespace mailproof::cli
