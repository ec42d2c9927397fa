#pragma once
#include "core/admin.h"
#include "core/fate.h"
#include "core/network.h"
#include "core/pop3_delete.h"
#include "core/pop3_download.h"
#include "core/words.h"

namespace mailproof {

// The words of what files and reports name: written by name(), read by meaning_of().

inline constexpr Word<EndReason> kEndReasons[] = {
    {"none", EndReason::none},       {"closed", EndReason::closed},   {"reset", EndReason::reset},
    {"refused", EndReason::refused}, {"timeout", EndReason::timeout}, {"tls-failed", EndReason::tls_failed},
    {"dropped", EndReason::dropped}};
static_assert(complete(kEndReasons));

inline constexpr Word<Protocol> kProtocols[] = {
    {"imap", Protocol::imap}, {"pop3", Protocol::pop3}, {"smtp", Protocol::smtp}, {"lmtp", Protocol::lmtp}};
static_assert(complete(kProtocols));

inline constexpr Word<TlsMode> kTlsModes[] = {
    {"none", TlsMode::none}, {"starttls", TlsMode::starttls}, {"implicit", TlsMode::implicit}};
static_assert(complete(kTlsModes));

inline constexpr Word<AdminVerb> kAdminVerbs[] = {
    {"set_quota", AdminVerb::set_quota}, {"set_customer_quota", AdminVerb::set_customer_quota},
    {"restart", AdminVerb::restart},     {"kill", AdminVerb::kill},
    {"pause", AdminVerb::pause},         {"deliver", AdminVerb::deliver}};
static_assert(complete(kAdminVerbs));

inline constexpr Word<Fate> kFates[] = {{"present", Fate::present},
                                        {"removed-by-client", Fate::removed_by_client},
                                        {"expired-by-client-policy", Fate::expired_by_client_policy},
                                        {"moved", Fate::moved},
                                        {"refused", Fate::refused},
                                        {"deferred", Fate::deferred},
                                        {"queued", Fate::queued},
                                        {"bounced", Fate::bounced},
                                        {"suppressed-duplicate", Fate::suppressed_duplicate},
                                        {"lost", Fate::lost},
                                        {"unknown", Fate::unknown}};
static_assert(complete(kFates));

inline constexpr Word<Pop3Delete> kPop3Deletes[] = {{"removes", Pop3Delete::removes},
                                                    {"keeps-for-imap", Pop3Delete::keeps_for_imap},
                                                    {"to-trash", Pop3Delete::to_trash}};
static_assert(complete(kPop3Deletes));

inline constexpr Word<Pop3Download> kPop3Downloads[] = {{"keeps", Pop3Download::keeps},
                                                        {"removes", Pop3Download::removes}};
static_assert(complete(kPop3Downloads));

}  // namespace mailproof
