#include "server/store/quota.h"

namespace mailproof::server {

Room room_for(const ServerContext& context, const AccountState& account, std::uint64_t octets) {
  if (context.has(defect("quota.not-enforced")) || context.has(latitude("delivery.quota-soft"))) return Room::fits;
  if (context.has(defect("quota.refuses-with-room")) && account.quota() &&
      account.usage() + octets > *account.quota() / 2) {
    return Room::over_account;
  }
  return context.store.would_fit(account, octets);
}

}  // namespace mailproof::server
