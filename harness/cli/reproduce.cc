#include <fmt/format.h>

#include <algorithm>

#include "cli/options.h"
#include "scenario/scenario.h"

namespace mailproof::cli {

std::string reproduce_command(const PlayFlags& flags, const scenario::Scenario& scenario) {
  std::string command = "mailproof run " + scenario.path;
  if (scenario.check) command += " --only " + scenario.id;
  if (flags.target.sim) command += " --sim";
  if (flags.target.sockets) command += " --sockets";
  if (!flags.target.file.empty()) command += " --target " + flags.target.file;
  const auto endpoints = [&](const char* option, const std::vector<std::string>& values) {
    for (const auto& value : values) command += fmt::format(" {} {}", option, value);
  };
  endpoints("--imap", flags.target.imap);
  endpoints("--pop3", flags.target.pop3);
  endpoints("--lmtp", flags.target.lmtp);
  endpoints("--smtp", flags.target.smtp);
  if (!flags.target.user.empty()) command += fmt::format(" --tls {} --user {}", flags.target.tls, flags.target.user);
  endpoints("--defect", flags.target.builtin.defects);
  endpoints("--latitude", flags.target.builtin.latitudes);
  if (flags.own_mailboxes) command += " --i-own-these-mailboxes";
  if (flags.strict) command += " --strict";
  if (std::find(scenario.tags.begin(), scenario.tags.end(), "slow") != scenario.tags.end()) command += " --slow";
  command += fmt::format(" --seed {}", flags.seed);
  if (flags.patience != 1) command += fmt::format(" --patience {}", flags.patience);
  return command;
}

std::string load_command(const LoadFlags& flags, const std::vector<scenario::Scenario>& stories) {
  std::string command = reproduce_command(flags, stories.front());
  const std::string run = "mailproof run " + stories.front().path;
  std::string load = "mailproof load";
  for (const auto& story : stories) load += fmt::format(" {}", story.path);
  command.replace(0, run.size(), load);
  command += fmt::format(" --copies {}", flags.copies);
  if (!flags.rate.empty()) command += " --rate " + flags.rate;
  if (!flags.duration.empty()) command += " --for " + flags.duration;
  if (flags.jobs != 1) command += fmt::format(" --jobs {}", flags.jobs);
  if (!flags.yes_load.empty()) command += " --yes-load " + flags.yes_load;
  return command;
}

run::Settings settings_of(const PlayFlags& flags) {
  run::Settings out{flags.seed, flags.patience, flags.keep, flags.own_mailboxes, flags.strict, flags.slow, {}};
  if (flags.target.sim) out.simulated = flags.target.builtin;
  return out;
}

}  // namespace mailproof::cli
