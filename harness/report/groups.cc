#include "report/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "report/cause.h"
#include "report/escape.h"

namespace mailproof::report {
namespace {

using judge::Finding;
using judge::Severity;
using judge::Verdict;

constexpr std::size_t kFewestShow = 2;  ///< scenarios that show a way of the server
constexpr std::size_t kMostSeen = 160;  ///< octets of what was seen, in a list

/// From cause to consequence, by the first words of a class. What is not here stands before what misses something only.
constexpr std::array kOrigins = std::to_array<std::string_view>(
    {"session/unreachable", "session/login-refused", "session/tls-failed", "isolation/", "tls/",
     // A number that means another message now takes the wrong one.
     "pop3-session/numbering-changed", "pop3-session/",
     // Mail that was taken is gone, and mail that is there twice looks as if it had not gone.
     "removal/more-than-", "removal/without-quit",
     // An answer for another recipient than it is about: what was refused came, and what was accepted did not.
     "lmtp-replies/refused-but-delivered",
     // A literal that is too short takes the end of its row; who cannot read a row takes its message for gone.
     "session/literal-too-short", "session/unreadable-fetch",
     // Mail that is gone is worse than an answer that did not come with it.
     "loss/", "lmtp-replies/",
     // A second copy of something may be read as another message, and a piece that is too long alters the whole.
     "duplicates/refused-but-there", "duplicates/", "content/piece-longer", "content/", "removal/quit-",
     "removal/unasked",
     // A UID for another message changes what it seems to be; a view that is wrong gives messages wrong UIDs.
     "identity/uid-reused", "view/exists-fell", "view/expunge-of-the-living", "identity/",
     // Who asks for what is new misses what has a lower UID.
     "content/not-given",
     // What is not found by its UID stays when it is to go.
     "removal/", "uidl/", "view/", "quota/not-freed", "quota/",
     "",  // all others
     // What a story missed is nearer to the kind of it than the many sentences that are broken with it.
     "session/protocol-broken", "session/hung-up", "session/unreadable-vanished", "expectation/delta-differs",
     "expectation/not-found", "conformance/", "session/", "expectation/", "judging/"});
constexpr auto kOthers = static_cast<std::size_t>(std::find(kOrigins.begin(), kOrigins.end(), "") - kOrigins.begin());

constexpr std::array kProtocols = std::to_array<std::string_view>({"imap", "pop3", "smtp", "lmtp", "x"});
constexpr std::string_view kLeftOut = "...";  ///< for places of a requirement
constexpr std::size_t kMuchWider = 4;         ///< times as many scenarios

constexpr std::string_view kLivingExpunged = "view/expunge-of-the-living";

/// An EXPUNGE too many gives messages wrong UIDs, and with a wrong UID a right EXPUNGE seems to be of one that lives:
/// which of them came of which, only time tells.
bool either_first(std::string_view finding_class) {
  return finding_class == kLivingExpunged || finding_class == "identity/uid-changed";
}

/// The place in the history where a finding first shows.
std::uint32_t first_shown(const Finding& finding) {
  const auto first = std::min_element(finding.events.begin(), finding.events.end());
  return first == finding.events.end() ? std::numeric_limits<std::uint32_t>::max() : *first;
}

/// From cause to consequence within one scenario.
std::tuple<int, std::uint32_t, int> cause_key(const Finding& finding, std::string_view finding_class) {
  const int origin = origin_of(finding_class);
  if (!either_first(finding_class)) return {origin, 0, origin};
  return {origin_of(kLivingExpunged), first_shown(finding), origin};
}

/// Checks of the protocols themselves before those of their extensions, which stand on them: where both are broken, the
/// sentence of the former is nearer to what is wrong.
bool of_an_extension(const Group::Member& member) {
  const std::string& id = member.scenario->id;
  const std::string_view family = std::string_view(id).substr(0, id.find('.'));
  return member.scenario->kind == Kind::check &&
         std::none_of(kProtocols.begin(), kProtocols.end(), [&](std::string_view one) { return one == family; });
}

/// What judges found of the facts; not what a story or a check then misses, which may be missed for other reasons, too.
bool is_of_facts(const Group& group) {
  return origin_of(group.name) <= static_cast<int>(kOthers) && !group.members.empty();
}

std::set<std::size_t> shown_in(const Group& group) {
  std::set<std::size_t> out;
  for (const auto& member : group.members) out.insert(member.index);
  return out;
}

/// What is seen wherever another is seen, and mostly without it, did not come of that one: so it is told before it,
/// whatever the order of their classes says.
void wider_first(std::vector<Group>& groups) {
  for (std::size_t i = 1; i < groups.size(); ++i) {
    if (!is_of_facts(groups[i]) || !groups[i].accepted.empty()) continue;
    const auto seen = shown_in(groups[i]);
    const auto narrow = [&](const Group& one) {
      if (one.severity != groups[i].severity || !one.accepted.empty() || !is_of_facts(one)) return false;
      if (one.scenarios * kMuchWider > groups[i].scenarios) return false;
      const auto there = shown_in(one);
      return std::includes(seen.begin(), seen.end(), there.begin(), there.end());
    };
    const auto here = groups.begin() + static_cast<std::ptrdiff_t>(i);
    std::rotate(std::find_if(groups.begin(), here, narrow), here, here + 1);
  }
}

bool counts(const Finding& finding) { return finding.accepted.empty(); }

/// How a server writes is the same in every session, and clients read over it. What it says at a wrong time, or of what
/// is not there, clients act upon.
constexpr std::array kNoWays = std::to_array<std::string_view>(
    {"session/deviation.imap.continuation.unexpected", "session/deviation.imap.copyuid.unusable",
     "session/deviation.imap.exists.decreased", "session/deviation.imap.expunge.out_of_range",
     "session/deviation.imap.fetch.out_of_range", "session/deviation.imap.tag.unknown",
     "session/deviation.imap.uid.changed", "session/deviation.imap.unselected.data",
     "session/deviation.pop3.list.malformed", "session/deviation.pop3.response.unasked",
     "session/deviation.pop3.stat.malformed", "session/deviation.pop3.uidl.malformed",
     "session/deviation.smtp.reply.unasked"});

bool is_way(const Finding& finding, std::string_view name) {
  const bool writes = name.starts_with("session/") && std::find(kNoWays.begin(), kNoWays.end(), name) == kNoWays.end();
  return finding.severity == Severity::latitude &&
         (writes || name == "content/fields-added" || name == "removal/kept-for-imap" ||
          name == "removal/moved-to-trash" || name == "removal/expunged-to-trash" ||
          name == "removal/gone-after-download" || name == "removal/marked-over-imap");
}

std::string_view own_class(const Finding& finding, const ScenarioResult& scenario) {
  return class_of(finding.id, scenario.id);
}

}  // namespace

std::string_view class_of(std::string_view finding, std::string_view scenario) {
  const bool own = finding.size() > scenario.size() && finding.starts_with(scenario) && finding[scenario.size()] == '/';
  return own ? finding.substr(scenario.size() + 1) : finding;
}

int origin_of(std::string_view finding_class) {
  std::size_t best = kOthers;  // whose own word is the longest
  for (std::size_t i = 0; i < kOrigins.size(); ++i)
    if (finding_class.starts_with(kOrigins[i]) && kOrigins[i].size() > kOrigins[best].size()) best = i;
  return static_cast<int>(best);
}

void sort_by_origin(ScenarioResult& scenario) {
  std::stable_sort(scenario.findings.begin(), scenario.findings.end(), [&](const Finding& a, const Finding& b) {
    return std::tuple(order_of(a.severity), cause_key(a, own_class(a, scenario))) <
           std::tuple(order_of(b.severity), cause_key(b, own_class(b, scenario)));
  });
}

std::string Group::headline() const {
  if (members.size() == 1) return simplest().id;
  const bool checks =
      std::all_of(members.begin(), members.end(), [](const Member& one) { return one.scenario->kind == Kind::check; });
  return fmt::format("{} in {} {}{}", name, scenarios, checks ? "check" : "scenario", scenarios == 1 ? "" : "s");
}

std::string Group::since() const {
  const bool all =
      std::none_of(members.begin(), members.end(), [](const Member& one) { return one.finding->since.empty(); });
  return all ? simplest().since : std::string();
}

std::string Group::sentence(std::size_t most) const {
  const std::string& requirement = simplest().requirement;
  const auto colon = requirement.find(": ");
  if (colon == std::string::npos) return shortened(requirement, most);
  std::string places = requirement.substr(0, colon), level;
  if (const auto bracket = places.rfind(" ("); bracket != std::string::npos && places.ends_with(')')) {
    level = places.substr(bracket);
    places.resize(bracket);
  }
  const std::string_view sentence = std::string_view(requirement).substr(colon);
  bool left_out = false;
  for (auto comma = places.rfind(", "); comma != std::string::npos; comma = places.rfind(", ")) {
    if (places.size() + (left_out ? kLeftOut.size() : 0) + level.size() + sentence.size() <= most) break;
    places.resize(comma);
    left_out = true;
  }
  return shortened(fmt::format("{}{}{}{}", places, left_out ? kLeftOut : std::string_view(), level, sentence), most);
}

bool Group::differ() const {
  return severity != Severity::error && std::any_of(members.begin(), members.end(), [&](const Member& one) {
           return one.finding->requirement != simplest().requirement;
         });
}

std::vector<std::string> Group::others() const {
  const bool each = differ();
  std::vector<std::string> out;
  for (auto one = members.begin() + 1; one != members.end(); ++one) {
    const std::string& id = one->scenario->id;
    out.push_back(each ? fmt::format("{}: {}", id, shortened(one->finding->actual, kMostSeen)) : id);
  }
  return out;
}

std::vector<Group> groups_of(const RunResult& run) {
  std::map<std::array<std::string, 3>, std::size_t> places;
  std::vector<Group> out;
  std::map<std::string_view, std::size_t> leads;  // scenarios in which one of the two shows before the other
  for (std::size_t i = 0; i < run.scenarios.size(); ++i) {
    const ScenarioResult& scenario = run.scenarios[i];
    const Finding* lead = nullptr;
    for (const Finding& finding : scenario.findings)
      if (const auto name = own_class(finding, scenario);
          counts(finding) && either_first(name) &&
          (lead == nullptr || cause_key(finding, name) < cause_key(*lead, own_class(*lead, scenario))))
        lead = &finding;
    if (lead != nullptr) ++leads[own_class(*lead, scenario)];
    for (const Finding& finding : scenario.findings) {
      const std::string name(own_class(finding, scenario));
      const std::string words = finding.severity == Severity::error ? words_of_error(finding.actual) : std::string();
      const auto [place, fresh] = places.emplace(std::array{finding.accepted, name, words}, out.size());
      if (fresh) {
        out.emplace_back().name = name;
        out.back().accepted = finding.accepted;
      }
      Group& group = out[place->second];
      group.scenarios += group.members.empty() || group.members.back().index != i ? 1U : 0U;
      group.members.push_back({&scenario, i, &finding});
    }
  }
  for (Group& group : out) {
    std::stable_sort(group.members.begin(), group.members.end(), [](const Group::Member& a, const Group::Member& b) {
      return std::tuple(order_of(a.finding->severity), of_an_extension(a), a.scenario->events) <
             std::tuple(order_of(b.finding->severity), of_an_extension(b), b.scenario->events);
    });
    group.severity = group.simplest().severity;
    group.everywhere = std::find(run.everywhere.begin(), run.everywhere.end(), group.name) != run.everywhere.end();
  }
  std::stable_sort(out.begin(), out.end(), [&](const Group& a, const Group& b) {
    const auto key = [&](const Group& one) {
      const bool view = either_first(one.name);
      const auto led = leads.find(one.name);
      return std::tuple(
          !one.accepted.empty(), order_of(one.severity), view ? origin_of(kLivingExpunged) : origin_of(one.name),
          view && led != leads.end() ? ~led->second : ~std::size_t{0}, origin_of(one.name), ~one.scenarios);
    };
    return key(a) < key(b);
  });
  wider_first(out);
  return out;
}

std::vector<std::string> ways_in(const ScenarioResult& scenario) {
  std::vector<std::string> out;
  for (const Finding& finding : scenario.findings)
    if (counts(finding) && is_way(finding, own_class(finding, scenario)))
      out.emplace_back(own_class(finding, scenario));
  return out;
}

bool only_shows(const ScenarioResult& scenario, const std::vector<std::string>& known) {
  return scenario.verdict == Verdict::latitude && !ways_in(scenario).empty() &&
         std::all_of(scenario.findings.begin(), scenario.findings.end(), [&](const Finding& finding) {
           const std::string_view name = own_class(finding, scenario);
           return !counts(finding) ||
                  (is_way(finding, name) && std::find(known.begin(), known.end(), name) != known.end());
         });
}

void lift_what_is_everywhere(RunResult& run) {
  std::map<std::string, std::set<std::string>> seen;
  for (const ScenarioResult& scenario : run.scenarios)
    for (const std::string& name : ways_in(scenario)) seen[name].insert(scenario.id);
  for (const auto& [name, scenarios] : seen)
    if (scenarios.size() >= kFewestShow) run.everywhere.push_back(name);
  for (ScenarioResult& scenario : run.scenarios)
    if (only_shows(scenario, run.everywhere)) scenario.verdict = Verdict::pass;
}

}  // namespace mailproof::report
