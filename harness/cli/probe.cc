#include "report/probe.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <set>

#include "cli/behaviour.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target_lock.h"
#include "core/secret_mask.h"
#include "host/signals.h"
#include "probe/survey.h"

namespace mailproof::cli {
namespace {

struct ProbeFlags : BehaviourFlags {
  bool behaviour = false;
};

/// What a server repeats of a login is not shown. Of a big pool every password counts, not every user that shares one.
void mask(const scenario::Target& target, report::Probe& seen) {
  std::set<std::string> looked_into, passwords;
  for (const auto& account : seen.accounts) looked_into.insert(account.login);
  SecretMask secrets;
  for (const auto& account : target.accounts)
    if (passwords.insert(account.password.reveal()).second || looked_into.contains(account.login))
      secrets.add(account.login, account.password);
  const auto words = [&](report::ProbedEndpoint::Words& all) {
    if (all)
      for (auto& word : *all) secrets.mask(word);
  };
  for (auto& one : seen.endpoints) {
    secrets.mask(one.trouble);
    secrets.mask(one.greeting);
    for (auto* all : {&one.before_tls, &one.after_tls, &one.after_login}) words(*all);
    if (one.crowd)
      for (auto& refusal : one.crowd->refusals) secrets.mask(refusal);
  }
  for (auto& account : seen.accounts) {
    for (auto* login : {&account.imap, &account.pop3})
      if (*login) secrets.mask((*login)->text);
    for (auto& mailbox : account.mailboxes) secrets.mask_name(mailbox.name);
    if (account.quotas)
      for (auto& quota : *account.quotas) secrets.mask_name(quota.root);
  }
}

int probe(const ProbeFlags& flags) {
  if (flags.target.sim)
    return complain(
        "probe speaks to a server over sockets; the simulation has none: try --sockets, or --behaviour, which plays "
        "there, too");
  const auto target = make_target(flags.target);
  if (!target) return complain(target.error().message());
  const auto lock = TargetLock::take(flags.target, *target);
  if (!lock) return complain(lock.error().message());
  const auto hosted = host_builtin(flags.target, *target);
  if (!hosted) return complain(hosted.error().message());
  host::end_in_order();
  report::Probe seen = probe::ProbeSurvey(hosted->target, flags.patience).run();
  mask(hosted->target, seen);
  if (flags.json)
    say_json(report::probe_json(seen));
  else
    say(report::probe_text(seen, report::TextStyle{coloured()}));
  return report::probe_status(seen);
}

}  // namespace

void add_probe(CLI::App& app, int& status) {
  auto flags = std::make_shared<ProbeFlags>();
  auto* command = app.add_subcommand("probe", "Look at what a server offers, and what would get in the way of runs");
  add_target_flags(*command, flags->target);
  command->add_flag("--json", flags->json, "Print JSON (reports/probe.schema.json) instead of text");
  command->add_option("--patience", flags->patience, "Multiplies every bound, for slow machines")
      ->check(CLI::Range(0.1, 100.0))
      ->capture_default_str();
  auto* behaviour = command->add_flag(
      "--behaviour", flags->behaviour,
      "Play what servers may do in different ways (the folder behaviour of the scenarios), and say which ways this one "
      "goes, instead of looking: accounts are lent and mailboxes changed as in a run");
  command->add_option("--jobs", flags->jobs, "With --behaviour: so many at the same time")
      ->check(CLI::Range(1U, 64U))
      ->capture_default_str()
      ->needs(behaviour);
  command->add_option("--scenarios", flags->scenarios, "With --behaviour: the folder of the scenarios")
      ->capture_default_str()
      ->needs(behaviour);
  command
      ->add_flag("--i-own-these-mailboxes", flags->own_mailboxes,
                 "With --behaviour: the mailboxes may hold other mail; it may be read, changed and removed")
      ->needs(behaviour);
  command->callback([flags, &status] { status = flags->behaviour ? probe_behaviour(*flags) : probe(*flags); });
}

}  // namespace mailproof::cli
