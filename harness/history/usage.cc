#include "history/usage.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <set>

#include "core/bytes.h"

namespace mailproof::history {
namespace {

using Sizes = boost::unordered_flat_map<std::uint32_t, std::uint64_t>;  ///< UID -> octets

struct Looked {
  std::map<std::string, Sizes> sizes;  ///< by mailbox, of the newest listing
  std::set<std::string> unlisted;      ///< mailboxes that were opened and not listed to their end
  bool broken = false;                 ///< the newest session ended before it had looked at everything
};

/// Nobody put anything there, and all of it is elsewhere as well: a view of other mailboxes (RFC 6154 section 2: \All),
/// which takes no room.
bool may_be_view(const Ledger& ledger, std::uint32_t account, std::string_view mailbox) {
  bool any = false;
  for (const Cell& cell : ledger.cells()) {
    if (cell.account != account || cell.present == 0 || !iequals(ledger.mailbox_name(cell.mailbox), mailbox)) continue;
    const auto all = ledger.cells_of(cell.message);
    const bool elsewhere = std::any_of(all.begin(), all.end(), [&](const Cell& other) {
      return &other != &cell && other.account == account && other.present > 0;
    });
    if (cell.adds + cell.maybe_adds != 0 || !elsewhere) return false;
    any = true;
  }
  return any;
}

}  // namespace

std::uint64_t AuditedUsage::slack() const { return 2048 + messages * 1024 + octets / 50; }

bool AuditedUsage::fits() const {
  return storage.empty() || std::any_of(storage.begin(), storage.end(), [this](const auto& root) {
           return root.second.used <= octets + slack() && root.second.used + slack() + octets_in_views >= octets;
         });
}

bool AuditedUsage::counted() const {
  return message.empty() || std::any_of(message.begin(), message.end(), [this](const auto& root) {
           return root.second.used <= messages && root.second.used + in_views >= messages;
         });
}

std::map<std::uint32_t, AuditedUsage> audited_usages(const History& history, const Ledger& ledger) {
  std::map<std::uint32_t, AuditedUsage> out;
  std::map<std::uint32_t, Looked> looked;
  std::map<std::uint32_t, Sizes> rows;  // by session of the audit
  for (const Event& e : history.about(What::quota, What::select, What::examine, What::end, What::row, What::message,
                                      What::expunged, What::enumerated)) {
    if (e.session == 0) continue;
    const SessionInfo& session = history.session(e.session);
    if (session.device != 0 || session.protocol != Protocol::imap) continue;
    Looked& at = looked[session.account];
    if (e.what == What::quota && (iequals(e.code, "STORAGE") || iequals(e.code, "MESSAGE"))) {
      auto& roots = iequals(e.code, "STORAGE") ? out[session.account].storage : out[session.account].message;
      ToldUsage& told = roots[e.text];
      const std::uint64_t used = e.get<QuotaFacts>().used;
      const bool changed = told.session == e.session && (told.changed || told.used != used);
      told = {used, e.index, e.session, changed};
    }
    if (e.what == What::select || e.what == What::examine) {
      rows[e.session].clear();
      if (session.audit_round > 0) at.unlisted.insert(e.mailbox);
    }
    if (e.what == What::end && session.audit_round > 0) at.broken = e.flags != "clean" && e.flags != "ours";
    if ((e.what == What::row || e.what == What::message) && e.uid != 0) {
      std::uint64_t& known = rows[e.session][e.uid];
      const bool full = e.what == What::row || e.code == "full";
      if (full && e.size != 0) known = e.size;
    }
    if (e.what == What::expunged) rows[e.session].erase(e.uid);
    if (e.what == What::enumerated) {
      at.sizes[e.mailbox] = rows[e.session];
      at.unlisted.erase(e.mailbox);
    }
  }
  for (auto& [account, usage] : out) {
    const Looked& at = looked[account];
    usage.listed = !at.sizes.empty();
    usage.whole = at.unlisted.empty() && !at.broken;
    for (const auto& [mailbox, sizes] : at.sizes) {
      const bool view = may_be_view(ledger, account, mailbox);
      for (const auto& [uid, size] : sizes) {
        usage.octets += size;
        usage.unsized |= size == 0;
        usage.octets_in_views += view ? size : 0;
      }
      usage.messages += sizes.size();
      usage.in_views += view ? sizes.size() : 0;
      if (iequals(mailbox, "INBOX")) usage.in_inbox += sizes.size();
    }
  }
  return out;
}

}  // namespace mailproof::history
