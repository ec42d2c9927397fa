#include "explore/retell.h"

#include <fmt/format.h>

#include <algorithm>

#include "explore/retell_teller.h"
#include "explore/story_tree.h"
#include "explore/write.h"

namespace mailproof::explore {
namespace {

std::string protocol_word(Protocol protocol) { return protocol == Protocol::pop3 ? "pop3" : "imap"; }

}  // namespace

Result<Retold> Teller::run() {
  if (cast_.accounts().children.empty()) return Error{"", "nobody logged in, and nothing was delivered"};
  for (const auto& [where, mail] : mail_.before()) put(where, mail);
  if (mail_.put_elsewhere() != 0)
    left_out_["mail that the server itself put elsewhere than into INBOX"] = mail_.put_elsewhere();
  for (const Event& e : history_.events()) tell(e);
  flush();
  fates();
  Retold out;
  out.story = story();
  for (const auto& [what, times] : left_out_)
    out.left_out.push_back(times == 1 ? what : fmt::format("{} ({} times)", what, times));
  if (write(out.story).text.size() > scenario::kMaxFile / 2 || steps_.size() > kMostSteps)
    return Error{
        "", fmt::format("{} steps are more than a story may have: take fewer sessions, or one user's", steps_.size())};
  if (!story_tree::fit(out.story, id_ + ".yaml")) return Error{"", "nothing of it can be done again"};
  return out;
}

bool Teller::is_namespaced() const {
  return std::any_of(history_.events().begin(), history_.events().end(),
                     [](const Event& e) { return e.mailbox.starts_with("INBOX."); });
}

std::string Teller::mailbox(const std::string& name) const {
  if (!namespaced_ || !name.starts_with("INBOX.")) return name;
  std::string out = name.substr(6);
  std::replace(out.begin(), out.end(), '.', '/');
  return out;
}

std::uint32_t Teller::at(const Event& e, std::uint32_t uid) {
  if (e.type != Type::obs || e.mailbox.empty() || e.uidvalidity == 0) return in_open(e.session, uid);
  return mail_.at_uid(history_.session(e.session).account, e.mailbox, e.uidvalidity, uid);
}

std::uint32_t Teller::in_open(std::uint32_t session, std::uint32_t uid) {
  const Session& s = sessions_[session];
  return mail_.at_uid(history_.session(session).account, s.where.second, s.uidvalidity, uid);
}

void Teller::follow(const Event& e) {
  if (e.type != Type::ok || e.session == 0) return;
  Session& s = sessions_[e.session];
  s.where = {history_.session(e.session).account, invoke_of(e).mailbox};
  s.uidvalidity = e.uidvalidity;
  s.writable = e.what == What::select;
}

void Teller::tell(const Event& e) {
  if (e.what == What::deliver) return delivery(e);
  if (e.session == 0 || cast_.device_of(e.session).empty()) return;
  if (history_.session(e.session).protocol == Protocol::pop3)
    pop3(e);
  else
    imap(e);
}

void Teller::delivery(const Event& e) {
  if (e.type == Type::fail) ++left_out_["a delivery that was refused"];
  if (e.type == Type::info) ++left_out_["a delivery of which nobody knows what became"];
  if (e.type != Type::ok || e.account == 0) return;
  const Event& asked = invoke_of(e);
  const std::uint32_t message = e.message != 0 ? e.message : asked.message;
  if (message == 0 || !delivered_.insert(asked.index).second) return;
  std::vector<std::string> to;
  for (std::uint32_t i = e.index; i <= history_.events().size(); ++i) {
    const Event& other = history_.event(i);
    if (other.what != What::deliver || other.type != Type::ok || invoke_of(other).index != asked.index) continue;
    if (other.account == 0 || std::find(to.begin(), to.end(), account(other.account)) != to.end()) continue;
    to.push_back(account(other.account));
    there_[{other.account, "INBOX"}].insert(message);
  }
  flush();
  // The same message once more is the sender trying again.
  if (letters_.contains(message)) return say("mta", map_of({{"retry", word(ref(message, message))}}));
  const std::string set = new_set({message});
  std::vector<std::pair<std::string, Node>> action = {{"deliver", word(set)},
                                                      {"to", to.size() == 1 ? word(to.front()) : list_of(to)}};
  if (const auto size = size_of({message})) action.emplace_back("size", word(*size));
  say("mta", map_of(std::move(action)));
}

void Teller::removed(std::uint32_t message, const Event& e) {
  removed_by_[message].insert({cast_.device_of(e.session), history_.session(e.session).protocol});
}

void Teller::fates() {
  std::map<std::pair<std::string, Protocol>, std::vector<std::uint32_t>> by;
  for (const auto& [message, who] : removed_by_) {
    const std::uint32_t number = message;
    const auto has = [number](const auto& box) { return box.second.contains(number); };
    if (who.size() != 1 || copied_.contains(message) || std::any_of(there_.begin(), there_.end(), has)) continue;
    by[*who.begin()].push_back(message);
  }
  for (const auto& one : by)
    for_ranges(one.second, [&](const std::string& letters) {
      const auto& [who, protocol] = one.first;
      steps_.push_back(map_of({{"judge", map_of({{"fate", word(letters)},
                                                 {"is", word("removed-by-client")},
                                                 {"by", word(who)},
                                                 {"over", word(protocol_word(protocol))}})}}));
    });
}

scenario::Node Teller::story() const {
  std::vector<std::string> needs;
  if (cast_.has_imap()) needs.emplace_back("imap");
  if (cast_.has_pop3()) needs.emplace_back("pop3");
  if (mta_) needs.emplace_back("delivery");
  Node steps;
  steps.kind = Node::Kind::list;
  steps.children = steps_;
  return map_of({{"id", word(id_)},
                 {"needs", list_of(needs)},
                 {"accounts", cast_.accounts()},
                 {"devices", cast_.devices(mta_)},
                 {"steps", std::move(steps)}});
}

Result<Retold> retell(const history::History& history, const std::string& id) { return Teller(history, id).run(); }

}  // namespace mailproof::explore
