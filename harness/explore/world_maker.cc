#include "explore/world_maker.h"

#include <fmt/format.h>

#include <algorithm>

#include "explore/world_talk.h"

namespace mailproof::explore {
namespace {

const std::vector<std::string> kSets = {"mail",  "report", "invoice", "letter", "note",
                                        "photo", "news",   "memo",    "order"};
constexpr int kTries = 12;

}  // namespace

std::string quoted(const std::string& mailbox) {
  const bool plain = std::all_of(mailbox.begin(), mailbox.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' || c == '-';
  });
  return plain ? mailbox : "\"" + mailbox + "\"";
}

WorldMaker::WorldMaker(std::uint64_t seed, const Offer& offer)
    : seed_(seed), offer_(offer), rng_(derive_seed(seed, "world")) {
  draw_swarm();
  draw_accounts();
  draw_actors();
}

std::string WorldMaker::text() {
  // A world begins with mail, so that there is something to do.
  for (std::size_t i = 0; i < known_.accounts.size(); ++i) {
    std::string action;
    if (deliver(actors_.front(), action)) say(actors_.front(), action);
  }
  while (lines_.size() < steps_) {
    const std::size_t before = lines_.size();
    for (int tries = 0; tries < kTries && lines_.size() == before; ++tries) step();
    if (lines_.size() == before) break;
  }
  at_end();
  std::string out = head();
  for (const std::string& line : lines_) out += line + "\n";
  return out;
}

unsigned WorldMaker::weight(std::string_view verb, unsigned natural) const {
  const auto at = swarm_.find(verb);
  return at == swarm_.end() ? natural : at->second;
}

bool WorldMaker::may_act(const Actor& actor) const { return !actor.gone; }

void WorldMaker::say_line(const std::string& line) { lines_.push_back(line); }

void WorldMaker::say(const Actor& actor, const std::string& action) {
  if (!pending_.empty()) say_line(std::exchange(pending_, {}));
  say_line(fmt::format("  - {}: {}", actor.name, action));
  if (!after_.empty()) say_line(std::exchange(after_, {}));
}

std::span<const WorldMaker::Verb> WorldMaker::verbs_of(Kind kind) {
  switch (kind) {
    case Kind::deliverer:
      return deliverer_verbs();
    case Kind::imap:
      return imap_verbs();
    case Kind::pop3:
      return pop3_verbs();
    case Kind::admin:
      return admin_verbs();
  }
  return imap_verbs();
}

/// One of its verbs, by weight; another one where there is nothing to do it to.
bool WorldMaker::act(Actor& actor, bool together, std::string& action) {
  const auto verbs = verbs_of(actor.kind);
  const auto may = [&](const Verb& verb) { return (!together || verb.together) && (!actor.shaken || verb.recovers); };
  for (int tries = 0; tries < kTries; ++tries) {
    unsigned all = 0;
    for (const Verb& verb : verbs)
      if (may(verb)) all += weight(verb.name, verb.weight);
    if (all == 0) return false;
    unsigned at = below(all);
    for (const Verb& verb : verbs) {
      if (!may(verb)) continue;
      const unsigned mine = weight(verb.name, verb.weight);
      if (at >= mine) {
        at -= mine;
        continue;
      }
      action.clear();
      pending_.clear();
      after_.clear();
      const Actor before = actor;
      if ((this->*verb.act)(actor, action)) {
        actor.shaken = false;
        return true;
      }
      actor = before;
      break;
    }
  }
  return false;
}

void WorldMaker::step() {
  if (below(30) < weight("together", 0)) return together();
  Actor& actor = actors_[below(actors_.size())];
  if (!may_act(actor) || (actor.kind == Kind::admin && !one_in(3))) return;
  std::string action;
  if (act(actor, false, action)) say(actor, action);
}

/// Two to four actors at the same time: each knows what there was before.
void WorldMaker::together() {
  std::vector<std::size_t> who;
  for (std::size_t i = 0; i < actors_.size(); ++i)
    if (may_act(actors_[i]) && actors_[i].kind != Kind::admin) who.push_back(i);
  const std::size_t most = 2 + below(3);
  const auto before = known_.accounts;
  view_ = &before;
  known_.begin_together();
  std::vector<std::string> children;
  std::set<std::size_t> collecting;  // of one account nobody else has the maildrop
  std::vector<Actor*> logged_in;
  while (!who.empty() && children.size() < most) {
    const std::size_t at = below(who.size());
    Actor& actor = actors_[who[at]];
    who.erase(who.begin() + static_cast<std::ptrdiff_t>(at));
    if (actor.kind == Kind::pop3 && collecting.contains(actor.account)) continue;
    known_.next_child();
    std::string action;
    const bool connected = actor.connected;
    if (!act(actor, true, action)) continue;
    if (actor.kind == Kind::pop3) collecting.insert(actor.account);
    if (actor.connected && !connected) logged_in.push_back(&actor);
    children.push_back(fmt::format("      - {}: {}", actor.name, action));
  }
  known_.end_together();
  view_ = nullptr;
  for (Actor* actor : logged_in) login_beside(*actor);
  if (children.size() == 1) return say_line(children.front().substr(4));
  if (children.empty()) return;
  std::string all = "  - together:";
  for (const std::string& child : children) all += "\n" + child;
  say_line(all);
}

std::string WorldMaker::new_set() {
  const std::string& word = any(kSets);
  const int times = ++sets_[word];
  return times == 1 ? word : fmt::format("{}{}", word, times);
}

/// The longest of some neighbours of one set, or a part of them: whole sets are written as such.
bool WorldMaker::pick_of(const std::vector<std::size_t>& letters, Pick& out) {
  if (letters.empty()) return false;
  const std::size_t seed = any(letters);
  const auto has = [&](std::size_t letter) {
    return std::find(letters.begin(), letters.end(), letter) != letters.end();
  };
  const auto same = [&](std::size_t letter) {
    return letter < known_.letters.size() && known_.letters[letter].set == known_.letters[seed].set;
  };
  std::size_t first = seed, last = seed;
  if (!one_in(3)) {
    while (first > 0 && same(first - 1) && has(first - 1)) --first;
    while (same(last + 1) && has(last + 1)) ++last;
    if (one_in(3) && first < last) (one_in(2) ? first : last) = seed;
  }
  const Letter& from = known_.letters[first];
  const bool whole = from.index == 1 && !same(last + 1);
  const bool to_end = !same(last + 1);
  out.letters.clear();
  for (std::size_t letter = first; letter <= last; ++letter) out.letters.push_back(letter);
  if (whole) {
    out.text = from.set;
  } else if (first == last) {
    out.text = to_end && one_in(3) ? fmt::format("{}.last", from.set) : fmt::format("{}.{}", from.set, from.index);
  } else {
    out.text = fmt::format("{}.{}-{}", from.set, from.index, known_.letters[last].index);
  }
  return true;
}

bool WorldMaker::pick(std::size_t account, const std::string& mailbox, Sure least, Pick& out) {
  std::vector<std::size_t> letters;
  for (const auto& [place, held] : seen(account).held)
    if (place.first == mailbox && held.there >= least) letters.push_back(place.second);
  return pick_of(letters, out);
}

std::vector<std::string> WorldMaker::mailboxes(std::size_t account, bool with_letters) {
  std::vector<std::string> out;
  for (const auto& [name, exists] : seen(account).names) {
    if (exists != Sure::yes) continue;
    const bool any_letter =
        std::any_of(seen(account).held.begin(), seen(account).held.end(),
                    [&, n = name](const auto& one) { return one.first.first == n && one.second.there != Sure::no; });
    if (!with_letters || any_letter) out.push_back(name);
  }
  return out;
}

std::string WorldMaker::new_mailbox_name() { return any(names_); }

/// What the maker is sure of is asked at the end, too: there the judges look at it with other eyes.
void WorldMaker::at_end() {
  bool pop = false;
  for (const Actor& actor : actors_) pop = pop || actor.kind == Kind::pop3;
  for (std::size_t account = 0; account < known_.accounts.size(); ++account) {
    const Mailboxes& all = known_.accounts[account];
    std::vector<std::string> same;
    for (Actor& actor : actors_) {
      if (actor.kind != Kind::imap || actor.account != account || actor.gone || actor.offline || actor.webmail ||
          actor.shaken)  // what it does next may come to nothing
        continue;
      same.push_back(actor.name);
    }
    if (same.size() > 1 && one_in(2)) {
      for (const std::string& name : same) say_line(fmt::format("  - {}: {{open: INBOX}}", name));
      say_line(fmt::format("  - judge: {{agree: [{}], in: INBOX}}", fmt::join(same, ", ")));
    }
    for (const auto& [mailbox, exists] : all.names) {
      if (exists != Sure::yes || (pop && mailbox == "Trash") || all.strangers || !one_in(2)) continue;
      int count = 0;
      bool sure = true;
      for (const auto& [place, held] : all.held) {
        if (place.first != mailbox) continue;
        sure = sure && held.sure();
        count += held.there == Sure::yes ? 1 : 0;
      }
      if (sure)
        say_line(
            fmt::format("  - judge: {{count: {}, in: {}, of: {}}}", count, quoted(mailbox), account_names_[account]));
    }
    const bool asked = drained_.contains(account);
    if (!all.limits.empty() && known_.limits[all.limits.front()].octets && (one_in(2) || asked))
      say_line(fmt::format("  - judge: {{usage: {}}}", account_names_[account]));
  }
  for (std::size_t letter = 0; letter < known_.letters.size(); ++letter)
    if (one_in(3)) fate_at_end(letter);
}

std::string world(std::uint64_t seed, const Offer& offer) {
  if (is_talk(seed))
    if (auto text = talk(seed, offer)) return *text;
  return WorldMaker(seed, offer).text();
}
std::string world_id(std::uint64_t seed) { return fmt::format("explore.seed-{}", seed); }
std::string world_file(std::uint64_t seed) { return fmt::format("explore-{}.yaml", seed); }

Offer offer_of(const scenario::Target& target) {
  Offer out;
  out.imap = !target.imap.empty();
  out.pop3 = !target.pop3.empty();
  out.lmtp = !target.lmtp.empty();
  out.smtp = !target.smtp.empty();
  out.append = !target.imap.empty();
  out.accounts = 0;
  std::set<std::uint64_t> quotas, customers;
  for (const auto& account : target.accounts) {
    if (account.customer_quota) customers.insert(*account.customer_quota);
    if (account.quota) quotas.insert(*account.quota);
    if (!account.quota && account.customer.empty()) ++out.accounts;
  }
  out.quotas = {quotas.begin(), quotas.end()};
  out.customer_quotas = {customers.begin(), customers.end()};
  const auto starttls = [](const std::vector<Endpoint>& endpoints) {
    return std::any_of(endpoints.begin(), endpoints.end(),
                       [](const Endpoint& e) { return e.tls == TlsMode::starttls; });
  };
  out.tls = starttls(target.imap) && starttls(target.pop3);
  out.smtp_tls = starttls(target.smtp);
  out.set_quota = target.admin.contains("set_quota");
  out.set_customer_quota = target.admin.contains("set_customer_quota");
  out.restarts = std::find(target.allow.begin(), target.allow.end(), "restarts") != target.allow.end() &&
                 target.admin.contains("restart") && target.admin.contains("kill") && target.admin.contains("pause");
  out.of_one_account = target.connections.user;
  return out;
}

}  // namespace mailproof::explore
