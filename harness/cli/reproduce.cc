#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "cli/options.h"
#include "core/shell_word.h"
#include "scenario/scenario.h"

namespace mailproof::cli {

namespace {

namespace fs = std::filesystem;

/// As it is found where the reader is: below the folder in which this was run, and not on a CI's machine, which is
/// gone; there the name must do.
std::string for_reader(const std::string& path) {
  if (!fs::path(path).is_absolute()) return path;
  const fs::path near = fs::path(path).lexically_normal().lexically_relative(fs::current_path());
  if (!near.empty() && *near.begin() != "..") return near.string();
  return std::getenv("CI") == nullptr ? path : fs::path(path).filename().string();
}

/// Where somebody said which folder ids are looked up in, and the profiles that a story or a plan names.
std::string looked_up_in(const PlayFlags& flags) {
  const std::string root = for_reader(flags.scenarios);
  const bool told =
      flags.scenarios != default_scenarios() && root != "scenarios" && fs::path(flags.scenarios).filename() != root;
  return told ? " --scenarios " + root : "";
}

std::string to_play(const PlayFlags& flags, const scenario::Scenario& scenario, Named named = Named::by_id) {
  if (scenario.id.starts_with("imaptest.")) return "--imaptest " + for_reader(scenario.path);
  const fs::path near = fs::absolute(scenario.path)
                            .lexically_normal()
                            .lexically_relative(fs::absolute(flags.scenarios).lexically_normal());
  if (named == Named::by_id && !near.empty() && *near.begin() != "..") return scenario.id + looked_up_in(flags);
  const bool profiles = std::any_of(scenario.devices.begin(), scenario.devices.end(),
                                    [](const scenario::Device& device) { return device.profile != nullptr; });
  return for_reader(scenario.path) + (scenario.check ? " --only " + scenario.id : "") +
         (profiles ? looked_up_in(flags) : "");
}

std::string command_to_play(std::string command, const PlayFlags& flags, bool slow) {
  command += target_words(flags.target);
  if (flags.own_mailboxes) command += " --i-own-these-mailboxes";
  if (flags.strict) command += " --strict";
  if (slow) command += " --slow";
  command += fmt::format(" --seed {}", flags.seed);
  if (flags.patience != 1) command += fmt::format(" --patience {}", flags.patience);
  return command;
}

}  // namespace

std::string target_words(const TargetFlags& flags) {
  const TargetFlags usual;
  std::string out;
  const auto add = [&](std::string_view option, const std::string& value) {
    out += fmt::format(" {} {}", option, value);
  };
  const auto each = [&](std::string_view option, const std::vector<std::string>& values) {
    for (const auto& value : values) add(option, value);
  };
  if (flags.sim) out += " --sim";
  if (flags.sockets) out += " --sockets";
  if (!flags.file.empty()) add("--target", for_reader(flags.file));
  each("--imap", flags.imap);
  each("--pop3", flags.pop3);
  each("--lmtp", flags.lmtp);
  each("--smtp", flags.smtp);
  if (!flags.user.empty()) out += fmt::format(" --tls {} --user {}", flags.tls, flags.user);
  if (!flags.address.empty()) add("--address", flags.address);
  if (flags.password_env != usual.password_env) add("--password-env", flags.password_env);
  if (!flags.ca_file.empty()) add("--ca", for_reader(flags.ca_file));
  if (flags.insecure) out += " --insecure";
  if (!flags.source.empty()) add("--source", flags.source);
  each("--defect", flags.builtin.defects);
  each("--latitude", flags.builtin.latitudes);
  return out;
}

std::string reproduce_command(const PlayFlags& flags, const scenario::Scenario& scenario, Named named) {
  const bool slow = std::find(scenario.tags.begin(), scenario.tags.end(), "slow") != scenario.tags.end();
  return command_to_play("mailproof run " + to_play(flags, scenario, named), flags, slow);
}

std::string load_command(const LoadFlags& flags, const std::vector<scenario::Scenario>& stories) {
  std::string command = "mailproof load";
  for (const auto& story : stories) command += " " + to_play(flags, story);
  command = command_to_play(command, flags, false);
  if (flags.users != 0)
    command += fmt::format(" --users {} --think {}", flags.users, shell_word(flags.think));
  else
    command += fmt::format(" --copies {}", flags.copies);
  if (!flags.rate.empty()) command += " --rate " + flags.rate;
  if (!flags.duration.empty()) command += " --for " + flags.duration;
  if (!flags.serves.empty()) command += " --serves " + flags.serves;
  if (flags.history != "findings") command += " --history " + flags.history;
  if (flags.jobs != 1) command += fmt::format(" --jobs {}", flags.jobs);
  if (!flags.shard.empty()) command += " --shard " + flags.shard;
  if (!flags.yes_load.empty()) command += " --yes-load " + flags.yes_load;
  return command;
}

std::string plan_command(const LoadFlags& flags) {
  std::string command = "mailproof load";
  if (!flags.paths.empty()) command += " " + for_reader(flags.paths.front());
  command += looked_up_in(flags);
  command = command_to_play(command, flags, false);
  if (!flags.profile.empty())
    command += fmt::format(" --profile {} --accounts {}", for_reader(flags.profile), flags.accounts);
  if (!flags.rate.empty()) command += " --rate " + flags.rate;
  if (!flags.duration.empty()) command += " --for " + flags.duration;
  if (!flags.serves.empty()) command += " --serves " + flags.serves;
  if (flags.audit != "all") command += " --audit " + flags.audit;
  if (flags.history != "findings") command += " --history " + flags.history;
  if (!flags.shard.empty()) command += " --shard " + flags.shard;
  if (flags.jobs != 1) command += fmt::format(" --jobs {}", flags.jobs);
  if (!flags.yes_load.empty()) command += " --yes-load " + flags.yes_load;
  return command;
}

}  // namespace mailproof::cli
