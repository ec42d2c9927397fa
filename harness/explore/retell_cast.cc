#include "explore/retell_cast.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace mailproof::explore {

using history::Event;
using history::Type;
using history::What;
using scenario::Node;

Node word(std::string text) {
  Node out;
  out.kind = Node::Kind::scalar;
  out.text = std::move(text);
  return out;
}

Node list_of(const std::vector<std::string>& words) {
  Node out;
  out.kind = Node::Kind::list;
  for (const std::string& text : words) out.children.push_back(word(text));
  return out;
}

Node map_of(std::vector<std::pair<std::string, Node>> entries) {
  Node out;
  out.kind = Node::Kind::map;
  for (auto& [key, value] : entries) {
    value.key = key;
    out.children.push_back(std::move(value));
  }
  return out;
}

RetoldCast::RetoldCast(const history::History& history) {
  struct Session {
    std::uint32_t number = 0, begin = 0, end = std::numeric_limits<std::uint32_t>::max();
  };
  std::map<std::uint32_t, Session> sessions;
  for (const Event& e : history.events()) {
    if (e.session == 0) continue;
    const history::SessionInfo& info = history.session(e.session);
    const bool mailbox = info.protocol == Protocol::imap || info.protocol == Protocol::pop3;
    if (info.audit_round != 0 || info.device == 0 || info.account == 0 || !mailbox) continue;
    if (e.what == What::connect && e.type == Type::ok) sessions[e.session] = {e.session, e.index};
    if (e.what == What::end && sessions.contains(e.session)) sessions[e.session].end = e.index;
  }
  std::vector<Session> in_order;
  for (const auto& [number, session] : sessions) in_order.push_back(session);
  std::sort(in_order.begin(), in_order.end(), [](const Session& a, const Session& b) { return a.begin < b.begin; });
  constexpr std::array kPeople = std::to_array<const char*>({"alice", "bob", "carol", "dave", "erin", "frank"});
  const auto meet = [&](std::uint32_t account) {
    const std::size_t n = accounts_.size();
    accounts_.try_emplace(account, n < kPeople.size() ? kPeople[n] : fmt::format("user{}", n + 1));
  };
  for (const Session& session : in_order) {
    const history::SessionInfo& info = history.session(session.number);
    meet(info.account);
    auto free = std::find_if(devices_.begin(), devices_.end(), [&](const Device& device) {
      return device.of == info.device && device.busy_until < session.begin;
    });
    if (free == devices_.end()) {
      const bool pop3 = info.protocol == Protocol::pop3;
      devices_.push_back({name_for(pop3), pop3, info.account, info.device, 0});
      free = std::prev(devices_.end());
      (pop3 ? pop3_ : imap_) = true;
    }
    free->busy_until = session.end;
    device_of_[session.number] = free->name;
  }
  for (const Event& e : history.events())
    if (e.what == What::deliver && e.type == Type::ok && e.account != 0) meet(e.account);
}

std::string RetoldCast::name_for(bool pop3) {
  constexpr std::array kImap = std::to_array<const char*>({"phone", "laptop", "tablet"});
  constexpr std::array kPop = std::to_array<const char*>({"pc", "office_pc"});
  std::size_t& used = pop3 ? pops_ : imaps_;
  ++used;
  if (pop3) return used <= kPop.size() ? kPop[used - 1] : fmt::format("pc{}", used);
  return used <= kImap.size() ? kImap[used - 1] : fmt::format("device{}", used);
}

const std::string& RetoldCast::device_of(std::uint32_t session) const {
  static const std::string kNobody;
  const auto at = device_of_.find(session);
  return at == device_of_.end() ? kNobody : at->second;
}

std::string RetoldCast::saver(std::uint32_t account) const {
  const auto at = std::find_if(devices_.begin(), devices_.end(),
                               [&](const Device& device) { return !device.pop3 && device.account == account; });
  return at == devices_.end() ? std::string() : at->name;
}

Node RetoldCast::accounts() const {
  std::vector<std::string> names;
  for (const auto& [number, name] : accounts_) names.push_back(name);
  return list_of(names);
}

Node RetoldCast::devices(bool with_mta) const {
  std::vector<std::pair<std::string, Node>> out;
  if (with_mta) out.emplace_back("mta", map_of({{"delivers", word("any")}}));
  for (const Device& device : devices_) {
    std::vector<std::pair<std::string, Node>> entries = {
        {device.pop3 ? "pop3" : "imap", word(accounts_.at(device.account))}};
    if (device.pop3) entries.emplace_back("after_download", word("keep"));
    out.emplace_back(device.name, map_of(std::move(entries)));
  }
  return map_of(std::move(out));
}

}  // namespace mailproof::explore
