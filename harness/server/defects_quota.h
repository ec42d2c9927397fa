#pragma once
#include <array>

#include "server/server.h"

namespace mailproof::server {

/// One line a defect: name, what the server then does, the judge that must fire. It acts where `defect("its name")` is
/// asked.
inline constexpr auto kQuotaDefects = std::to_array<Switch>({
    {"quota.over-accepts-and-drops", "mail for a full mailbox is accepted with 250 and thrown away", "loss"},
    {"quota.not-freed-by-expunge", "what is removed goes on counting against the quota", "quota"},
    {"quota.not-enforced", "mail is delivered whatever the quota says", "quota"},
    {"quota.not-for-clients", "mail is refused as over quota, and what clients append and copy never is", "quota"},
    {"quota.refuses-with-room", "mail is refused as over quota from half of the quota on", "quota"},
    {"quota.refuses-as-unknown-user", "mail for a full mailbox is refused with 550 5.1.1 instead of 552 5.2.2",
     "quota"},
    {"quota.bounce-never-sent", "SMTP accepts mail for a full mailbox as if to bounce it, and sends no report",
     "bounce"},
    {"quota.bounce-names-one", "of several recipients without room SMTP reports the first only", "bounce"},
    {"quota.two-bounces", "SMTP accepts mail for a full mailbox and reports it to the sender twice", "bounce"},
    {"quota.bounce-after-refusal", "mail refused with 552 is reported to the sender as well", "bounce"},
    {"quota.reports-in-spite-of-never", "a failure is reported to a sender who asked for no report (NOTIFY=NEVER)",
     "conformance"},
    {"quota.reports-null-sender", "a failure of mail with a null reverse-path is reported to another recipient",
     "conformance"},
    {"quota.rename-counts-again", "RENAME counts what is in the mailbox once more", "quota"},
    {"quota.bounce-wrong-status", "SMTP bounces mail for a full mailbox with Status 5.1.1 instead of 5.2.2", "bounce"},
    {"quota.not-freed-by-pop3", "what POP3 deletes goes on counting against the quota", "quota"},
    {"quota.move-frees-twice", "MOVE takes what it moves off the usage twice", "quota"},
    {"quota.bounce-to-another", "SMTP reports what it could not deliver to another account than the sender's",
     "bounce"},
    {"quota.bounced-once", "SMTP reports a message that it could not deliver once, however often it takes it",
     "bounce"},
    {"quota.messages-not-freed", "what is removed goes on counting as a MESSAGE of the quota", "quota"},
    {"quota.bounce-of-delivered", "SMTP reports as over quota what it has delivered", "bounce"},
});

}  // namespace mailproof::server
