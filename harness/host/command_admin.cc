#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "host/admin.h"

namespace mailproof::host {
namespace {

using Command = std::vector<std::string>;

/// A target's command that takes longer is ended: a restart of a big server may well take a minute.
constexpr Duration kCommandBound = std::chrono::minutes(2);

std::string filled(std::string text, const AdminRequest& request) {
  const std::pair<std::string_view, std::string> values[] = {
      {"{login}", request.login},
      {"{address}", request.address},
      {"{customer}", request.customer},
      {"{octets}", std::to_string(request.octets.value_or(0))},
      {"{milliseconds}", std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(request.span).count())}};
  for (const auto& [word, value] : values)
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + value.size()))
      text.replace(at, word.size(), value);
  return text;
}

/// A target's command knows its own server; it is not told our passwords.
std::vector<std::string> hidden(const scenario::Target& target) {
  std::vector<std::string> out(target.password_envs.begin(), target.password_envs.end());
  out.emplace_back("MAILPROOF_PASSWORD");
  return out;
}

/// What is left to be done where this request, or the run, is cut short.
std::string what_is_owed(const AdminRequest& request) {
  switch (request.verb) {
    case AdminVerb::set_quota:
      return fmt::format("the quota of {} is to be set back", request.login);
    case AdminVerb::set_customer_quota:
      return fmt::format("the quota of the customer {} is to be set back", request.customer);
    case AdminVerb::pause:
      return "the server was made to stand still and may do so yet";
    default:
      return "the server was taken down and is to be started";
  }
}

class CommandAdmin final : public Admin {
  using Done = std::function<void(const AdminReply&)>;

 public:
  CommandAdmin(const scenario::Target& target, net::Loop& loop, Owed& owed)
      : target_(target), owed_(owed), loop_(loop), commands_(loop, hidden(target)) {}

  ~CommandAdmin() override {
    over_ = true;
    try {
      commands_.drop();
      if (!debts_.empty()) put_in_order();
    } catch (...) {  // what is owed stays noted
    }
  }

  void perform(const AdminRequest& request, Done done) override {
    if (request.verb != AdminVerb::kill) return run(request, std::move(done));
    run(request, [this, done = std::move(done)](const AdminReply& reply) {
      if (reply.status != 0) return tell(done, reply);
      run(verb_alone(AdminVerb::restart), done);
    });
  }

 private:
  /// A command that is to be run. Who has run it since, and was told that it did it, has paid.
  struct Debt {
    Owed::Number number;
    Command command;
  };

  static AdminRequest verb_alone(AdminVerb verb) {
    AdminRequest out;
    out.verb = verb;
    return out;
  }

  Command command_of(const AdminRequest& request) const {
    Command out;
    const auto command = target_.admin.find(std::string(name(request.verb)));
    if (command == target_.admin.end()) return out;
    for (const auto& argument : command->second) out.push_back(filled(argument, request));
    return out;
  }

  void run(const AdminRequest& request, Done done) {
    const Command command = command_of(request);
    if (command.empty())
      return tell(done, {-1, fmt::format("the target file has no admin command {}", name(request.verb))});
    const bool pauses = request.verb == AdminVerb::pause;
    const auto debt = owe(request);
    if (pauses) still_until_ = std::max(still_until_, loop_.now() + request.span);
    const net::Unawaited unawaited = request.verb == AdminVerb::deliver ? net::Unawaited::killed
                                     : pauses                           ? net::Unawaited::asked_to_end
                                                                        : net::Unawaited::left;
    commands_.run(
        command, request.input, kCommandBound + request.span,
        [this, command, debt, pauses, done](const net::CommandResult& result) {
          if (!result.began || (pauses && result.status == 0)) pay([&](const Debt& one) { return one.number == debt; });
          if (result.status == 0) ran(command, debt);
          tell(done, {result.status, result.output});
        },
        unawaited);
  }

  /// Before anything is changed. The debts from before this one are what its command may pay: a server that somebody
  /// kills while another's restart is under way is to be restarted once more.
  Owed::Number owe(const AdminRequest& request) {
    std::optional<Command> command;
    if (request.undo) command = command_of(*request.undo);
    const bool takes_down = request.verb == AdminVerb::restart || request.verb == AdminVerb::kill;
    if (takes_down || request.verb == AdminVerb::pause) command = command_of(verb_alone(AdminVerb::restart));
    if (!command) return last_;
    last_ = owed_.owe(what_is_owed(request), *command);
    debts_.push_back({last_, std::move(*command)});
    return last_;
  }

  void ran(const Command& command, Owed::Number until) {
    pay([&](const Debt& one) { return one.number <= until && one.command == command; });
  }

  template <typename Which>
  void pay(Which&& which) {
    std::erase_if(debts_, [&](const Debt& one) {
      const bool paid = which(one);
      if (paid) owed_.done(one.number);
      return paid;
    });
  }

  void tell(const Done& done, const AdminReply& reply) const {
    if (!over_) done(reply);
  }

  /// What is under way comes to its end; then what was changed last is set back first. A command that takes longer than
  /// that is left to end by itself: half a restart is no server.
  void put_in_order() {
    const auto until = std::max(loop_.now(), still_until_) + kPutInOrder;
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(until - loop_.now()).count();
    for (const auto& line : lines()) say(fmt::format("{} (within {} s)", line, seconds));
    commands_.await(until);
    commands_.ask_to_end();
    if (loop_.now() >= until) commands_.await(until + net::Commands::kGrace);
    std::set<Command> tried;
    while (true) {
      const auto next = std::find_if(debts_.rbegin(), debts_.rend(), [&](const Debt& one) {
        return !one.command.empty() && !tried.contains(one.command);
      });
      if (next == debts_.rend()) break;
      const Command command = *tried.insert(next->command).first;
      const Owed::Number known = last_;
      commands_.run(
          command, nullptr, kPutInOrder,
          [this, command, known](const net::CommandResult& result) {
            if (result.status == 0) return ran(command, known);
            say(fmt::format("failed with status {}: {}", result.status, result.output));
          },
          net::Unawaited::left);
      commands_.await(std::max(until, loop_.now() + net::Commands::kGrace));
      if (loop_.now() >= until) break;  // the rest is told
    }
    for (const auto& line : lines()) say("NOT done, to be done by you: " + line);
    if (debts_.empty()) say("all of it is as it was");
  }

  /// Of this admin's debts, each once.
  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const auto& [number, line] : owed_.left())
      if (std::any_of(debts_.begin(), debts_.end(), [n = number](const Debt& one) { return one.number == n; }) &&
          std::find(out.begin(), out.end(), line) == out.end())
        out.push_back(line);
    return out;
  }

  void say(const std::string& line) const {
    if (owed_.say) owed_.say(line);
  }

  const scenario::Target& target_;
  Owed& owed_;
  net::Loop& loop_;
  std::vector<Debt> debts_;  ///< in the order in which they were made
  Owed::Number last_ = 0;
  Time still_until_{};  ///< the longest pause
  bool over_ = false;
  net::Commands commands_;
};

}  // namespace

std::unique_ptr<Admin> make_command_admin(const scenario::Target& target, net::Loop& loop, Owed& owed) {
  return std::make_unique<CommandAdmin>(target, loop, owed);
}

}  // namespace mailproof::host
