#pragma once
#include <optional>
#include <string>
#include <vector>

#include "load/report.h"
#include "scenario/plan/plan.h"
#include "scenario/target/target.h"

namespace mailproof::load {

/// What a plan comes to, told from the plan alone.
struct Forecast {
  std::uint32_t accounts = 0;    ///< of customers
  std::uint32_t senders = 0;     ///< accounts that reports come back to
  std::uint32_t of_stories = 0;  ///< accounts of the stories beside them
  std::uint32_t needed() const { return accounts + senders + of_stories; }
  double sessions = 0;             ///< logins of customers
  double commands = 0;             ///< that they send, about
  double deliveries = 0;           ///< messages
  double deliveries_rate = 0;      ///< a second, at the peak
  std::size_t connections = 0;     ///< at the peak, if everybody who may be connected is
  std::size_t of_one_account = 0;  ///< of them: the most that one account has
  std::size_t imap = 0, mail = 0;  ///< of them: over IMAP, and to bring mail
  std::size_t to_one_endpoint = 0;
  double letters_of_one = 0;               ///< messages that one device sends and saves, at most
  double letters_numbered = 2147483648.0;  ///< ... and for how many each has numbers
  double opened_to_one = 0;  ///< connections that are opened a second, to the endpoint that has most of them
  Duration length{};
  std::vector<std::string> beside;  ///< a line each for the stories that ride along
  struct Device {
    std::string name;
    std::uint32_t accounts = 0;
    std::size_t connections = 0;
    double sessions = 0, commands = 0;
  };
  std::vector<Device> devices;
};
Forecast forecast(const scenario::Plan& plan, const scenario::Target& target, unsigned jobs,
                  const std::vector<scenario::Scenario>& also);

/// What this machine and the target allow. The built-in server over sockets takes a descriptor a connection, too.
struct Limits {
  std::size_t descriptors = 0, most_descriptors = 0;  ///< ulimit -n: soft, and what the soft one may be raised to
  std::size_t ports = 0;                              ///< ephemeral, of one local address
};
Limits limits_here();
/// What of this machine ran out while it was played, as a sentence; "" = nothing did.
std::string limit_of_ours_met(const LoadResult& result);
/// What copies of stories come to, at most: all of them at the same time.
Forecast forecast(const std::vector<scenario::Scenario>& stories, std::uint32_t copies, const scenario::Target& target);
/// Raises the soft limit of descriptors if that is what is in the way and may be done.
void raise_descriptors(std::size_t needed);

/// Open files that this takes.
std::size_t descriptors_for(const Forecast& forecast, bool ours_over_sockets);

/// One sentence for people: `what` needs so many accounts, so many are there, how to get the others. `fewer`: what can
/// be done without them; "" = nothing.
std::string too_few_accounts(const std::string& what, std::size_t needed, std::size_t there, const std::string& fewer);

/// One thing that would be hit, with its name and what helps.
struct Obstacle {
  std::string limit;  ///< "ulimit -n"
  std::string text;
};
std::vector<Obstacle> obstacles(const Forecast& forecast, const Limits& limits, const scenario::Target& target,
                                bool ours_over_sockets);
/// Defaults of known servers that such a load goes beyond, where the target file says nothing of connections.
std::vector<std::string> advice(const Forecast& forecast, const scenario::Target& target);
/// Addresses of this machine to connect from, so that ephemeral ports suffice; empty: one is enough, or the target is
/// not on this machine.
std::vector<std::string> sources_for(const Forecast& forecast, const Limits& limits, const scenario::Target& target);

/// How much mail an account gets at the plan's height: "100 messages an account and day"; "" = none comes.
std::string mail_a_day(const scenario::Plan& plan);
std::string to_text(const Forecast& forecast, const scenario::Plan& plan, const Limits& limits,
                    const std::vector<Obstacle>& obstacles, const std::vector<std::string>& sources,
                    const std::vector<std::string>& advice = {});

}  // namespace mailproof::load
